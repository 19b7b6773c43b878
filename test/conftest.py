"""Fixtures shared by all tests, and the order in which parallel tests run."""

import logging
import os
import sys

import pytest
from domains import join_domain

try:
    from hypothesis import HealthCheck, settings
except ModuleNotFoundError:  # the Python of a ROS installation, which runs test/launch alone
    pass
else:
    # A busy machine is slow, and no test fails for that. Every run tries the same examples, so that a test which fails
    # fails again; `--hypothesis-profile explore` tries others each time.
    settings.register_profile('explore', deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile('same', settings.get_profile('explore'), derandomize=True)
    settings.load_profile('same')

YIELD_BY = 10
"""Niceness of tests that start no processes: a robot that walks in real time has right of way."""
WALKS = (
    'test/system/', 'test/launch/', 'test/firmware/test_fault_table.py', 'test/firmware_bridge/test_link_mock.py',
)  # fmt: skip
"""Where tests walk a robot in real time ..."""
STANDS = ('test/system/test_bad_input.py',)
"""... and where among them nothing walks."""
stepped_back = pytest.StashKey[bool]()


@pytest.fixture(autouse=True)
def our_loggers_propagate():
    """Let caplog hear our loggers where ROS is sourced: launch's pytest plugin has new loggers keep to themselves."""
    for name in [name for name in sys.modules if name.startswith(('millirobot_adapt.', 'firmware_bridge.'))]:
        logging.getLogger(name).propagate = True


@pytest.fixture
def domain(monkeypatch):
    """A ROS domain in which nothing else runs; this process joins it."""
    from millirobot_adapt.bringup.environment import local_environment, reserve_domain

    reserved = reserve_domain()
    join_domain(monkeypatch, local_environment(reserved.number))
    yield reserved
    reserved.release()


@pytest.hookimpl(hookwrapper=True)
def pytest_pycollect_makemodule(module_path, parent):
    """Skip one module alone where ROS is sourced: launch_testing imports each module to look for launch descriptions.

    A module that skips itself there, as PyTorch is missing, would end the collection of all others.
    """
    outcome = yield
    if outcome.excinfo is not None and issubclass(outcome.excinfo[0], pytest.skip.Exception):
        outcome.force_result(pytest.Module.from_parent(parent, path=module_path))


def _walks(nodeid):
    return nodeid.startswith(WALKS) and not nodeid.startswith(STANDS)


def pytest_collection_modifyitems(items):
    """Sort for parallel runs: robots that walk, then other real processes, then the rest."""
    items.sort(key=lambda item: (not _walks(item.nodeid), item.get_closest_marker('system') is None))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each file to one worker, and all that walk a robot to the same: one walks at a time."""
    from xdist.scheduler import LoadFileScheduling

    class OneWalkAtATime(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return 'walks' if _walks(nodeid) else super()._split_scope(nodeid)

    return OneWalkAtATime(config, log) if config.getoption('dist') == 'loadfile' else None


def pytest_runtest_setup(item):
    """Step back behind the real processes, once for good, when a worker has done its share of them."""
    parallel = 'PYTEST_XDIST_WORKER' in os.environ
    if parallel and item.get_closest_marker('system') is None and not item.config.stash.get(stepped_back, False):
        os.nice(YIELD_BY)
        item.config.stash[stepped_back] = True
