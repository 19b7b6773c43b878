"""Turn motion capture and telemetry into the state of one instant."""
