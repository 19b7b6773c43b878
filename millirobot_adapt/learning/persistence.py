"""Ask of a data set whether there is anything to adapt to, before training on it.

If what a fixed model leaves over is white noise, a meta-learner rightly learns not to adapt. So: fit a simple model,
and regress the mean of its next residuals on the mean of its last ones. A slope of 1 is a bias that stays, 0 is noise.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from millirobot_adapt.core.dynamics.targets import TARGET_NAMES
from millirobot_adapt.learning.rollouts import Rollouts
from millirobot_adapt.learning.segments import Segments, cut

PAST, FUTURE = 32, 15
MOTION = TARGET_NAMES[:3]
"""The targets that planning lives on: displacement and turn."""
WORTH_ADAPTING = 0.2
"""Below this score a target's residuals are mostly noise."""


def tell_persistence(rollouts: Rollouts) -> list[str]:
    """Say for displacement and turn whether there is anything to adapt to, and advise where there is not."""
    segments = cut(rollouts, np.arange(len(rollouts.states)), PAST + FUTURE)
    if not len(segments):
        return [f'persistence of the residuals: not known, no rollout has {PAST + FUTURE} unbroken transitions']
    scores = persistence(segments)
    shown = ', '.join(f'{name} {scores[name]:.2f}' for name in MOTION)
    lines = [f'persistence of the residuals (1 = a bias that stays, 0 = noise, nothing to adapt to): {shown}']
    noise = [name for name in MOTION if scores[name] < WORTH_ADAPTING]
    if noise:
        lines.append(
            f'{", ".join(noise)}: below {WORTH_ADAPTING}, so a method will rightly learn hardly to adapt there; '
            'collect under conditions that differ and last: worn legs, other floors, slopes, loads'
        )
    return lines


def persistence(segments: Segments) -> dict[str, float]:
    """Regress the mean of the next 15 residuals on that of the last 32, for each target; `segments` are 47 long."""
    features = torch.cat([segments.body[:, :-1], segments.actions], dim=-1).double().numpy()
    change = segments.change.double().numpy()
    residuals = _residuals(features, change)
    past, future = residuals[:, :PAST].mean(1), residuals[:, PAST : PAST + FUTURE].mean(1)
    slopes = ((past - past.mean(0)) * (future - future.mean(0))).mean(0) / past.var(0)
    return dict(zip(TARGET_NAMES, slopes.tolist(), strict=True))


def _residuals(features: NDArray[np.float64], change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract a least-squares quadratic model of the features (B, L, 7) from the changes (B, L, 8)."""
    scaled = (features - features.mean((0, 1))) / features.std((0, 1))
    upper = np.triu_indices(scaled.shape[-1])
    products = scaled[..., upper[0]] * scaled[..., upper[1]]
    terms = np.concatenate([np.ones_like(scaled[..., :1]), scaled, products], axis=-1)
    # Segments overlap: some hundred of them fit the few weights as well as all.
    stride = max(1, len(terms) // 500)
    sparse, target = terms[::stride], change[::stride]
    weights, *_ = np.linalg.lstsq(sparse.reshape(-1, terms.shape[-1]), target.reshape(-1, change.shape[-1]), rcond=None)
    return np.asarray(change - terms @ weights)
