"""Decide whose setpoints drive the robot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ActionSource(Enum):
    """What kind of node a setpoint comes from."""

    CONTROLLER = 'controller'
    COLLECTOR = 'collector'
    TELEOP = 'teleop'
    """A person's hand on the joystick."""


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
