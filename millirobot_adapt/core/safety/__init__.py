"""Decide, as the last thing before the bytes, what may be sent to the robot."""
