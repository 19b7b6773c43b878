"""Cost terms, one a file; the YAML list of weights is the objective."""
