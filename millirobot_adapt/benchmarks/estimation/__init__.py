"""Measure the estimators: errors, delay, honesty of the covariance, faults of motion capture, real logs."""
