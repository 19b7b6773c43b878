"""The robot: its description, its state vector, and the samples that come from it."""
