"""Describe a bag as rosbag2 does: QoS profiles and metadata.yaml (format version 9, ROS 2 Jazzy)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from millirobot_adapt.bags.types import typestore
from millirobot_adapt.core.topics import Topic

METADATA = 'metadata.yaml'
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


def channel_metadata(topic: Topic) -> dict[str, str]:
    """Return what rosbag2 keeps beside a channel of an MCAP file."""
    return {
        'offered_qos_profiles': yaml.safe_dump([qos_profile(topic)], sort_keys=False).strip(),
        'topic_type_hash': typestore().hash_rihs01(topic.type),
    }


def write_metadata(
    folder: Path, data_file: str, topics: dict[str, Topic], counts: dict[str, int], start: int, end: int
) -> None:
    """Write metadata.yaml into the bag folder at once (an old one stays whole until it is replaced).

    Args:
        folder: Bag folder.
        data_file: Name of the MCAP file in it.
        topics: The bag's full topic names and what they are.
        counts: Messages by full topic name.
        start: Receive time of the first message [ns].
        end: Receive time of the last message [ns].
    """
    total = sum(counts.values())
    start_entry = {'nanoseconds_since_epoch': start}
    duration = {'nanoseconds': end - start}
    information = {
        'version': 9,
        'storage_identifier': 'mcap',
        'duration': duration,
        'starting_time': start_entry,
        'message_count': total,
        'topics_with_message_count': [
            {
                'topic_metadata': {
                    'name': name,
                    'type': topic.type,
                    'serialization_format': 'cdr',
                    'offered_qos_profiles': [qos_profile(topic)],
                    'type_description_hash': typestore().hash_rihs01(topic.type),
                },
                'message_count': counts[name],
            }
            for name, topic in topics.items()
        ],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [data_file],
        'files': [
            {'path': data_file, 'starting_time': start_entry, 'duration': duration, 'message_count': total},
        ],
        'custom_data': None,
        'ros_distro': 'jazzy',
    }
    scratch = folder / f'{METADATA}.new'
    scratch.write_text(yaml.dump({'rosbag2_bagfile_information': information}, Dumper=_Plain, sort_keys=False))
    scratch.replace(folder / METADATA)


class _Plain(yaml.SafeDumper):
    """Write repeated values in full: rosbag2's reader knows YAML anchors, people do not."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
