"""Describe, start, watch and stop the processes of a live run."""
