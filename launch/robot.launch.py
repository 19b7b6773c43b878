"""Start what drives the real robot.

    ros2 launch millirobot_adapt robot.launch.py port:=/dev/ttyUSB0 path:=straight

Motion capture comes on `mocap/pose`, or where your driver publishes, e.g. mocap_topic:=/vrpn_mocap/robot/pose.
Nothing moves before `/bridge/arm` and `/controller/start` are called. With rviz:=true RViz shows what goes on.
"""

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ROBOT, resolve
from millirobot_adapt.core.share import find
from millirobot_adapt.core.topics import MOCAP_POSE

ARGUMENTS = {
    'port': (BRIDGE, "serial port of the robot's radio"),
    'path': (CONTROLLER, 'path to follow: a shape or a CSV of way-points'),
    'model': (CONTROLLER, 'model bundle'),
    'method': (CONTROLLER, "adaptation method; empty: the model's own"),
}


def generate_launch_description() -> LaunchDescription:
    """Describe bridge, estimator and controller; when one of them ends, all do."""
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
    description.add_action(DeclareLaunchArgument('rviz', default_value='false', choices=['true', 'false']))
    description.add_action(OpaqueFunction(function=show))
    for process in ROBOT:
        chosen = {
            name: ParameterValue(LaunchConfiguration(name), value_type=str)
            for name, (node, _) in ARGUMENTS.items()
            if node is process
        }
        description.add_action(
            Node(
                package='millirobot_adapt',
                executable=process.name,
                parameters=[str(process.parameter_file), chosen],
                remappings=[(MOCAP_POSE.name, LaunchConfiguration('mocap_topic'))],
                output='screen',
                on_exit=Shutdown(),
            )
        )
    return description


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
