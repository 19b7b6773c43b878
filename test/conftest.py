"""Fixtures shared by all tests."""

import logging

import pytest


@pytest.fixture(autouse=True)
def our_loggers_propagate():
    """Let caplog hear our loggers where ROS is sourced: launch's pytest plugin has new loggers keep to themselves."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.startswith(('millirobot_adapt', 'firmware_bridge')):
            logger.propagate = True
