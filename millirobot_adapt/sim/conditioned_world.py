"""The condition that holds in a world, whose keys faults change."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any

from millirobot_adapt.sim.conditions import Condition, Fault
from millirobot_adapt.sim.injector import Injector


class ConditionedWorld(ABC):
    """A world under a condition; see `Target` for `begin` and `end`, which the injector calls."""

    injector: Injector
    """Lets faults begin."""

    def __init__(self, condition: Condition) -> None:
        """Begin under a condition."""
        self._initial = self._condition = condition

    @property
    def faults(self) -> list[tuple[float, Fault]]:
        """Faults that have begun, each with the time of its beginning [s]."""
        return self.injector.begun

    @property
    @abstractmethod
    def time(self) -> float:
        """Now [s]."""

    def inject(self, fault: Fault) -> None:
        """Let a fault begin now.

        Raises:
            UserError: nobody implements it, or it cannot happen now.
        """
        self.injector.inject(fault, self.time)

    def begin(self, kind: str, value: Any) -> None:
        """Let a key of the condition take a new value."""
        self._take_over(self._condition.after(Fault(kind, value)))

    def end(self, kind: str) -> None:
        """Let a key of the condition be again what it was at the start."""
        initial: dict[str, Any] = {kind: getattr(self._initial, kind)}
        self._take_over(dataclasses.replace(self._condition, **initial))

    @abstractmethod
    def _take_over(self, condition: Condition) -> None:
        """Let all go on under another condition.

        Raises:
            UserError: it holds something that this robot has not.
        """
