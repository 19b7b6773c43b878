"""Ctrl-C in the terminal at many moments of the start, once or twice: no traceback, no process, no misleading error.

The moments are counted from the line with which launch begins to listen for signals: what a Ctrl-C before it meets is
launch's own, and nothing of ours has begun.
"""

import signal
import time

import pytest
from launch_steps import in_terminal

from millirobot_adapt.benchmarks.link.launch_deaths import MOMENTS
from millirobot_adapt.benchmarks.link.launched_robot import FIRST_LINE, processes_of

pytestmark = pytest.mark.system


@pytest.mark.parametrize('times', [1, 2])
@pytest.mark.parametrize('moment', MOMENTS)
def test_ctrl_c_at_any_moment_of_the_start_ends_everything_quietly(own_domain, tmp_path, moment, times):
    pressed, first = 0, None
    deadline = time.monotonic() + 120.0
    with in_terminal('sim', tmp_path) as terminal:
        while not terminal.ended():
            assert time.monotonic() < deadline, terminal.text
            terminal.read(0.01)
            if first is None and FIRST_LINE in terminal.said:
                first = time.monotonic()
            if first is not None and pressed < times and time.monotonic() > first + moment + 0.3 * pressed:
                terminal.press_ctrl_c()
                pressed += 1
        terminal.read()
        assert 'Traceback' not in terminal.text
        # The second may meet a launch that has just given its handlers back.
        assert terminal.code in (0, -signal.SIGINT), terminal.text
        assert processes_of(tmp_path) == {}
