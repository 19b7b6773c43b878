"""Start what drives the real robot.

    ros2 launch millirobot_adapt robot.launch.py port:=/dev/ttyUSB0 trajectory:=straight

Motion capture comes on `mocap/pose`, or where your driver publishes, e.g. mocap_topic:=/vrpn_mocap/robot/pose.
Nothing moves before `/bridge/arm` and `/controller/start` are called. Everything is recorded into a run folder under
`runs`; `millirobot report runs/latest` shows it afterwards.
"""

from launch import LaunchDescription

from millirobot_adapt.bringup.launching.arguments import DRY_RUN, METHOD, MODEL, PORT, ROBOT_NAME, SEED, TRAJECTORY
from millirobot_adapt.bringup.launching.launch_file import Launch
from millirobot_adapt.bringup.processes import RECORDER, ROBOT


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    arguments = (ROBOT_NAME, PORT, TRAJECTORY, MODEL, METHOD, SEED, DRY_RUN)
    return Launch(__file__, (RECORDER, *ROBOT), arguments).describe()
