"""Compare a model that was swapped in with the one before it: the better predictor of the next ticks stays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.control.history import newest_transition
from millirobot_adapt.core.control.planning_model import LoadedModel, error_of
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.dynamics.method_interface import AdaptedModel, Window
from millirobot_adapt.core.robot.layout import FloatArray

LIMIT = 1e3
"""An error that is not finite, or larger, counts as this: the errors of a good model are about 1."""


@dataclass(frozen=True)
class TrialResult:
    """What a trial found: mean normalised errors of the next state, each predicted before it was adapted to."""

    ticks: int
    before: float
    """Of the model that was in use before."""
    after: float
    """Of the model that was swapped in."""
    worse: bool
    """The model that was swapped in is worse, by more than one standard error of the mean difference."""

    @property
    def text(self) -> str:
        """Say it for people."""
        return f'error {self.after:.3f} against {self.before:.3f} over {self.ticks} ticks'


class ModelTrial:
    """Predict each transition with the new and with the former model, both adapted to the window before it.

    The errors of both are in units of the former model's targets. The new model is worse if the mean of the paired
    differences is above their standard error.
    """

    def __init__(self, before: LoadedModel, ticks: int) -> None:
        """Begin; `ticks` is how many transitions are predicted."""
        self.before = before
        """The former model."""
        self._ticks = ticks
        self._models: tuple[AdaptedModel, AdaptedModel] | None = None
        self._errors: list[tuple[float, float]] = []

    def restart(self) -> None:
        """Begin another run: its first transition does not follow what was seen."""
        self.before.method.reset()
        self._models = None

    def observe(self, result: TickResult) -> TrialResult | None:
        """Take a tick of the new model; returns what the trial found once it is over, None before.

        Where the tick did not adapt, both models are used as they were trained.
        """
        method = self.before.method
        newest = newest_transition(result.window, result.state)
        if newest is not None and self._models is not None:
            measure = self.before.prediction_error
            before, after = (_bounded(error_of(measure, newest, model)) for model in self._models)
            self._errors.append((before, after))
        window = fitted(result.window, method.window_length)
        self._models = (method.adapt(window).model if result.adapt else method.prior, result.adaptation.model)
        return self._result() if len(self._errors) >= self._ticks else None

    def _result(self) -> TrialResult:
        before, after = np.array(self._errors).T
        difference = after - before
        noise = float(difference.std(ddof=1)) / math.sqrt(len(difference)) if len(difference) > 1 else 0.0
        worse = float(difference.mean()) > noise
        return TrialResult(len(difference), float(before.mean()), float(after.mean()), worse)


def _bounded(error: float) -> float:
    return min(error, LIMIT) if math.isfinite(error) else LIMIT


def fitted(window: Window, length: int) -> Window:
    """Return a window of another length T1: the newest transitions, missing rows masked."""
    missing = max(0, length - len(window.mask))

    def rows(values: FloatArray) -> FloatArray:
        newest = values[max(0, len(values) - length) :]
        return np.concatenate([np.zeros((missing, *values.shape[1:])), newest])

    return Window(rows(window.states), rows(window.actions), rows(window.next_states), rows(window.mask))
