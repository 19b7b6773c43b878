"""Write a bag that any ROS 2 tool opens: a folder with metadata.yaml and MCAP files (profile ros2, CDR)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcap.records import Attachment, Metadata

from millirobot_adapt.contract.topics import Topic
from millirobot_adapt.core.errors import DeviceError, UserError
from millirobot_adapt.recording.mcap_writer import McapFile
from millirobot_adapt.recording.metadata import Contents, contract_channel, write_metadata
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.records import Channel, Raw, typestore


class BagWriter:
    """Write messages to a new bag; what was written before the last `flush` survives a killed process.

    A bag that grows over the split size goes on in another file: `bag_0.mcap`, `bag_1.mcap`, ... Each begins with the
    last message of every latched topic, so that it can be read without the others.

    All methods raise `DeviceError` when the disk does not take what they write; what was written before stays readable,
    and nothing more can be written.
    """

    def __init__(self, folder: Path, topics: dict[str, Topic] | None = None, split_size: int = 0) -> None:
        """Make the bag.

        Args:
            folder: Bag folder; it must not exist yet.
            topics: Topics by full name (default: the whole contract without a namespace).
            split_size: Size of a file after which the next one begins [bytes]; 0: one file.

        Raises:
            UserError: the folder exists already or cannot be made.
        """
        topics = full_names() if topics is None else topics
        self.folder = folder
        self._split_size = split_size
        self._channels = {name: contract_channel(name, topic) for name, topic in topics.items()}
        self._latched = {self._channels[name] for name, topic in topics.items() if topic.latched and topic.history == 1}
        self._newest: dict[Channel, Raw] = {}
        self._counts: dict[Channel, int] = dict.fromkeys(self._channels.values(), 0)
        self._files: dict[str, Contents] = {}
        self._open = True
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise UserError(f'{folder}: exists already; give a bag folder that does not exist yet') from None
        except OSError as error:
            raise UserError(f'{folder}: cannot be made ({error.strerror}); give a folder you may write to') from None
        with self._device():
            self._begin_file()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def count(self) -> int:
        """Messages written so far."""
        return sum(contents.count for contents in self._files.values())

    def write(self, name: str, data: bytes, received: int, published: int | None = None, sequence: int = 0) -> None:
        """Write one message.

        Args:
            name: Full topic name.
            data: The message in CDR, as a raw subscription hands it over.
            received: Time of receipt [ns since the epoch].
            published: Time of publishing [ns since the epoch]; None: that of receipt.
            sequence: The publisher's number of the message, from 1; 0: not known.
        """
        self.write_raw(
            Raw(self._channels[name], data, received, received if published is None else published, sequence)
        )

    def write_raw(self, raw: Raw) -> None:
        """Write one message of a channel, which may be one the bag did not have before."""
        with self._device():
            if raw.channel not in self._counts:
                self.add_channel(raw.channel)
            if self._split_size and self._file.size >= self._split_size:
                self._split(raw.received)
            self._write(raw)
        if raw.channel in self._latched:
            self._newest[raw.channel] = raw

    def add_channel(self, channel: Channel) -> None:
        """Announce a channel that the bag does not have yet."""
        if channel not in self._counts:
            with self._device():
                self._counts[channel] = 0
                self._file.add_channel(channel)

    def write_beside(self, record: Attachment | Metadata) -> None:
        """Write an attachment or a metadata record of another MCAP file, as it is."""
        with self._device():
            self._file.write_beside(record)

    def write_message(self, name: str, message: Any, received: float) -> None:
        """Serialise and write one message of rosbags' types, received at `received` [s since the epoch]."""
        data = typestore().serialize_cdr(message, self._channels[name].type)
        self.write(name, bytes(data), round(received * 1e9))

    def flush(self) -> None:
        """Hand everything written so far to the operating system, as a chunk that can be read on its own."""
        with self._device():
            self._file.flush()

    def close(self) -> None:
        """Finish the file and the metadata; a second call, or one after a failure of the disk, does nothing."""
        if not self._open:
            return
        with self._device():
            self._file.finish()
            self._write_metadata()
        self._open = False

    def _begin_file(self) -> None:
        self._file = McapFile(self.folder / f'{self.folder.name}_{len(self._files)}.mcap')
        self._files[self._file.name] = self._file.contents
        for channel in self._counts:
            self._file.add_channel(channel)
        self._file.flush()
        self._write_metadata()

    def _split(self, now: int) -> None:
        """Go on in the next file, which gets the latched messages again, received `now` [ns]."""
        self._file.finish()
        self._begin_file()
        for raw in self._newest.values():
            self._write(raw._replace(received=now))

    def _write(self, raw: Raw) -> None:
        self._file.write(raw)
        self._counts[raw.channel] += 1

    def _write_metadata(self) -> None:
        write_metadata(self.folder, self._files, self._counts)

    @contextlib.contextmanager
    def _device(self) -> Iterator[None]:
        """Turn a failure of the disk into one clear error, after which the bag is left as it is."""
        if not self._open:
            raise DeviceError(f'{self.folder}: the bag is closed')
        try:
            yield
        except OSError as error:
            self._open = False
            if self._files:
                self._file.abandon()
            reason = error.strerror or type(error).__name__
            raise DeviceError(
                f'{self.folder}: cannot be written any more ({reason}); what was written before can be read, '
                f'and `millirobot repair` makes it whole'
            ) from None
