"""Start the same with the mock robot.

    ros2 launch millirobot_adapt sim.launch.py condition:=leg_loss trajectory:=figure8

Mock and bridge meet at a port in the run folder, so that several may walk side by side: namespace:=robot1.
"""

from launch import LaunchDescription

from millirobot_adapt.bringup.launching.launch_file import describe


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    return describe('sim')
