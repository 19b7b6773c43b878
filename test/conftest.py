"""Fixtures shared by all tests."""

import logging
import sys

import pytest


@pytest.fixture(autouse=True)
def our_loggers_propagate():
    """Let caplog hear our loggers where ROS is sourced: launch's pytest plugin has new loggers keep to themselves."""
    for name in [name for name in sys.modules if name.startswith(('millirobot_adapt.', 'firmware_bridge.'))]:
        logging.getLogger(name).propagate = True
