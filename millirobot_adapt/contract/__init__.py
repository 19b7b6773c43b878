"""What processes tell each other: topics, typed states, records, and their codecs; no ROS import."""
