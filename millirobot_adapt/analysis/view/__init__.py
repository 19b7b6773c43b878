"""Show runs in Rerun, recorded or live."""
