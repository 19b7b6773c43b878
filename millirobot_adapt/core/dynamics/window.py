"""Measure a window of transitions: the loss of a model over it, and which of its rows are new."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.dynamics.method_interface import AdaptedModel, Window
from millirobot_adapt.core.dynamics.targets import normalised_error
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout


def window_loss(model: AdaptedModel, window: Window, scale: FloatArray, layout: StateLayout) -> float:
    """Return the mean squared normalised error of one-step predictions; 0 for an empty window.

    Args:
        model: The model that predicts.
        window: The transitions that happened.
        scale: Standard deviations of the targets (targets,), the units of the error.
        layout: Where the numbers of a state stand.
    """
    rows = window.mask > 0
    if not rows.any():
        return 0.0
    states, next_states = window.states[rows], window.next_states[rows]
    predicted = model.rollout(states, window.actions[rows][None])[1]
    return float(np.mean(np.square(normalised_error(layout, predicted, next_states, states, scale))))


class NewRows:
    """Count the transitions that are new since the last window: a tick may bring none, or several after a gap."""

    def __init__(self) -> None:
        self._newest: tuple[bytes, ...] | None = None

    def reset(self) -> None:
        """Forget the last window: every row of the next one is new."""
        self._newest = None

    def count(self, window: Window) -> int:
        """Return how many rows at the end of the window were not in the last window."""
        there = int(np.count_nonzero(window.mask))
        rows = [_row(window, -back) for back in range(1, there + 1)]
        new = rows.index(self._newest) if self._newest in rows else there
        if rows:
            self._newest = rows[0]
        return new


def _row(window: Window, index: int) -> tuple[bytes, ...]:
    """Return what identifies a transition: the bits of state, action and next state."""
    return tuple(part[index].tobytes() for part in (window.states, window.actions, window.next_states))
