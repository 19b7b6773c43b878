"""The progress line, and signals."""

import io
import os
import signal

import numpy as np

from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.run_progress import RunProgress
from millirobot_adapt.core.control.tick_record import TickRecord


class Terminal(io.StringIO):
    def isatty(self):
        return True


def tick(number, **values):
    record = TickRecord.without_state(number, 100.0 + 0.1 * number, 0, np.zeros(2), nx=24)
    return TickRecord(**{**vars(record), **values})


def test_without_a_terminal_a_line_comes_every_few_seconds():
    out = io.StringIO()
    progress = RunProgress(10.0, out)
    for number in range(100):
        progress.update([tick(number, work_ms=20.0, pre_error=0.9, post_error=0.6, cross_track=-0.021)])
    progress.close()
    lines = out.getvalue().splitlines()
    assert [line.split('/')[0].strip() for line in lines] == ['0.0', '5.0']
    assert lines[1] == ' 5.0/10 s off path  2.1 cm  tick p99  20 ms  prediction error 0.90 -> 0.60'


def test_on_a_terminal_one_line_moves():
    out = Terminal()
    progress = RunProgress(10.0, out)
    for number in range(30):
        progress.update([tick(number, work_ms=20.0, cross_track=0.05)])
    progress.close()
    assert '\n' not in out.getvalue().rstrip()
    assert 'off path  5.0 cm' in out.getvalue()


def test_a_tick_without_numbers_is_shown_without_numbers():
    out = io.StringIO()
    RunProgress(10.0, out).update([tick(0)])
    assert out.getvalue() == ' 0.0/10 s off path  ? cm\n'


def test_signals_are_noted_while_open_and_go_their_old_way_after():
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        assert not interrupts.requested
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert interrupts.requested
    assert signal.getsignal(signal.SIGINT) is before
