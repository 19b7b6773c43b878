"""Fixtures shared by all tests."""

import logging

import pytest


@pytest.fixture(autouse=True)
def our_loggers_propagate():
    """Let caplog hear our loggers where ROS is sourced: launch's pytest plugin makes every new logger keep to itself."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.startswith(('millirobot_adapt', 'firmware_bridge')):
            logger.propagate = True
