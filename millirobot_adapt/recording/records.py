"""Name what lies in a bag, whatever the kind of its files: channels, messages as bytes, and rosbags' message types."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore


class Channel(NamedTuple):
    """One topic of a bag, described so that it can be copied without knowing its type."""

    topic: str
    """Full topic name."""
    type: str
    definition: str = ''
    """Text that defines the type and the types in it; '' if the bag does not tell."""
    language: str = ''
    """Of the definition: ros2msg, ros2idl or ''."""
    encoding: str = 'cdr'
    """Of the messages."""
    metadata: tuple[tuple[str, str], ...] = ()
    """What rosbag2 keeps beside a channel: offered_qos_profiles, topic_type_hash."""

    @property
    def full_topic(self) -> str:
        """The topic as ROS 2 spells it; some recorders leave the first slash out."""
        return f'/{self.topic.removeprefix("/")}'

    @property
    def ros_type(self) -> str:
        """The type as ROS 2 spells it: `std_msgs/String`, as ROS 1 spells it, is `std_msgs/msg/String`."""
        package, *between, name = self.type.split('/')
        return f'{package}/msg/{name}' if not between else self.type


class Raw(NamedTuple):
    """One message as it lies in a bag."""

    channel: Channel
    data: bytes
    received: int
    """Time of receipt [ns since the epoch]."""
    published: int
    """Time of publishing [ns since the epoch]; that of receipt where the bag does not tell."""
    sequence: int = 0
    """Number that the publisher gave the message, counted from 1; 0: not told."""


@dataclass
class Lost:
    """What of one file could not be read."""

    chunks: list[tuple[float, int, str]] = field(default_factory=list)
    """Damaged chunks: the time they span [s], the messages their index promises (0: unknown), the error."""
    homeless: int = 0
    """Messages whose channel is not known."""

    def lines(self, name: str) -> list[str]:
        """Say it in a line each; `name` is that of the file."""
        found = []
        for seconds, count, error in self.chunks:
            holding = f' with {count} messages' if count else ''
            found.append(f'{name}: a damaged chunk of {seconds:.1f} s{holding} left out ({error})')
        if self.homeless:
            found.append(f'{name}: {self.homeless} messages left out whose topic is not readable')
        return found


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Return the message types of ROS 2 Jazzy: definitions, hashes, CDR serialisation."""
    return get_typestore(Stores.ROS2_JAZZY)
