"""A serial port (also a pty), held by one program at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import select
import termios
import time

import serial
from serial.tools import list_ports

from firmware_bridge.transports import TransportLost
from millirobot_adapt.core.errors import UserError

WRITE_TIMEOUT = 0.2
"""A port that takes no bytes for this long counts as lost [s]."""
BUSY_PATIENCE, BUSY_RETRY = 1.0, 0.05
"""A port in use is retried for this long, with this much time between [s]: when a bridge is killed, its guardian keeps
the port while it stops the motors."""
_GONE = (OSError, serial.SerialException, termios.error)
_IN_USE = (errno.EBUSY, errno.EWOULDBLOCK, errno.EAGAIN)


class SerialPort:
    """A port opened for this program alone.

    It has two locks, because each leaves a gap: flock keeps out every program that uses it (pyserial, this one),
    TIOCEXCL every other program except root's.

    Raises:
        UserError: no such port, in use, not permitted, not a serial port.
    """

    def __init__(self, port: str, baud: int, patience: float = BUSY_PATIENCE) -> None:
        self._serial = _open(port, baud, patience)
        fcntl.ioctl(self._serial.fileno(), termios.TIOCEXCL)
        _set_low_latency(self._serial)

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, waiting at most `timeout` [s]; see `Transport.read`."""
        try:
            ready, _, _ = select.select([self._serial.fileno()], [], [], max(0.0, timeout))
            if not ready:
                return b''
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except _GONE as error:
            raise TransportLost(_one_line(error)) from None

    def write(self, data: bytes) -> None:
        """Send all of `data`; see `Transport.write`."""
        try:
            self._serial.write(data)
        except _GONE as error:
            raise TransportLost(_one_line(error)) from None

    def fileno(self) -> int:
        """Return the file descriptor; see `Transport.fileno`."""
        return int(self._serial.fileno())

    def close(self) -> None:
        """Close the port and release it for others."""
        if self._serial.is_open:
            with contextlib.suppress(OSError):  # the device may be gone, and the locks with it
                fcntl.ioctl(self._serial.fileno(), termios.TIOCNXCL)
                fcntl.flock(self._serial.fileno(), fcntl.LOCK_UN)
            self._serial.close()


def is_pseudo_terminal(port: str) -> bool:
    """Return whether a port is one end of a pseudo-terminal, with a program and no hardware behind it."""
    return os.path.realpath(port).startswith('/dev/pts/')


def known_ports() -> list[str]:
    """List the serial ports of this machine, stable by-id names first."""
    return sorted(glob.glob('/dev/serial/by-id/*')) + sorted(port.device for port in list_ports.comports())


def _open(port: str, baud: int, patience: float) -> serial.Serial:
    """Open a port; wait for one in use, at most this long [s]."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return serial.Serial(port, baud, timeout=0, write_timeout=WRITE_TIMEOUT, exclusive=True)
        except (serial.SerialException, termios.error) as error:
            if getattr(error, 'errno', None) not in _IN_USE or time.monotonic() >= deadline:
                raise UserError(_explain(port, error)) from None
        time.sleep(BUSY_RETRY)


def _set_low_latency(port: serial.Serial) -> None:
    """Ask an FTDI-like driver to pass on each byte at once (by default it waits up to 16 ms)."""
    # Drivers without such a mode refuse: ptys, most USB-CDC devices.
    with contextlib.suppress(ValueError, OSError, AttributeError, NotImplementedError):
        port.set_low_latency_mode(True)


def _explain(port: str, error: Exception) -> str:
    number = getattr(error, 'errno', None)
    if not os.path.exists(port):
        return f'port {port}: no such port; this machine has {", ".join(known_ports()) or "none"}'
    if number in _IN_USE:
        return f'port {port} is in use by another program; stop it first'
    if number in (errno.EACCES, errno.EPERM):
        return f'port {port}: permission denied; add yourself to the group that owns it (often dialout)'
    return f'port {port}: cannot be opened as a serial port ({_one_line(error)}); check its name'


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__
