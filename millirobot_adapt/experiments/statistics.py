"""Compare methods seed by seed: means, spread, paired differences and ratios with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.randomness import generator
from millirobot_adapt.core.state import FloatArray

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """A method against the baseline on the same seeds."""

    difference: float
    """Mean of method minus baseline."""
    difference_interval: tuple[float, float]
    ratio: float
    """Mean of the method over mean of the baseline."""
    ratio_interval: tuple[float, float]
    wins: int
    """Seeds on which the method's value is the lower one."""
    pairs: int


def compare(method: FloatArray, baseline: FloatArray) -> Comparison:
    """Compare paired values, shape (seeds,); intervals are the 95 % percentile bootstrap over seeds.

    The ratio means something for positive values only; it is not a number where a resampled baseline is zero.
    """
    picks = generator(0, len(method)).integers(0, len(method), (RESAMPLES, len(method)))
    methods, baselines = method[picks].mean(axis=1), baseline[picks].mean(axis=1)
    with np.errstate(divide='ignore', invalid='ignore'):
        ratio = float(np.divide(method.mean(), baseline.mean()))
        ratios = methods / baselines
    return Comparison(
        difference=float((method - baseline).mean()),
        difference_interval=_interval(methods - baselines),
        ratio=ratio,
        ratio_interval=_interval(ratios),
        wins=int((method < baseline).sum()),
        pairs=len(method),
    )


def _interval(values: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
