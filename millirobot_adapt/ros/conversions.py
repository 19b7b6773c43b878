"""Build the contract's messages as rclpy's types, and find the class and the quality of service of a topic."""

from __future__ import annotations

from array import array
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from millirobot_adapt.contract.message_builder import MessageBuilder
from millirobot_adapt.contract.topics import Topic


def qos(topic: Topic, depth: int = 10) -> QoSProfile:
    """Return the quality of service that the contract gives a topic."""
    return QoSProfile(
        depth=topic.history if topic.latched else depth,
        reliability=ReliabilityPolicy.RELIABLE if topic.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE,
    )


def message_class(topic: Topic) -> Any:
    """Return rclpy's class of a topic's messages."""
    return _class(topic.type)[0]


@cache
def _class(kind: str) -> tuple[Any, dict[str, str]]:
    """Return rclpy's class of a type and the ROS types of its fields."""
    package, _, name = kind.split('/')
    found = getattr(import_module(f'{package}.msg'), name)
    return found, found.get_fields_and_field_types()


def _make(kind: str, **fields: Any) -> Any:
    """Make a message of rclpy, which wants `array` for sequences of numbers and `bytes` for an octet."""
    made, types = _class(kind)
    for name, value in fields.items():
        if isinstance(value, np.ndarray) and types[name].startswith('sequence'):
            fields[name] = array(value.dtype.char, value.tobytes())
        elif types[name] == 'octet':
            fields[name] = bytes([value])
    return made(**fields)


_BUILDER = MessageBuilder(_make)
point = _BUILDER.point
vector3 = _BUILDER.vector3
pose_stamped = _BUILDER.pose_stamped
joint_state = _BUILDER.joint_state
telemetry_messages = _BUILDER.telemetry
labelled_array = _BUILDER.labelled_array
odometry = _BUILDER.odometry
path_message = _BUILDER.path
status = _BUILDER.status
time_message = _BUILDER.time
