"""Look at what was recorded: replay, summary, report, compare."""
