"""What can go wrong between host and robot: with packets over the air, with bytes on the serial line."""

from __future__ import annotations

from collections import Counter
from typing import Generic, TypeVar

import numpy as np

from millirobot_adapt.core.config import Config, param

T = TypeVar('T')

LATEST_STALE = 2.0
"""A stale reply is repeated within this time [s], at the earliest after a twentieth of it."""


class RadioFaults(Config):
    """Faults that last; shares and delays hold each way."""

    loss: float = param(0.0, 'Share of packets that are lost for good.', low=0.0, high=1.0)
    reply_loss: float = param(0.0, 'Further share of packets from the robot that are lost.', low=0.0, high=1.0)
    delay: float = param(0.0, 'Delay of every packet.', unit='s', low=0.0, high=2.0)
    jitter: float = param(0.0, 'Longest further delay of a packet (evenly spread).', unit='s', low=0.0, high=2.0)
    duplication: float = param(0.0, 'Share of packets that arrive twice.', low=0.0, high=1.0)
    reordering: float = param(0.0, 'Share of packets that the next one overtakes.', low=0.0, high=1.0)
    stale: float = param(0.0, 'Share of replies that come once more, up to two seconds later.', low=0.0, high=1.0)
    corruption: float = param(0.0, 'Share of bytes on the serial line that arrive as another one.', low=0.0, high=1.0)
    truncation: float = param(0.0, 'Share of frames on the serial line that lose their end.', low=0.0, high=1.0)


class Air(Generic[T]):
    """One direction over the air: say when each packet arrives, if at all, and how often."""

    def __init__(self, rng: np.random.Generator, happened: Counter[str]) -> None:
        """Draw from `rng`, count in `happened` under the names of the faults."""
        self._rng = rng
        self._happened = happened
        self._held: T | None = None

    def carry(self, packet: T, ready: float, faults: RadioFaults, is_reply: bool) -> list[tuple[float, T]] | None:
        """Return the arrivals, each as (time [s], packet), that a packet leads to, in order; None when it is lost.

        Args:
            packet: What is carried.
            ready: When it would arrive if nothing went wrong.
            faults: What goes wrong.
            is_reply: It comes from the robot: `faults.reply_loss` and `faults.stale` apply.
        """
        if self._hits(faults.loss, 'loss') or (is_reply and self._hits(faults.reply_loss, 'reply_loss')):
            return None
        if faults.delay or faults.jitter:
            self._happened['delay'] += 1
            ready += faults.delay + faults.jitter * float(self._rng.random())
        overtaken, self._held = self._held, None
        if overtaken is None and self._hits(faults.reordering, 'reordering'):
            self._held = packet
            return []
        arrivals = [(ready, packet)] * (2 if self._hits(faults.duplication, 'duplication') else 1)
        if overtaken is not None:
            arrivals.append((ready, overtaken))
        if is_reply and self._hits(faults.stale, 'stale'):
            arrivals.append((ready + LATEST_STALE * float(self._rng.uniform(0.05, 1.0)), packet))
        return arrivals

    def _hits(self, share: float, name: str) -> bool:
        # Without the fault nothing is drawn, so that one fault changes nothing for the others.
        hit = share > 0.0 and bool(self._rng.random() < share)
        self._happened[name] += hit
        return hit


def spoil(data: bytes, faults: RadioFaults, rng: np.random.Generator, happened: Counter[str]) -> bytes:
    """Return a frame as it comes out of the serial line: cut short, or with bytes changed; counts in `happened`."""
    if len(data) > 1 and faults.truncation and rng.random() < faults.truncation:
        happened['truncation'] += 1
        data = data[: int(rng.integers(1, len(data)))]
    if faults.corruption:
        changed = bytearray(data)
        for place in np.flatnonzero(rng.random(len(data)) < faults.corruption):
            changed[place] ^= int(rng.integers(1, 256))
            happened['corruption'] += 1
        data = bytes(changed)
    return data
