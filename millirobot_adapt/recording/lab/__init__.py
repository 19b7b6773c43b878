"""Turn the lab's own logs into bags."""
