"""Measure what the parts of a run are good for: the link, the estimation."""
