"""The command `millirobot`: its commands, the demo, the doctor."""
