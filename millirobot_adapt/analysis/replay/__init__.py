"""Do a recorded run again: exactly as it was, or with something changed."""
