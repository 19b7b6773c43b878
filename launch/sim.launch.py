"""Start the same with the mock robot.

ros2 launch millirobot_adapt sim.launch.py condition:=leg_loss path:=figure8
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessIO
from launch.events.process import ProcessIO
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from millirobot_adapt.bringup.processes import MOCK_ROBOT, resolve


def generate_launch_description() -> LaunchDescription:
    """Describe the mock; once it serves its port, the processes of the real robot."""
    shipped = resolve([MOCK_ROBOT], {})[MOCK_ROBOT.name]
    condition = ParameterValue(LaunchConfiguration('condition'), value_type=str)
    mock = Node(
        package='millirobot_adapt',
        executable=MOCK_ROBOT.name,
        parameters=[str(MOCK_ROBOT.parameter_file), {'condition': condition}],
        output='screen',
        on_exit=Shutdown(),
    )
    robot = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(__file__).with_name('robot.launch.py'))),
        launch_arguments={'port': shipped['port']}.items(),
    )

    def when_serving(event: ProcessIO) -> IncludeLaunchDescription | None:
        return robot if b'serving the radio' in event.text else None

    return LaunchDescription(
        [
            DeclareLaunchArgument('condition', default_value=shipped['condition'], description='what the mock meets'),
            RegisterEventHandler(OnProcessIO(target_action=mock, on_stdout=when_serving, on_stderr=when_serving)),
            mock,
        ]
    )
