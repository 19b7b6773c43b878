"""A pseudo-terminal that looks like the serial port of an XBee."""

from __future__ import annotations

import contextlib
import os
import select
import tty
from pathlib import Path

from millirobot_adapt.core.errors import UserError

CHUNK = 4096
"""Bytes read at once."""


class PtyPort:
    """Open a pty and make `path` a link to it; clients may open and close it as they like.

    Raises:
        UserError: `path` exists and is no link, or its folder is missing or not writable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # The client's end stays open here too, or the pty would hang up (EIO) whenever the client closes it.
        self._ours, self._clients = os.openpty()
        tty.setraw(self._clients)
        os.set_blocking(self._ours, False)
        self._device = os.ttyname(self._clients)
        self.dropped = 0
        """Bytes that found no room because no client reads."""
        try:
            if path.is_symlink():
                path.unlink()  # left behind by a mock that was killed
            path.symlink_to(self._device)
        except OSError as error:
            self._close_both()
            raise UserError(
                f'{path}: cannot be made a link to the mock port ({error.strerror}); give another port'
            ) from None

    def read(self, timeout: float) -> bytes:
        """Return what the client has written, waiting for up to `timeout` [s]; empty if nothing came."""
        if not select.select([self._ours], [], [], max(0.0, timeout))[0]:
            return b''
        return os.read(self._ours, CHUNK)

    def write(self, data: bytes) -> None:
        """Give the client bytes; what finds no room is dropped, as a serial line does."""
        written = 0
        with contextlib.suppress(BlockingIOError):
            written = os.write(self._ours, data)
        self.dropped += len(data) - written

    def close(self) -> None:
        """Close the pty and remove the link, if it is still ours."""
        if self.path.is_symlink() and os.readlink(self.path) == self._device:
            self.path.unlink()
        self._close_both()

    def _close_both(self) -> None:
        os.close(self._ours)
        os.close(self._clients)
