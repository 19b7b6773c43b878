"""Record, read, import, replay and report."""
