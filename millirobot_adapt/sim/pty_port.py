"""A pseudo-terminal that looks like the serial port of an XBee."""

from __future__ import annotations

import contextlib
import os
import select
import time
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
        self.dropped = 0
        """Bytes that found no room because no client reads, or no port to go to."""
        self._plug_in()

    @property
    def present(self) -> bool:
        """Tell whether the port is there, see `vanish`."""
        return self._ours is not None

    def read(self, timeout: float) -> bytes:
        """Return what the client has written, waiting for up to `timeout` [s]; empty if nothing came."""
        if self._ours is None:
            time.sleep(max(0.0, timeout))
            return b''
        if not select.select([self._ours], [], [], max(0.0, timeout))[0]:
            return b''
        return os.read(self._ours, CHUNK)

    def write(self, data: bytes) -> None:
        """Give the client bytes; what finds no room is dropped, as a serial line does."""
        written = 0
        if self._ours is not None:
            with contextlib.suppress(BlockingIOError):
                written = os.write(self._ours, data)
        self.dropped += len(data) - written

    def vanish(self) -> None:
        """Take the port away, as when the dongle is pulled: the client's reads and writes fail, the link is gone."""
        if self._ours is None:
            return
        if self.path.is_symlink() and os.readlink(self.path) == self._device:
            self.path.unlink()
        self._close_both()

    def come_back(self) -> None:
        """Bring a port that has vanished back under its path; what it held is lost.

        Raises:
            UserError: as when it was made.
        """
        if self._ours is None:
            self._plug_in()

    def close(self) -> None:
        """Close the pty and remove the link, if it is still ours."""
        self.vanish()

    def _plug_in(self) -> None:
        # The client's end stays open here too, or the pty would hang up (EIO) whenever the client closes it.
        self._ours: int | None
        self._ours, self._clients = os.openpty()
        tty.setraw(self._clients)
        os.set_blocking(self._ours, False)
        self._device = os.ttyname(self._clients)
        try:
            if self.path.is_symlink():
                self.path.unlink()  # left behind by a mock that was killed
            self.path.symlink_to(self._device)
        except OSError as error:
            self._close_both()
            raise UserError(
                f'{self.path}: cannot be made a link to the mock port ({error.strerror}); give another port'
            ) from None

    def _close_both(self) -> None:
        if self._ours is not None:
            os.close(self._ours)
            os.close(self._clients)
            self._ours = None
