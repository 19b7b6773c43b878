"""One thin ROS 2 node a file: declare parameters, convert, call the core, publish."""
