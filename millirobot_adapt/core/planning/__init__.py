"""Pick the next action: planners, cost terms, reference paths."""
