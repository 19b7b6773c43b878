"""The serial transport on a real pty."""

import io
import os
import subprocess
import sys
import time

import pytest

from firmware_bridge.transports import TransportLost, serial_port
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.core.errors import UserError

OPEN_IT = """
import sys
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.core.errors import UserError
try:
    SerialPort(sys.argv[1], 57600)
except UserError as error:
    print(error)
"""


@pytest.fixture
def pty():
    """The far end (a raw file) and the name of a pty."""
    far, near = os.openpty()
    name = os.ttyname(near)
    os.close(near)
    with io.FileIO(far, 'r+') as file:
        yield file, name


@pytest.fixture
def port(pty):
    port = SerialPort(pty[1], 57600)
    yield port
    port.close()


def test_every_byte_passes_both_ways_unchanged(pty, port):
    every = bytes(range(256))
    pty[0].write(every)
    received = b''
    while len(received) < 256:
        piece = port.read(1.0)
        assert piece
        received += piece
    assert received == every
    port.write(every)
    assert pty[0].read(1000) == every


def test_reading_a_silent_line_returns_nothing(port):
    assert port.read(0.0) == b''
    assert port.read(0.001) == b''


def test_a_second_open_is_refused_until_the_first_is_closed(pty, port):
    with pytest.raises(UserError, match='in use by another program; stop it first'):
        SerialPort(pty[1], 57600, patience=0.0)
    port.close()
    SerialPort(pty[1], 57600, patience=0.0).close()


def test_a_port_that_is_given_back_soon_is_waited_for(pty, port, monkeypatch):
    """As after a bridge was killed: its guardian keeps the port while it stops the motors."""
    waits = []
    monkeypatch.setattr(time, 'sleep', lambda seconds: waits.append(seconds) or len(waits) < 3 or port.close())
    SerialPort(pty[1], 57600, patience=60.0).close()
    assert waits == [serial_port.BUSY_RETRY] * 3


def test_a_second_process_is_refused(pty, port):
    run = subprocess.run(
        [sys.executable, '-c', OPEN_IT, pty[1]], capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout.strip() == f'port {pty[1]} is in use by another program; stop it first'


def test_a_port_that_does_not_exist_is_a_users_mistake():
    with pytest.raises(UserError, match=r'port /dev/ttyNOPE: no such port; this machine has '):
        SerialPort('/dev/ttyNOPE', 57600)


def test_a_file_is_no_port():
    with pytest.raises(UserError, match='cannot be opened as a serial port'):
        SerialPort(__file__, 57600)


def test_a_port_that_vanishes_is_lost_for_reading_writing_and_closes_quietly(pty, port):
    pty[0].close()
    with pytest.raises(TransportLost):
        port.read(0.1)
    with pytest.raises(TransportLost):
        port.write(b'x')
    port.close()
    port.close()


def test_a_port_that_takes_no_bytes_is_lost(port):
    with pytest.raises(TransportLost):
        port.write(bytes(1_000_000))
