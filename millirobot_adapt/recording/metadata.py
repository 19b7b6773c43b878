"""Describe a bag as rosbag2 does: QoS profiles and metadata.yaml (format version 9, ROS 2 Jazzy)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from millirobot_adapt.contract.topics import Topic
from millirobot_adapt.core.files import write_whole
from millirobot_adapt.core.yaml_file import parse_yaml
from millirobot_adapt.recording.records import Channel, typestore

METADATA = 'metadata.yaml'
QOS, HASH = 'offered_qos_profiles', 'topic_type_hash'
"""Keys of what rosbag2 keeps beside a channel."""
_ROOT = 'rosbag2_bagfile_information'
_FOREVER = {'sec': 9223372036, 'nsec': 854775807}


def qos_profile(topic: Topic) -> dict[str, Any]:
    """Return the QoS profile that a topic's publisher offers, as rosbag2 spells it."""
    return {
        'history': 'keep_last',
        'depth': topic.history if topic.latched else 10,
        'reliability': 'reliable' if topic.reliable or topic.latched else 'best_effort',
        'durability': 'transient_local' if topic.latched else 'volatile',
        'deadline': dict(_FOREVER),
        'lifespan': dict(_FOREVER),
        'liveliness': 'automatic',
        'liveliness_lease_duration': dict(_FOREVER),
        'avoid_ros_namespace_conventions': False,
    }


@functools.cache
def contract_channel(name: str, topic: Topic) -> Channel:
    """Describe a topic of the contract under its full name, with its QoS and its type as rosbag2 keeps them."""
    definition, _ = typestore().generate_msgdef(topic.type, ros_version=2)
    profiles = yaml.safe_dump([qos_profile(topic)], sort_keys=False).strip()
    beside = ((QOS, profiles), (HASH, typestore().hash_rihs01(topic.type)))
    return Channel(name, topic.type, definition, 'ros2msg', 'cdr', beside)


@dataclass
class Contents:
    """Messages of a bag or of one of its files: how many, from when to when."""

    count: int = 0
    start: int = 0
    """Receive time of the first message [ns since the epoch]."""
    end: int = 0
    """Receive time of the last message [ns since the epoch]."""

    def add(self, received: int) -> None:
        """Count one message."""
        self.start = min(self.start, received) if self.count else received
        self.end = max(self.end, received)
        self.count += 1

    def plain(self) -> dict[str, Any]:
        """Return the three as metadata.yaml spells them."""
        return {
            'starting_time': {'nanoseconds_since_epoch': self.start},
            'duration': {'nanoseconds': self.end - self.start},
            'message_count': self.count,
        }


def write_metadata(folder: Path, files: Mapping[str, Contents], channels: Mapping[Channel, int]) -> None:
    """Write metadata.yaml into the bag folder at once (an old one stays whole until it is replaced).

    Args:
        folder: Bag folder.
        files: What the MCAP files in it hold, by their names, in order.
        channels: How many messages each channel has.

    Raises:
        OSError: the disk does not take it.
    """
    total = Contents()
    for part in files.values():
        if part.count:
            total.start = min(total.start, part.start) if total.count else part.start
            total.end = max(total.end, part.end)
            total.count += part.count
    information = {
        'version': 9,
        'storage_identifier': 'mcap',
        **total.plain(),
        'topics_with_message_count': [
            {'topic_metadata': _topic_metadata(channel), 'message_count': count} for channel, count in channels.items()
        ],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': list(files),
        'files': [{'path': name, **part.plain()} for name, part in files.items()],
        'custom_data': None,
        'ros_distro': 'jazzy',
    }
    write_whole(folder / METADATA, yaml.dump({_ROOT: information}, Dumper=PlainDumper, sort_keys=False))


def _topic_metadata(channel: Channel) -> dict[str, Any]:
    beside = dict(channel.metadata)
    return {
        'name': channel.topic,
        'type': channel.type,
        'serialization_format': channel.encoding,
        'offered_qos_profiles': _profiles(beside.get(QOS, '')),
        'type_description_hash': beside.get(HASH, ''),
    }


@functools.lru_cache(maxsize=256)
def _profiles(text: str) -> list[Any]:
    """Read the QoS profiles of a channel, which somebody else may have written; the same texts come with every file."""
    try:
        profiles = parse_yaml(text)
    except yaml.YAMLError:
        return []
    return profiles if isinstance(profiles, list) else []


@dataclass(frozen=True)
class Metadata:
    """What a reader needs of metadata.yaml."""

    files: tuple[str, ...]
    """Names of the data files, in order."""
    message_count: int
    compression: str
    """'message': each message is compressed with zstd; 'file': the files are; ''."""
    elsewhere: tuple[str, ...] = ()
    """Paths among those that it names that lead into another folder."""


def read_metadata(folder: Path) -> Metadata | None:
    """Read metadata.yaml of a bag folder; None where there is none that makes sense.

    Of the paths it names only the file's name counts: nothing outside the folder is read.
    """
    try:
        information = parse_yaml((folder / METADATA).read_bytes())[_ROOT]
        paths = [str(path) for path in information['relative_file_paths']]
        count = int(information['message_count'])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, LookupError, TypeError, ValueError):
        return None
    # Both kinds of slash count. Before version 4 the paths began with the folder's own name.
    windows = [PureWindowsPath(path) for path in paths]
    elsewhere = tuple(path for path, pure in zip(paths, windows, strict=True) if pure.anchor or '..' in pure.parts)
    names = tuple(pure.name for pure in windows)
    return Metadata(names, count, str(information.get('compression_mode') or '').lower(), elsewhere)


# libyaml writes the same in a tenth of the time, and a recorder waits for it whenever it begins a file.
_Dumper: Any = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)


class PlainDumper(_Dumper):
    """Write repeated values in full: rosbag2's reader knows YAML anchors, people do not."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value in full."""
        return True
