"""The mock: a MuJoCo hexapod with its microcontroller, radio and motion capture."""
