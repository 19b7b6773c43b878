"""Tell which rows of a window are new, for methods that carry what they learned from tick to tick."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.dynamics.interface import Window


class NewRows:
    """Count the transitions that came since the window before; a tick may bring none, or follow ticks cut short."""

    def __init__(self) -> None:
        self._newest: tuple[bytes, ...] | None = None

    def reset(self) -> None:
        """Forget the last window: every row of the next one is new."""
        self._newest = None

    def count(self, window: Window) -> int:
        """Return how many rows at the end of the window were not in the window before."""
        there = int(np.count_nonzero(window.mask))
        rows = [_row(window, -back) for back in range(1, there + 1)]
        new = rows.index(self._newest) if self._newest in rows else there
        if rows:
            self._newest = rows[0]
        return new


def _row(window: Window, index: int) -> tuple[bytes, ...]:
    """Return what makes a transition this one: equal bits in state, action and next state."""
    return tuple(part[index].tobytes() for part in (window.states, window.actions, window.next_states))
