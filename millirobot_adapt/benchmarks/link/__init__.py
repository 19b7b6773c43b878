"""Measure the link: what every fault does to it, round trips, processor time."""
