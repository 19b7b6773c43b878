"""The serial guardian, as a real process over a real pty."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import time
import tty

import pytest

from firmware_bridge.guardian import DEAF_AFTER, SerialGuardian
from firmware_bridge.transports.serial_port import SerialPort

WORDS = b'zero and off'
TIOCGEXCL = 0x80045440
"""Reads whether a terminal is closed to further opening (Linux, ioctl_tty(2))."""
SOON = 10.0
"""A busy machine may take so long for what needs milliseconds [s]."""


class Line:
    """Both ends of a pty: `port` is the bridge's, `hear` reads what reaches the radio."""

    def __init__(self):
        self.far, self.near = os.openpty()
        tty.setraw(self.near)
        self.name = os.ttyname(self.near)
        self.port = SerialPort(self.name, 57600)
        os.set_blocking(self.far, False)

    def hear(self):
        try:
            return os.read(self.far, 4096)
        except BlockingIOError:
            return b''

    @property
    def exclusive(self):
        return struct.unpack('i', fcntl.ioctl(self.near, TIOCGEXCL, bytes(4)))[0]


@pytest.fixture
def line():
    line = Line()
    yield line
    line.port.close()
    os.close(line.far)
    os.close(line.near)


def wait_for(condition):
    deadline = time.monotonic() + SOON
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return value


@pytest.fixture
def guardian(line):
    """A guardian that has started to listen."""
    guardian = SerialGuardian(line.port.fileno(), WORDS, 0.1)
    yield guardian
    guardian.close()


def test_it_speaks_once_the_heartbeats_cease_and_says_so(line, guardian):
    guardian.beat(motors_on=True)
    assert wait_for(line.hear).startswith(WORDS)
    assert wait_for(guardian.trouble) == 'the serial guardian has stopped the motors: the link was silent'
    assert guardian.trouble() is None


def test_it_repeats_its_words(line, guardian):
    guardian.beat(motors_on=True)
    heard = bytearray()
    wait_for(lambda: heard.extend(line.hear()) or heard.count(WORDS) >= 3)


def test_silence_means_nothing_while_the_motors_are_off(line):
    quiet = SerialGuardian(line.port.fileno(), WORDS, 0.5)
    quiet.beat(motors_on=True)
    quiet.beat(motors_on=False)
    other = SerialGuardian(line.port.fileno(), b'later', 1.0)  # tells when the first one would have spoken
    other.beat(motors_on=True)
    heard = bytearray()
    wait_for(lambda: heard.extend(line.hear()) or b'later' in heard)
    assert WORDS not in heard
    assert quiet.trouble() is None
    quiet.close()
    other.close()


def test_after_its_words_it_watches_again_with_the_next_heartbeat(line, guardian):
    for _ in range(2):
        guardian.beat(motors_on=True)
        assert wait_for(guardian.trouble)
    assert wait_for(line.hear)


def test_sent_away_it_leaves_without_a_word_and_gives_the_port_back(line, guardian):
    guardian.beat(motors_on=True)
    guardian.close()
    guardian.close()
    assert line.hear() == b''
    line.port.close()
    assert not line.exclusive
    SerialPort(line.name, 57600).close()


def test_its_death_is_noticed(guardian):
    os.kill(guardian.pid, signal.SIGKILL)
    assert wait_for(guardian.trouble) == 'the serial guardian has died'
    guardian.beat(motors_on=True)


def test_one_that_is_stopped_is_noticed_and_ended(line):
    now = [0.0]
    guardian = SerialGuardian(line.port.fileno(), WORDS, 60.0, lambda: now[0])
    guardian.beat(motors_on=True)
    wait_for(lambda: guardian.trouble() is None and guardian.answered)
    os.kill(guardian.pid, signal.SIGSTOP)
    guardian.beat(motors_on=True)
    now[0] += DEAF_AFTER
    assert guardian.trouble() is None
    now[0] += 0.1
    assert guardian.trouble() == 'the serial guardian did not answer'
    guardian.close()
    assert ended(guardian.pid)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_meant_for_the_bridge_do_not_end_it(line, guardian, number):
    guardian.beat(motors_on=True)
    assert wait_for(guardian.trouble)  # so it runs, and ignores signals
    os.kill(guardian.pid, number)
    guardian.beat(motors_on=True)
    assert wait_for(guardian.trouble) == 'the serial guardian has stopped the motors: the link was silent'


BRIDGE = """
import os, sys, time
from firmware_bridge.guardian import SerialGuardian
from firmware_bridge.transports.serial_port import SerialPort
port = SerialPort(sys.argv[1], 57600)
guardian = SerialGuardian(port.fileno(), b'zero and off', 60.0)
guardian.beat(motors_on=sys.argv[2] == 'on')
port.write(b'half a frame')
print(guardian.pid, flush=True)
time.sleep(60)
"""


def killed_bridge(line, motors):
    """Run a program with a port and a guardian, kill it outright and return the guardian's process id."""
    line.port.close()
    program = subprocess.Popen(
        [sys.executable, '-c', BRIDGE, line.name, motors], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip
    guardian = int(program.stdout.readline())
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    program.stdout.close()
    return guardian


def ended(pid):
    """A zombie has ended too: nobody may be there to reap an orphan."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


def test_the_motors_of_a_bridge_killed_outright_are_stopped_and_the_port_is_free_again(line):
    pid = killed_bridge(line, 'on')
    heard = bytearray()
    wait_for(lambda: heard.extend(line.hear()) or heard.startswith(b'half a frame' + WORDS))
    assert line.exclusive
    wait_for(lambda: ended(pid))
    assert not line.exclusive
    SerialPort(line.name, 57600).close()


def test_a_bridge_killed_with_its_motors_off_leaves_nothing_to_say(line):
    pid = killed_bridge(line, 'off')
    wait_for(lambda: ended(pid))
    assert line.hear() == b'half a frame'
