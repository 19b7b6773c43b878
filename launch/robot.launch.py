"""Start what drives the real robot.

    ros2 launch millirobot_adapt robot.launch.py port:=/dev/ttyUSB0 trajectory:=straight

Motion capture comes on `mocap/pose`, or where your driver publishes, e.g. mocap_topic:=/vrpn_mocap/robot/pose.
Nothing moves before `/bridge/arm` and `/controller/start` are called. Everything is recorded into a run folder under
`runs`; `millirobot report runs/latest` shows it afterwards.
"""

from launch import LaunchDescription

from millirobot_adapt.bringup.launching.launch_file import describe


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    return describe('robot')
