"""Ctrl-C in the terminal at many moments of the start, once or twice: no traceback, no process, no misleading error.

The moments are counted from launch's first line: before it, Python still imports ros2's own modules, and a Ctrl-C then
ends in ros2's own traceback, with nothing of ours begun.
"""

import contextlib
import os
import pty
import select
import signal
import time

import pytest
from launch_steps import arguments_of, processes_of

pytestmark = pytest.mark.system

MOMENTS = [0.0, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 4.5, 6.0, 9.0]
"""Time after launch's first line [s]."""


@pytest.mark.parametrize('times', [1, 2])
@pytest.mark.parametrize('moment', MOMENTS)
def test_ctrl_c_at_any_moment_of_the_start_ends_everything_quietly(own_domain, tmp_path, moment, times):
    words = [f'{key}:={value}' for key, value in arguments_of('sim', tmp_path).items()]
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvp('ros2', ['ros2', 'launch', 'millirobot_adapt', 'sim.launch.py', *words])
    said, pressed, first, code = b'', 0, None, None
    deadline = time.monotonic() + 120.0
    while code is None:
        assert time.monotonic() < deadline, said.decode(errors='replace')
        if select.select([screen], [], [], 0.01)[0]:
            with contextlib.suppress(OSError):  # it has ended
                said += os.read(screen, 65536)
        if first is None and b'All log files' in said:
            first = time.monotonic()
        if first is not None and pressed < times and time.monotonic() > first + moment + 0.3 * pressed:
            os.write(screen, b'\x03')  # as the terminal turns it into SIGINT for everybody in front
            pressed += 1
        ended, status = os.waitpid(pid, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if ended else None
    os.close(screen)
    text = said.decode(errors='replace')
    assert 'Traceback' not in text
    assert code in (0, -signal.SIGINT), text  # the second may meet a launch that has just given its handlers back
    assert processes_of(tmp_path) == {}
