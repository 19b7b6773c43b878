"""Start what other packages offer to watch and to drive: RViz and the joystick's driver, where they are installed."""

from __future__ import annotations

from collections.abc import Mapping

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.action import Action
from launch.actions import LogInfo
from launch_ros.actions import Node

from millirobot_adapt.contract.topics import MOCAP_POSE, TOPICS, VIEW_TOPICS
from millirobot_adapt.core.share import find


def tools(chosen: Mapping[str, str]) -> list[Action]:
    """Return what starts the tools that the arguments ask for; the robot walks without them as well."""
    actions: list[Action] = []
    if chosen['teleop'] == 'true':
        actions += _if_installed('joy', _joystick(chosen), 'no joystick is read')
    if chosen['rviz'] == 'true':
        actions += _if_installed('rviz2', _rviz(chosen), 'nothing is shown')
    return actions


def _joystick(chosen: Mapping[str, str]) -> Node:
    return Node(package='joy', executable='joy_node', namespace=chosen['namespace'])


def _rviz(chosen: Mapping[str, str]) -> Node:
    """Show this robot: the view names topics without a namespace."""
    namespace = chosen['namespace'].strip('/')
    prefix = f'/{namespace}' if namespace else ''
    remappings = [(f'/{topic.name}', f'{prefix}/{topic.name}') for topic in (*TOPICS, *VIEW_TOPICS) if prefix]
    remappings.append((f'/{MOCAP_POSE.name}', _absolute(chosen['mocap_topic'], prefix)))
    view = str(find('viz', 'millirobot', '.rviz'))
    return Node(package='rviz2', executable='rviz2', arguments=['-d', view], remappings=remappings)


def _absolute(topic: str, prefix: str) -> str:
    return topic if topic.startswith('/') else f'{prefix}/{topic}'


def _if_installed(package: str, node: Node, without: str) -> list[Action]:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return [LogInfo(msg=f'{package} is not installed (apt install ros-$ROS_DISTRO-{package}): {without}')]
    return [node]
