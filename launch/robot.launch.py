"""Start what drives the real robot.

    ros2 launch millirobot_adapt robot.launch.py port:=/dev/ttyUSB0 path:=straight

Motion capture comes on `mocap/pose`, or where your driver publishes, e.g. mocap_topic:=/vrpn_mocap/robot/pose.
Nothing moves before `/bridge/arm` and `/controller/start` are called. With rviz:=true RViz shows what goes on.
Everything is recorded into a run folder under `runs`; `millirobot report runs/latest` shows it afterwards.
"""

import shlex
import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from millirobot_adapt.bringup.prepare import prepare_run
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, RECORDER, ROBOT, resolve
from millirobot_adapt.core.share import find
from millirobot_adapt.core.topics import MOCAP_POSE

ARGUMENTS = {
    'port': (BRIDGE, "serial port of the robot's radio"),
    'path': (CONTROLLER, 'path to follow: a shape or a CSV of way-points'),
    'model': (CONTROLLER, 'model bundle'),
    'method': (CONTROLLER, "adaptation method; empty: the model's own"),
}


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    shipped = resolve(ROBOT, {})
    description = LaunchDescription(
        DeclareLaunchArgument(name, default_value=shipped[node.name][name], description=text)
        for name, (node, text) in ARGUMENTS.items()
    )
    description.add_action(
        DeclareLaunchArgument(
            'mocap_topic', default_value=MOCAP_POSE.name, description='where motion capture publishes PoseStamped'
        )
    )
    description.add_action(DeclareLaunchArgument('out', default_value='runs', description='where run folders go'))
    description.add_action(DeclareLaunchArgument('rviz', default_value='false', choices=['true', 'false']))
    description.add_action(OpaqueFunction(function=show))
    description.add_action(OpaqueFunction(function=start))
    return description


def start(context: LaunchContext) -> list[LogInfo | Node]:
    """Start recorder, bridge, estimator and controller with the parameters chosen; when one of them ends, all do."""
    chosen: dict[str, dict[str, str]] = {}
    for name, (node, _) in ARGUMENTS.items():
        chosen.setdefault(node.name, {})[name] = context.launch_configurations[name]
    processes = (RECORDER, *ROBOT)
    folder = prepare_run(resolve(processes, chosen), Path(context.launch_configurations['out']), shlex.join(sys.argv))
    nodes = [
        Node(
            package='millirobot_adapt',
            executable=process.name,
            parameters=[str(folder.node_parameters)],
            remappings=[(MOCAP_POSE.name, LaunchConfiguration('mocap_topic'))],
            output='screen',
            on_exit=Shutdown(),
        )
        for process in processes
    ]
    return [LogInfo(msg=f'recording into {folder.path}'), *nodes]


def show(context: LaunchContext) -> list[LogInfo | Node]:
    """Start RViz if it is wanted and there; the robot walks without it as well."""
    if context.launch_configurations['rviz'] == 'false':
        return []
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return [LogInfo(msg='rviz:=true, but rviz2 is not installed (ros-$ROS_DISTRO-rviz2): going on without it')]
    topic = context.launch_configurations['mocap_topic']
    view = str(find('viz', 'millirobot', '.rviz'))
    return [Node(package='rviz2', executable='rviz2', arguments=['-d', view], remappings=[('/mocap/pose', topic)])]
