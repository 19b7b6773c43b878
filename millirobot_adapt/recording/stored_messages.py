"""Build the contract's messages as rosbags' types."""

from __future__ import annotations

from typing import Any

from millirobot_adapt.contract.message_builder import MessageBuilder
from millirobot_adapt.recording.records import typestore


def _make(kind: str, **fields: Any) -> Any:
    return typestore().types[kind](**fields)


_BUILDER = MessageBuilder(_make)
header = _BUILDER.header
vector3 = _BUILDER.vector3
pose = _BUILDER.pose
pose_stamped = _BUILDER.pose_stamped
joint_state = _BUILDER.joint_state
telemetry_messages = _BUILDER.telemetry
labelled_array = _BUILDER.labelled_array
odometry = _BUILDER.odometry
path = _BUILDER.path
status = _BUILDER.status
time_message = _BUILDER.time
