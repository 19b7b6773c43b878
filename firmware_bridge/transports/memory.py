"""A transport without a device: a peer in the same process answers, in the time of a ManualClock."""

from __future__ import annotations

import heapq
from typing import Protocol

from firmware_bridge.clock import ManualClock
from firmware_bridge.transports import TransportLost


class Peer(Protocol):
    """The other end of a MemoryTransport."""

    def receive(self, data: bytes) -> list[tuple[float, bytes]]:
        """Take bytes; return answers, each as (delay [s], bytes)."""


class MemoryTransport:
    """Carry bytes to a peer at once, and its answers back after their delay. Reading moves the clock; nothing waits."""

    def __init__(self, peer: Peer, clock: ManualClock) -> None:
        self._peer = peer
        self._clock = clock
        self._coming: list[tuple[float, int, bytes]] = []
        self._count = 0
        self.lost = False
        """Set to make every further read and write raise TransportLost."""

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, moving the clock at most `timeout` [s]; see `Transport.read`."""
        self._check()
        deadline = self._clock.steady() + max(0.0, timeout)
        if not self._coming or self._coming[0][0] > deadline:
            self._clock.sleep(deadline - self._clock.steady())
            return b''
        self._clock.sleep(self._coming[0][0] - self._clock.steady())
        data = b''
        while self._coming and self._coming[0][0] <= self._clock.steady():
            data += heapq.heappop(self._coming)[2]
        return data

    def write(self, data: bytes) -> None:
        """Hand `data` to the peer; see `Transport.write`."""
        self._check()
        for delay, answer in self._peer.receive(data):
            self._count += 1
            heapq.heappush(self._coming, (self._clock.steady() + delay, self._count, answer))

    def fileno(self) -> None:
        """Return None: no other process could write to it."""

    def close(self) -> None:
        """Close the transport; bytes under way are dropped."""
        self._coming.clear()
        self.lost = True

    def _check(self) -> None:
        if self.lost:
            raise TransportLost('the memory transport is closed')
