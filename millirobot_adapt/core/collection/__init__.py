"""Collect data: the random policy, and who may drive when."""
