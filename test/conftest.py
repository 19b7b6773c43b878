"""Fixtures shared by all tests."""

import logging

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure of the code.
settings.register_profile('any_machine', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('any_machine')


@pytest.fixture(autouse=True)
def our_loggers_propagate():
    """Let caplog hear our loggers where ROS is sourced: launch's pytest plugin stops new loggers from propagating."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.startswith(('millirobot_adapt', 'firmware_bridge')):
            logger.propagate = True
