"""A transport that can be reopened, with the guardian that watches over it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from firmware_bridge.guardian import Guardian
from firmware_bridge.transports import Transport, TransportLost


class GuardedPort:
    """Open a transport and start a guardian that writes `last_words` to it when this process falls silent.

    `guard` starts a guardian for a file descriptor with the bytes that it is to write; without `guard`, or for a
    transport without a descriptor, there is none.
    """

    def __init__(
        self, opener: Callable[[], Transport], last_words: bytes, guard: Callable[[int, bytes], Guardian] | None
    ) -> None:
        self.last_words = last_words
        self._opener = opener
        self._guard = guard
        self._guardian: Guardian | None = None
        self._transport: Transport | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether there is a transport."""
        return self._transport is not None

    @property
    def transport(self) -> Transport:
        """The open transport.

        Raises:
            TransportLost: it is closed.
        """
        if self._transport is None:
            raise TransportLost('the link is closed')
        return self._transport

    def open(self) -> None:
        """Open the transport and start its guardian.

        Raises:
            UserError: the port does not exist, is in use, ...
            TransportLost: the guardian cannot be started.
        """
        self.close()
        self._transport = self._opener()
        self._set_guardian()

    def close(self) -> None:
        """End the guardian and close the transport; nothing is sent."""
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def write_last_words(self) -> None:
        """Send the last words without waiting for an answer, if the transport still takes bytes."""
        if self._transport is not None:
            with contextlib.suppress(TransportLost):
                self._transport.write(self.last_words)

    def beat(self, motors_on: bool) -> None:
        """Tell the guardian that the thread of the link is alive, and whether the motors may be on."""
        if self._guardian is not None:
            self._guardian.beat(motors_on)

    def trouble(self) -> str | None:
        """Return what the guardian has done or what has happened to it; a dead one is replaced.

        Raises:
            TransportLost: it cannot be replaced.
        """
        trouble = None if self._guardian is None else self._guardian.trouble()
        if trouble is not None and self._guardian is not None:
            self._guardian.close()
            self._set_guardian()
        return trouble

    def _set_guardian(self) -> None:
        descriptor = None if self._guard is None or self._transport is None else self._transport.fileno()
        if self._guard is not None and descriptor is not None:
            self._guardian = self._guard(descriptor, self.last_words)
