"""How bytes reach the radio: several transports behind one small protocol."""

from __future__ import annotations

from typing import Protocol


class TransportLost(Exception):  # noqa: N818 - it names an event, not a mistake
    """The other end is gone: unplugged, closed, or no longer taking bytes. The transport must be reopened."""


class Transport(Protocol):
    """A two-way stream of bytes, open from its construction until `close`."""

    def read(self, timeout: float) -> bytes:
        """Return the bytes that have arrived, waiting at most `timeout` [s] for the first; b'' when none came.

        Raises:
            TransportLost: the other end is gone.
        """

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            TransportLost: the other end is gone, or takes no bytes.
        """

    def fileno(self) -> int | None:
        """Return the file descriptor that a guardian may also write to; None where there is none."""

    def close(self) -> None:
        """Close the stream; closing twice is harmless."""
