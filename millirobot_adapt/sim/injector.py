"""Begin and end the faults of a mock: those of its condition's schedule, and those that somebody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.sim.conditions import Fault

CIRCUMSTANCES = ''
"""Component of the faults that are keys of a condition."""


class Target(Protocol):
    """A part of the mock that can be made to fail."""

    def begin(self, kind: str, value: Any) -> None:
        """Let a fault begin, or go on with another value.

        Raises:
            UserError: it cannot happen here, and why.
        """

    def end(self, kind: str) -> None:
        """End a fault that lasts."""


def component(fault: str) -> str:
    """Return the component of a fault: what stands before the dot, or `CIRCUMSTANCES`."""
    return fault.partition('.')[0] if '.' in fault else CIRCUMSTANCES


class Injector:
    """The faults of one mock; times are the world's [s]."""

    def __init__(self, schedule: Sequence[Fault], targets: dict[str, Target]) -> None:
        self._coming = sorted(schedule, key=lambda fault: fault.time)
        self._targets = targets
        self._until: dict[str, float] = {}
        self.begun: list[tuple[float, Fault]] = []
        """Faults that have begun, each with the time of its beginning [s]."""

    def add(self, name: str, target: Target) -> None:
        """Let the faults of a component happen to `target`."""
        self._targets[name] = target

    def check(self, where: str) -> None:
        """Refuse a schedule with faults that nobody here implements; `where` says in the error what is run.

        Raises:
            UserError: a fault has no target.
        """
        for fault in self._coming:
            if fault.what != 'clear' and component(fault.what) not in self._targets:
                raise UserError(f'{fault.what} cannot happen {where}: it needs the running mock (demo or launch)')

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the faults that last."""
        return tuple(self._until)

    def inject(self, fault: Fault, now: float) -> None:
        """Let a fault begin now.

        Raises:
            UserError: nobody implements it, or it cannot happen now.
        """
        if fault.what == 'clear':
            for what in self.active:
                self._end(what)
            return
        name = component(fault.what)
        if name not in self._targets:
            raise UserError(f'{fault.what} cannot happen here: this mock has no {name}')
        self._targets[name].begin(fault.what.partition('.')[2] or fault.what, fault.value)
        if fault.lasts:
            self._until[fault.what] = now + fault.duration if fault.duration else float('inf')
        self.begun.append((now, fault))

    def update(self, now: float, start: float | None) -> None:
        """Begin what is due and end what is over; `start` is the first motion, from which a schedule counts [s].

        Raises:
            UserError: a fault of the schedule cannot happen now.
        """
        for what in [what for what, until in self._until.items() if now >= until]:
            self._end(what)
        while self._coming and start is not None and now >= start + self._coming[0].time:
            fault = self._coming.pop(0)
            self.inject(fault, now)

    def _end(self, what: str) -> None:
        del self._until[what]
        self._targets[component(what)].end(what.partition('.')[2] or what)
