"""Play a recorded run through the estimator, to watch it again or to try settings of the estimator on it.

    ros2 launch millirobot_adapt replay.launch.py bag:=runs/latest rviz:=true

What motion capture and robot sent comes at its pace with its stamps moved to the present; the estimator works on it as
in a live run, and the launch ends with the bag. Nothing is sent to a robot. This needs no storage plugin, and finds the
topics of a bag in whatever namespace it was recorded, which `ros2 bag play` does not. What a planner would have decided
is another question: `millirobot replay`.
"""

from launch import LaunchDescription

from millirobot_adapt.bringup.launching.launch_file import describe


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    return describe('replay')
