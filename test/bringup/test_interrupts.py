"""The death of the program that started this one, and signals that the parent had ignored."""

import os
import signal
import subprocess
import sys

from millirobot_adapt.bringup.interrupts import Interrupts


def test_the_death_of_the_parent_counts_as_a_signal():
    with Interrupts(parent=os.getppid()) as interrupts:
        assert not interrupts.requested
    with Interrupts(parent=1 if os.getppid() != 1 else 2) as interrupts:
        assert interrupts.abandoned
        assert interrupts.requested


def test_under_nohup_the_end_of_the_terminal_is_nothing_but_ctrl_c_still_counts():
    source = """
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
from millirobot_adapt.bringup.interrupts import Interrupts, die_at_once
die_at_once()
with Interrupts() as interrupts:
    os.kill(os.getpid(), signal.SIGHUP)
    print(interrupts.requested)
    os.kill(os.getpid(), signal.SIGINT)
    print(interrupts.requested)
"""
    answer = subprocess.run([sys.executable, '-c', source], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ['False', 'True']


def test_before_anything_has_been_started_a_signal_ends_a_program_without_a_word():
    source = """
import os, signal, sys
from millirobot_adapt.bringup.interrupts import die_at_once
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and stays so
die_at_once()
os.kill(os.getpid(), int(sys.argv[1]))
"""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        answer = subprocess.run(
            [sys.executable, '-c', source, str(int(number))], capture_output=True, text=True, check=False
        )
        assert (answer.returncode, answer.stdout, answer.stderr) == (-number, '', '')
