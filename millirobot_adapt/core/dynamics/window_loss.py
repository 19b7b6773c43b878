"""How well a model predicts the transitions of a window, for methods whose graph does not tell."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.dynamics.interface import AdaptedModel, Window
from millirobot_adapt.core.dynamics.targets import normalised_error
from millirobot_adapt.core.state import FloatArray


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
