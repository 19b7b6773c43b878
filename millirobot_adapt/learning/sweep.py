"""Choose the settings of a trained model by trying each of them on the validation part."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from millirobot_adapt.learning.methods.training_interface import Model
from millirobot_adapt.learning.segments import Segments


@dataclass(frozen=True)
class Trial:
    """One setting and what came of it."""

    settings: dict[str, Any]
    loss: float
    """Open-loop loss after adaptation, what training is stopped by; infinite where predictions are not finite."""
    position: float
    """Root mean square position error at the horizon [m]."""
    heading: float
    """Root mean square heading error at the horizon [rad]."""

    def row(self) -> dict[str, Any]:
        """Return the trial as a flat mapping, for tables and records."""
        figures = {name: float(f'{getattr(self, name):.5g}') for name in ('loss', 'position', 'heading')}
        return {**self.settings, **figures}


def sweep(
    model: Model,
    grid: Sequence[dict[str, Any]],
    past: Segments,
    future: Segments,
    on_trial: Callable[[str], object] = lambda line: None,
) -> tuple[Model, list[Trial]]:
    """Try the settings of the grid; return the model with the best, and all trials in the grid's order."""
    trials: list[Trial] = []
    for settings in grid:
        with torch.no_grad():
            found = _with(model, settings).score(past, future)
        loss = float(found.open_loop)
        trials.append(
            Trial(settings, loss if math.isfinite(loss) else math.inf, float(found.position), float(found.heading))
        )
        on_trial(f'{len(trials)} of {len(grid)} settings tried')
    return _with(model, best(trials).settings), trials


def best(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the least loss."""
    return min(trials, key=lambda trial: trial.loss)


def edges(trials: Sequence[Trial]) -> list[str]:
    """Name the settings whose best value is the least or the largest that was tried: there might be better beyond."""
    chosen = best(trials).settings
    found = []
    for name, value in chosen.items():
        tried = {trial.settings[name] for trial in trials}
        if not isinstance(value, bool) and len(tried) > 1 and value in (min(tried), max(tried)):
            found.append(name)
    return found


def _with(model: Model, settings: dict[str, Any]) -> Model:
    changed: Model = dataclasses.replace(model, **settings)  # type: ignore[type-var]
    return changed
