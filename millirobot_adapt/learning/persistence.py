"""Ask of a data set whether there is anything to adapt to, before training on it.

If what a fixed model leaves over is white noise, a meta-learner rightly learns not to adapt. So: fit a simple model,
and regress the mean of its next residuals on the mean of its last ones. A slope of 1 is a bias that stays, 0 is noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from millirobot_adapt.core.robot.layout import DISPLACEMENT_NAMES, StateLayout
from millirobot_adapt.learning.rollout_file import CollectedRollouts
from millirobot_adapt.learning.segments import Segments, cut

PAST, FUTURE = 32, 15
MOTION = DISPLACEMENT_NAMES
"""The targets that planning lives on: displacement and turn."""
WORTH_ADAPTING = 0.2
"""Below this score a target's residuals are mostly noise."""
FITTED, BLOCK = 500, 2000
"""About how many segments the model is fitted to; how many are looked at at a time, as all at once fill gigabytes."""
SMALLEST = 1e-12
"""Least spread that is divided by."""


def tell_persistence(rollouts: CollectedRollouts) -> list[str]:
    """Say for displacement and turn whether there is anything to adapt to, and advise where there is not."""
    segments = cut(rollouts, np.arange(len(rollouts.states)), PAST + FUTURE)
    if not len(segments):
        return [f'persistence of the residuals: not known, no rollout has {PAST + FUTURE} unbroken transitions']
    scores = persistence(segments, rollouts.layout)
    shown = ', '.join(f'{name} {scores[name]:.2f}' for name in MOTION)
    lines = [f'persistence of the residuals (1 = a bias that stays, 0 = noise, nothing to adapt to): {shown}']
    noise = [name for name in MOTION if scores[name] < WORTH_ADAPTING]
    if noise:
        lines.append(
            f'{", ".join(noise)}: below {WORTH_ADAPTING}, so a method will rightly learn hardly to adapt there; '
            'collect under conditions that differ and last: wear, other floors, slopes, loads'
        )
    return lines


def persistence(segments: Segments, layout: StateLayout) -> dict[str, float]:
    """Regress the mean of the next 15 residuals on that of the last 32, for each target; `segments` are 47 long."""
    # Segments overlap: some hundred of them fit the few weights as well as all.
    residuals_of = _fit(segments.part(slice(0, None, max(1, len(segments) // FITTED))))
    blocks = [residuals_of(segments.part(slice(begin, begin + BLOCK))) for begin in range(0, len(segments), BLOCK)]
    past = np.concatenate([residuals[:, :PAST].mean(1) for residuals in blocks])
    future = np.concatenate([residuals[:, PAST : PAST + FUTURE].mean(1) for residuals in blocks])
    spread = np.maximum(past.var(0), SMALLEST)  # what never varies has a slope of 0
    slopes = ((past - past.mean(0)) * (future - future.mean(0))).mean(0) / spread
    return dict(zip(layout.target_names, slopes.tolist(), strict=True))


def _fit(segments: Segments) -> Callable[[Segments], NDArray[np.float64]]:
    """Fit a quadratic model by least squares; return what subtracts its predictions from changes."""
    features = _features(segments)
    mean, scale = features.mean((0, 1)), np.maximum(features.std((0, 1)), SMALLEST)

    def terms(some: Segments) -> NDArray[np.float64]:
        scaled = (_features(some) - mean) / scale
        first, second = np.triu_indices(scaled.shape[-1])
        products = scaled[..., first] * scaled[..., second]
        return np.concatenate([np.ones_like(scaled[..., :1]), scaled, products], axis=-1)

    x, y = terms(segments), _change(segments)
    weights, *_ = np.linalg.lstsq(x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]), rcond=None)
    return lambda some: np.asarray(_change(some) - terms(some) @ weights)


def _features(segments: Segments) -> NDArray[np.float64]:
    """Return what a network would see of each transition, (B, L, features)."""
    return np.asarray(torch.cat([segments.body[:, :-1], segments.actions], dim=-1).double().numpy())


def _change(segments: Segments) -> NDArray[np.float64]:
    """Return the targets of each transition, (B, L, targets)."""
    return np.asarray(segments.change.double().numpy())
