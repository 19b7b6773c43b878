"""Start the same with the mock robot.

    ros2 launch millirobot_adapt sim.launch.py condition:=leg_loss trajectory:=figure8

Mock and bridge meet at a port in the run folder, so that several may walk side by side: namespace:=robot1.
"""

from launch import LaunchDescription

from millirobot_adapt.bringup.launching.arguments import CONDITION, METHOD, MODEL, ROBOT_NAME, SEED, TRAJECTORY
from millirobot_adapt.bringup.launching.launch_file import Launch
from millirobot_adapt.bringup.processes import MOCK_FENCE, SIMULATION


def generate_launch_description() -> LaunchDescription:
    """Describe what can be chosen, and what starts then."""
    arguments = (ROBOT_NAME, CONDITION, TRAJECTORY, MODEL, METHOD, SEED)
    fences = {'bridge': {'gate.fence': MOCK_FENCE}, 'controller': {'objective.fence_corners': MOCK_FENCE}}
    return Launch(__file__, SIMULATION, arguments, fences).describe()
