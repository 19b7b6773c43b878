"""Describe to `ros2 launch` what the launch files start; the only place beside launch/ that knows ROS's launch."""
