"""Collect data for training: the robot walks at random inside a safety circle, recorded into a run folder.

    ros2 launch millirobot_adapt collect.launch.py minutes:=2
    ros2 launch millirobot_adapt collect.launch.py port:=/dev/ttyUSB0 mocap_topic:=/vrpn_mocap/robot/pose

Without a port it is the mock that walks. Nothing moves before `/bridge/arm` and `/collector/start` are called. Centre
and radius of the circle stand in `params/collector.yaml`; the fence of the gate holds as always.
"""

from launch import LaunchDescription

from millirobot_adapt.bringup.launching.launch_file import describe


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    return describe('collect')
