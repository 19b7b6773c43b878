"""Write one MCAP file so that what is on the disk can be read at any moment, even on a disk that fills up."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import IO, cast

from mcap.records import Attachment, Metadata
from mcap.writer import Writer

from millirobot_adapt.recording.metadata import Contents
from millirobot_adapt.recording.records import Channel, Raw


class WholeWrites:
    """A new file that takes each write as a whole or not at all: what a full disk took of it is cut off again."""

    def __init__(self, path: Path) -> None:
        """Make the file `path`, locked while it is open, so that nobody repairs a bag that is being recorded."""
        self._file = path.open('xb', buffering=0)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._size = 0

    def write(self, data: bytes) -> int:
        """Append `data`.

        Raises:
            OSError: the disk did not take it; the file ends where it did before.
        """
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._size)
            raise
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        """Return the size of the file [bytes]."""
        return self._size

    def flush(self) -> None:
        """Do nothing: every write has gone to the operating system."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class McapFile:
    """One MCAP file of a bag (profile ros2). Messages go to the disk in chunks: each `flush` ends one."""

    def __init__(self, path: Path) -> None:
        """Make the file.

        Raises:
            OSError: as do all methods when the disk does not take what they write.
        """
        self.name = path.name
        self.contents = Contents()
        self._stream = WholeWrites(path)
        self._writer = Writer(cast('IO[bytes]', self._stream))
        self._writer.start(profile='ros2')
        self._schemas: dict[tuple[str, str, str], int] = {}
        self._channels: dict[Channel, int] = {}

    @property
    def size(self) -> int:
        """Size on the disk, without the chunk in progress [bytes]."""
        return self._stream.tell()

    def add_channel(self, channel: Channel) -> None:
        """Announce a channel."""
        definition = (channel.type, channel.language, channel.definition)
        if definition not in self._schemas:
            self._schemas[definition] = self._writer.register_schema(
                channel.type, channel.language, channel.definition.encode()
            )
        self._channels[channel] = self._writer.register_channel(
            channel.topic, channel.encoding, self._schemas[definition], dict(channel.metadata)
        )

    def write(self, raw: Raw) -> None:
        """Write one message of a channel that was announced."""
        self._writer.add_message(
            self._channels[raw.channel], raw.received, raw.data, raw.published, raw.sequence % 2**32
        )
        self.contents.add(raw.received)

    def write_beside(self, record: Attachment | Metadata) -> None:
        """Write an attachment or a metadata record."""
        if isinstance(record, Metadata):
            self._writer.add_metadata(record.name, record.metadata)
        else:
            self._writer.add_attachment(
                record.create_time, record.log_time, record.name, record.media_type, record.data
            )

    def flush(self) -> None:
        """End the chunk in progress: everything written so far is with the operating system, readable on its own."""
        self._writer.flush()

    def finish(self) -> None:
        """Write the index and close."""
        self._writer.finish()
        self._stream.close()

    def abandon(self) -> None:
        """Close as it is: readable from the beginning, without an index."""
        self._stream.close()
