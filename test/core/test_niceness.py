"""Right of way on the processor."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from millirobot_adapt.core import niceness
from millirobot_adapt.core.niceness import take_niceness

THREADS = """
import os, sys, threading
from pathlib import Path
from millirobot_adapt.core.niceness import take_niceness

begun, end = threading.Barrier(3), threading.Event()
for _ in range(2):
    threading.Thread(target=lambda: (begun.wait(), end.wait()), daemon=True).start()
begun.wait()
taken = take_niceness(int(sys.argv[1]))
print(taken, *(os.getpriority(os.PRIO_PROCESS, int(each.name)) for each in Path('/proc/self/task').iterdir()))
print(Path('/proc/self/autogroup').read_text() if Path('/proc/self/autogroup').exists() else 'nice 7')
"""


@pytest.mark.skipif(not os.path.isdir('/proc/self/task'), reason='this is not Linux')
def test_every_thread_takes_it_and_the_session_as_well():
    asked = max(7, os.getpriority(os.PRIO_PROCESS, 0))
    answer = subprocess.run(
        [sys.executable, '-c', THREADS, str(asked)], capture_output=True, text=True, check=True, start_new_session=True
    )
    threads, session = answer.stdout.splitlines()[:2]
    assert threads.split() == ['True', *[str(asked)] * 3]
    assert session.split()[-1] in (str(asked), '7')


def test_a_system_that_forbids_it_changes_nothing(monkeypatch):
    def forbid(which, who, value):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(niceness.os, 'setpriority', forbid)
    assert not take_niceness(-10)


def test_a_thread_that_ends_meanwhile_keeps_no_other_from_it(monkeypatch):
    asked = []

    def ends(which, who, value):
        asked.append(who)
        raise ProcessLookupError(3, 'No such process')

    monkeypatch.setattr(niceness.os, 'setpriority', ends)
    monkeypatch.setattr(niceness.os, 'getsid', lambda process: -1)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        assert take_niceness(-10)
    assert len(asked) > 1


def test_zero_asks_for_nothing(monkeypatch):
    monkeypatch.setattr(niceness.os, 'setpriority', lambda *_: pytest.fail('it asked'))
    assert take_niceness(0)
