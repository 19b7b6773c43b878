"""Read the messages of one sqlite3 bag file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from rosbags.rosbag2 import Reader

from millirobot_adapt.bags.mcap_file import Raw


def read_sqlite(file: Path, note: Callable[[str], None]) -> Iterator[Raw]:
    """Yield the file's messages in the order of receipt; `note` gets one line if it ends early."""
    try:
        with Reader(file) as reader:
            for connection, received, data in reader.messages():
                yield Raw(connection.topic, connection.msgtype, bytes(data), received)
    except Exception as error:  # damage shows as any exception of sqlite3 and rosbags
        note(f'{file}: truncated or damaged, used as far as readable ({type(error).__name__})')
