"""Providers of `engine.provider` that are no part of the core; the command line lists them without loading anything."""

DEVICE_PROVIDERS = dict.fromkeys(('cuda', 'torch-cpu'), 'millirobot_adapt.device.device_provider')
"""Name of each, and the module that offers it (`provider.py`)."""
