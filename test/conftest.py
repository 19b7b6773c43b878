"""Fixtures shared by all tests."""

import logging

import pytest


@pytest.fixture(autouse=True)
def our_loggers_propagate():
    """Let caplog hear our loggers where ROS is sourced: launch's pytest plugin stops new loggers from propagating."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.startswith(('millirobot_adapt', 'firmware_bridge')):
            logger.propagate = True
