"""Write a bag that any ROS 2 tool opens: a folder with metadata.yaml and one MCAP file (profile ros2, CDR)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from mcap.writer import Writer

from millirobot_adapt.bags.metadata import channel_metadata, write_metadata
from millirobot_adapt.bags.types import typestore
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.topics import TOPICS, Topic


def full_names(topics: Iterable[Topic] = TOPICS, namespace: str = '') -> dict[str, Topic]:
    """Map topics by the full name that they have in a namespace ('' or 'robot1'); absolute names stay as they are."""
    prefix = f'/{namespace.strip("/")}/' if namespace.strip('/') else '/'
    return {topic.name if topic.name.startswith('/') else prefix + topic.name: topic for topic in topics}


class BagWriter:
    """Write messages to a new bag; what was written before the last `flush` survives a killed process.

    Raises:
        UserError: the folder exists already or cannot be made.
    """

    def __init__(self, folder: Path, topics: dict[str, Topic] | None = None) -> None:
        """Make the bag `folder` for `topics` by full name (default: the whole contract without a namespace)."""
        self.folder = folder
        self._topics = full_names() if topics is None else topics
        self._counts = dict.fromkeys(self._topics, 0)
        self._start: int | None = None
        self._end = 0
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise UserError(f'{folder}: exists already; give a bag folder that does not exist yet') from None
        except OSError as error:
            raise UserError(f'{folder}: cannot be made ({error.strerror}); give a folder you may write to') from None
        self._file = f'{folder.name}_0.mcap'
        self._stream = (folder / self._file).open('xb')
        self._writer = Writer(self._stream)
        self._writer.start(profile='ros2')
        self._schemas: dict[str, int] = {}
        self._channels = {name: self._add_channel(name, topic) for name, topic in self._topics.items()}
        self.flush()
        self._write_metadata()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, name: str, data: bytes, received: int) -> None:
        """Write one message.

        Args:
            name: Full topic name.
            data: The message in CDR, as a raw subscription hands it over.
            received: Time of receipt [ns since the epoch].
        """
        self._writer.add_message(self._channels[name], received, data, received)
        self._start = received if self._start is None else min(self._start, received)
        self._end = max(self._end, received)
        self._counts[name] += 1

    def write_message(self, name: str, message: Any, received: float) -> None:
        """Serialise and write one message of rosbags' types, received at `received` [s since the epoch]."""
        data = typestore().serialize_cdr(message, self._topics[name].type)
        self.write(name, bytes(data), round(received * 1e9))

    def flush(self) -> None:
        """Hand everything written so far to the operating system, as a chunk that can be read on its own."""
        self._writer.flush()

    def close(self) -> None:
        """Finish the file and the metadata; a second call does nothing."""
        if self._stream.closed:
            return
        self._writer.finish()
        self._stream.close()
        self._write_metadata()

    def _add_channel(self, name: str, topic: Topic) -> int:
        if topic.type not in self._schemas:
            definition, _ = typestore().generate_msgdef(topic.type, ros_version=2)
            self._schemas[topic.type] = self._writer.register_schema(topic.type, 'ros2msg', definition.encode())
        return self._writer.register_channel(name, 'cdr', self._schemas[topic.type], channel_metadata(topic))

    def _write_metadata(self) -> None:
        write_metadata(self.folder, self._file, self._topics, self._counts, self._start or 0, self._end)
