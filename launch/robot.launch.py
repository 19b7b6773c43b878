"""Start what drives the real robot.

    ros2 launch millirobot_adapt robot.launch.py port:=/dev/ttyUSB0 path:=straight

Motion capture comes on `mocap/pose`, or where your driver publishes, e.g. mocap_topic:=/vrpn_mocap/robot/pose.
Nothing moves before `/bridge/arm` and `/controller/start` are called.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ROBOT, resolve
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
