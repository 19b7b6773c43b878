"""Learn in one sitting: the robot walks, a trainer beside it trains on what it walks, better models are swapped in.

    ros2 launch millirobot_adapt learn.launch.py minutes:=20
    ros2 launch millirobot_adapt learn.launch.py port:=/dev/ttyUSB0 mocap_topic:=/vrpn_mocap/robot/pose

The same as `millirobot learn`, and like that it needs PyTorch (the extra `train`). Without a port the mock walks;
`mock:=false` is for a robot that takes velocity commands. Nothing moves before `/bridge/arm` is called. From then on
the robot walks by itself, until the time is over, or `/bridge/stop` or Ctrl-C ends it. docs/learn.md describes it.
"""

from launch import LaunchDescription

from millirobot_adapt.bringup.launching.launch_file import describe


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    return describe('learn')
