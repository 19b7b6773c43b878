"""Tell how well a model predicted the position H steps ahead, before and after adaptation, while the robot walks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.dynamics.method_interface import AdaptedModel
from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class _Past:
    """A tick whose prediction is still to be judged."""

    state: FloatArray
    prior: AdaptedModel
    adapted: AdaptedModel


class LookAhead:
    """Roll theta* and theta' of H ticks ago through the actions sent since, and compare with where the robot is."""

    def __init__(self, horizon: int) -> None:
        self._past: deque[_Past] = deque(maxlen=horizon)
        self._actions: deque[FloatArray] = deque(maxlen=horizon)

    def judge(
        self, state: FloatArray, sent: FloatArray, prior: AdaptedModel, adapted: AdaptedModel
    ) -> tuple[float, float]:
        """Take the newest tick; return the errors with theta* and theta' [m], NaN in the first H ticks.

        Args:
            state: s_k, shape (nx,).
            sent: a_{k-1}, which led to it [rad/s], shape (nu,).
            prior: theta*.
            adapted: theta', adapted to the transitions up to s_k.
        """
        if self._past:
            self._actions.append(sent)
        errors = (float('nan'), float('nan'))
        if len(self._past) == self._past.maxlen:
            then = self._past[0]
            before = self._error(then.prior, then.state, state)
            errors = (before, before if then.adapted is then.prior else self._error(then.adapted, then.state, state))
        self._past.append(_Past(state, prior, adapted))
        return errors

    def _error(self, model: AdaptedModel, then: FloatArray, now: FloatArray) -> float:
        actions = np.array(self._actions)[:, None]
        predicted = model.rollout(then, actions)[-1, 0, :2]
        return float(np.hypot(*(predicted - now[:2])))
