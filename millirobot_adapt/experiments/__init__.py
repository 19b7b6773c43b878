"""Compare methods under conditions, in lock-step with the simulator."""
