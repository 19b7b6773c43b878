"""Describe to `ros2 launch` what the launch files start; the only place beside launch/ that knows ROS's launch.

It runs on the system's Python, which has ROS and rarely our dependencies: it may import the standard library, ROS's
launch, and modules of ours that keep to the same (test_walls.py holds it).
"""
