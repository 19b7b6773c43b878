"""Decide whose setpoints drive the robot: one owner at a time, a person's hand before any program.

The rules are those of a priority multiplexer (twist_mux), with one more: a source that was overridden or refused must
ask for standstill, or be silent, before its motion counts again. So a program does not resume by itself when the hand
lets go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class ActionSource(Enum):
    """What kind of node a setpoint comes from."""

    CONTROLLER = 'controller'
    COLLECTOR = 'collector'
    TELEOP = 'teleop'
    """A person's hand on the joystick."""


PRIORITY = {ActionSource.CONTROLLER: 0, ActionSource.COLLECTOR: 0, ActionSource.TELEOP: 1}
"""The higher overrides; among equals the one that drives goes on."""
REMEMBERED = 16
"""Senders that are kept in mind; more than a robot ever has."""


@dataclass(frozen=True)
class Sender:
    """The very process that setpoints come from."""

    source: ActionSource
    instance: str
    """Told apart from others of its kind by this; no slash in it."""

    @property
    def text(self) -> str:
        """Write it as messages carry it."""
        return f'{self.source.value}/{self.instance}'

    @staticmethod
    def parse(text: str) -> Sender:
        """Read what `text` wrote.

        Raises:
            ValueError: it names no known source.
        """
        source, slash, instance = text.partition('/')
        if not slash or not instance or '/' in instance or source not in {known.value for known in ActionSource}:
            raise ValueError(f'{text!r} names no source of actions')
        return Sender(ActionSource(source), instance)


class Arbiter:
    """Keep the owner of the action; pure: time is an argument, on one steady clock [s]."""

    def __init__(self) -> None:
        self._owner: Sender | None = None
        self._owned = -float('inf')
        self._heard: dict[Sender, float] = {}
        self._refused: set[Sender] = set()

    @property
    def remembered(self) -> Sequence[Sender]:
        """The senders that it keeps in mind, the one silent for longest first; no more than `REMEMBERED`."""
        return tuple(self._heard)

    def owner(self, now: float, timeout: float) -> Sender | None:
        """Return who drives; None when the last owner has been silent for longer than `timeout` [s]."""
        return self._owner if now - self._owned <= timeout else None

    def offer(self, sender: Sender, moves: bool, now: float, timeout: float) -> str:
        """Take a setpoint of `sender`, which `moves` the robot or lets it stand.

        Returns:
            Why it does not count, for people; empty: it counts, and the sender is the owner.
        """
        if not moves or now - self._heard.pop(sender, -float('inf')) > timeout:
            self._refused.discard(sender)
        self._hear(sender, now)
        owner = self.owner(now, timeout)
        others = owner is not None and owner != sender
        if owner is not None and others and PRIORITY[sender.source] <= PRIORITY[owner.source]:
            return self._refuse(sender, moves, f'{owner.source.value} drives')
        if sender in self._refused:
            return self._refuse(sender, moves, 'it was overridden or refused, and has not stood since')
        if owner is not None and others:
            self._refused.add(owner)
        self._owner, self._owned = sender, now
        return ''

    def _refuse(self, sender: Sender, moves: bool, why: str) -> str:
        if moves:
            self._refused.add(sender)
        return f'setpoints of {sender.source.value} do not count: {why}'

    def _hear(self, sender: Sender, now: float) -> None:
        """Note when a sender was heard; the one that has been silent longest is forgotten."""
        self._heard[sender] = now  # at the end: `offer` has taken it out
        if len(self._heard) > REMEMBERED:
            oldest = next(iter(self._heard))
            del self._heard[oldest]
            self._refused.discard(oldest)
