"""The supervisor with small stand-ins for the nodes."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from millirobot_adapt.bringup.process_guardian import listed
from millirobot_adapt.bringup.supervisor import Supervisor

# Says that it is ready, then waits; on SIGINT it writes its name into the file `order` and ends.
POLITE = """
import signal, sys
def leave(*_):
    with open(sys.argv[1], 'a') as order:
        order.write(sys.argv[2] + '\\n')
    sys.exit(0)
signal.signal(signal.SIGINT, leave)
print('ready', flush=True)
while True:
    signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
while True:
    signal.pause()
"""
PARENT = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])
print('child', child.pid, flush=True)
while True:
    signal.pause()
"""
FAILS = """
import sys
print('starting', flush=True)
print('error: no such port', file=sys.stderr)
sys.exit(2)
"""
QUICK = ((signal.SIGINT, 5.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 0.0))
IMPATIENT = ((signal.SIGINT, 0.05), (signal.SIGTERM, 0.05), (signal.SIGKILL, 0.0))


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, 'waited too long'
        time.sleep(0.005)


def alive(pid):
    """A zombie that nobody has reaped yet is not alive."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


@pytest.fixture
def make(tmp_path):
    made = []

    def make(**options):
        supervisor = Supervisor(tmp_path, dict(os.environ), **{'grace': QUICK, **options})
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.stop()


def start(supervisor, name, source, *arguments):
    pid = supervisor.start(name, [sys.executable, '-c', source, *arguments])
    wait_for(lambda: supervisor.log(name).read_text() or supervisor.ended())
    return pid


def test_processes_end_in_the_waves_asked_for_and_the_rest_after_them(make, tmp_path):
    order = tmp_path / 'order'
    supervisor = make(stop_order=[['controller', 'teleop'], ['bridge']])
    pids = [start(supervisor, name, POLITE, str(order), name) for name in ('mock', 'bridge', 'controller', 'recorder')]
    assert supervisor.ended() is None
    assert supervisor.running('mock')
    supervisor.stop()
    ended = order.read_text().split()
    assert ended[:2] == ['controller', 'bridge']
    assert sorted(ended[2:]) == ['mock', 'recorder'], 'together'
    assert not any(alive(pid) for pid in pids)
    assert not supervisor.running('mock')


def test_a_process_that_ends_by_itself_is_named_with_its_last_words(make):
    supervisor = make()
    start(supervisor, 'bridge', FAILS)
    wait_for(supervisor.ended)
    ended = supervisor.ended()
    assert (ended.name, ended.code) == ('bridge', 2)
    assert str(ended) == 'bridge exited with 2: error: no such port'


def test_a_killed_process_is_named_with_the_signal(make):
    supervisor = make()
    pid = start(supervisor, 'mock', STUBBORN)
    os.kill(pid, signal.SIGKILL)
    wait_for(supervisor.ended)
    assert 'mock was killed by SIGKILL' in str(supervisor.ended())


def test_a_process_that_ignores_signals_is_killed(make):
    supervisor = make(grace=IMPATIENT)
    pid = start(supervisor, 'stubborn', STUBBORN)
    supervisor.stop()
    assert not alive(pid)


def test_children_of_a_process_end_with_it(make):
    supervisor = make(grace=IMPATIENT)
    start(supervisor, 'parent', PARENT)
    wait_for(lambda: 'ready' in supervisor.log('parent').read_text())
    child = int(supervisor.log('parent').read_text().split('child ')[1].split()[0])
    assert alive(child)
    supervisor.stop()
    wait_for(lambda: not alive(child))


def test_stopping_twice_does_nothing_more(make, tmp_path):
    order = tmp_path / 'order'
    supervisor = make()
    start(supervisor, 'a', POLITE, str(order), 'a')
    supervisor.stop()
    supervisor.stop()
    assert order.read_text().split() == ['a']


def test_an_error_inside_the_block_stops_everything(make, tmp_path):
    supervisor = make()
    pid = start(supervisor, 'a', POLITE, str(tmp_path / 'order'), 'a')
    with pytest.raises(RuntimeError, match='oops'), supervisor:
        raise RuntimeError('oops')
    assert not alive(pid)


def test_nothing_outlives_a_supervisor_that_is_killed_outright(tmp_path):
    source = f"""
        import os, pathlib, signal, sys
        from millirobot_adapt.bringup.supervisor import Supervisor
        supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), dict(os.environ))
        print(supervisor.start('a', [sys.executable, '-c', {POLITE!r}, {str(tmp_path / 'order')!r}, 'a']), flush=True)
        signal.pause()
    """
    program = subprocess.Popen([sys.executable, '-c', textwrap.dedent(source)], stdout=subprocess.PIPE, text=True)
    pid = int(program.stdout.readline())
    wait_for(lambda: (tmp_path / 'a.log').read_text())
    program.kill()
    program.wait()
    wait_for(lambda: not alive(pid))
    assert (tmp_path / 'order').read_text() == 'a\n', 'asked first, not killed at once'


def test_what_a_killed_supervisor_leaves_ends_in_the_same_waves_and_its_scratch_folder_goes(tmp_path):
    order, scratch = tmp_path / 'order', tmp_path / 'scratch'
    scratch.mkdir()
    source = f"""
        import os, pathlib, signal, sys
        from millirobot_adapt.bringup.supervisor import Supervisor
        supervisor = Supervisor(
            pathlib.Path({str(tmp_path)!r}), dict(os.environ), [['b'], ['a']], scratch=pathlib.Path({str(scratch)!r})
        )
        for name in ('a', 'b'):
            supervisor.start(name, [sys.executable, '-c', {POLITE!r}, {str(order)!r}, name])
        print('started', flush=True)
        signal.pause()
    """
    program = subprocess.Popen([sys.executable, '-c', textwrap.dedent(source)], stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == 'started\n'
    wait_for(lambda: all((tmp_path / f'{name}.log').read_text() for name in 'ab'))
    program.kill()
    program.wait()
    wait_for(lambda: not scratch.exists())
    assert order.read_text().split() == ['b', 'a']


def test_a_guardian_that_was_ended_is_replaced_and_knows_what_runs(make, tmp_path):
    supervisor = make()
    start(supervisor, 'a', POLITE, str(tmp_path / 'order'), 'a')
    first = supervisor.guardian_pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: supervisor.ended() is None and supervisor.guardian_pid != first)
    assert alive(supervisor.guardian_pid)
    supervisor.stop()
    assert not alive(supervisor.guardian_pid)


def test_a_process_that_knows_signals_starts_with_them_waiting(make, tmp_path):
    """Ctrl-C during its imports neither is lost nor ends in a traceback."""
    supervisor = make()
    source = """
import signal
print('ready', flush=True)
while signal.SIGINT not in signal.sigpending():
    pass
print('waiting', flush=True)
from millirobot_adapt.bringup.interrupts import die_at_once
die_at_once()
print('not reached', flush=True)
"""
    pid = supervisor.start('slow', [sys.executable, '-c', source], knows_signals=True)
    wait_for(lambda: supervisor.log('slow').read_text())
    os.kill(pid, signal.SIGINT)
    wait_for(supervisor.ended)
    assert supervisor.ended().code == -signal.SIGINT
    assert supervisor.log('slow').read_text().split() == ['ready', 'waiting']


def test_the_guardian_forgets_what_has_ended():
    lines = ['+11 0\n', '+12 1\n', '-11\n', '~/tmp/x\n', '+13 1\n', '-99\n', '+1']
    assert listed(lines) == ({12: 1, 13: 1}, [Path('/tmp/x')])
