"""What other packages offer to watch and to drive: RViz and the joystick's driver, where they are installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from millirobot_adapt.contract.topics import MOCAP_POSE, TOPICS, VIEW_TOPICS
from millirobot_adapt.core.share import find


def joystick(namespace: str) -> list[str]:
    """Return the command line of the joystick's driver; empty where it is not installed."""
    program = installed('joy', 'joy_node')
    if program is None:
        return []
    return [str(program), '--ros-args', *_rules([('__ns', f'/{namespace}')] if namespace else [])]


def rviz(namespace: str, mocap_topic: str) -> list[str]:
    """Return the command line of RViz with our view, which names topics without a namespace; empty: not installed."""
    program = installed('rviz2', 'rviz2')
    if program is None:
        return []
    prefix = f'/{namespace}' if namespace else ''
    rules = [(f'/{topic.name}', f'{prefix}/{topic.name}') for topic in (*TOPICS, *VIEW_TOPICS) if prefix]
    absolute = mocap_topic if mocap_topic.startswith('/') else f'{prefix}/{mocap_topic}'
    rules.append((f'/{MOCAP_POSE.name}', absolute))
    return [str(program), '-d', str(find('viz', 'millirobot', '.rviz')), '--ros-args', *_rules(rules)]


def installed(package: str, executable: str) -> Path | None:
    """Return the executable of a ROS package in the environment, None if it is not there."""
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        path = Path(prefix, 'lib', package, executable)
        if prefix and os.access(path, os.X_OK):
            return path
    return None


def _rules(pairs: list[tuple[str, str]]) -> Iterator[str]:
    for before, after in pairs:
        yield from ('-r', f'{before}:={after}')
