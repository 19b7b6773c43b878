"""What several methods ask of a window of transitions: its arrays for a graph, its loss, which of its rows are new."""

from __future__ import annotations

import numpy as np
from onnxruntime import OrtValue

from millirobot_adapt.core.dynamics.engine import to_engine
from millirobot_adapt.core.dynamics.interface import AdaptedModel, Window
from millirobot_adapt.core.dynamics.targets import normalised_error
from millirobot_adapt.core.robot.state import FloatArray

WINDOW_INPUTS = ('states', 'actions', 'next_states', 'mask')
"""What such a graph calls the parts of a window; they are the names of `Window`'s fields, too."""


def window_values(window: Window) -> dict[str, OrtValue]:
    """Return the parts of the window by the names of the graph's inputs."""
    return {name: to_engine(getattr(window, name)) for name in WINDOW_INPUTS}


def window_loss(model: AdaptedModel, window: Window, scale: FloatArray) -> float:
    """Return the mean squared normalised error of one-step predictions; 0 for an empty window.

    Args:
        model: What predicts.
        window: What really happened.
        scale: Standard deviations of the eight targets (8,), the units of the error.
    """
    rows = window.mask > 0
    if not rows.any():
        return 0.0
    states, next_states = window.states[rows], window.next_states[rows]
    predicted = model.rollout(states, window.actions[rows][None])[1]
    return float(np.mean(np.square(normalised_error(predicted, next_states, states, scale))))


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
