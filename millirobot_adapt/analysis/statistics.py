"""Compare methods on the same seeds: means, paired differences and ratios, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.state import FloatArray

RESAMPLES = 10_000
LEVEL = 0.95

Interval = tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """A method against the baseline on the same seeds."""

    difference: float
    """Mean of method minus baseline."""
    difference_interval: Interval
    ratio: float
    """Mean of the method over mean of the baseline."""
    ratio_interval: Interval
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
        difference_interval=interval(methods - baselines),
        ratio=ratio,
        ratio_interval=interval(ratios),
        wins=int((method < baseline).sum()),
        pairs=len(method),
    )


def interval(values: FloatArray) -> Interval:
    """Return the percentile interval of resampled values, shape (RESAMPLES,)."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Means:
    """The mean of each method over places, training seeds and environment seeds; and what it might have been."""

    mean: Mapping[str, float]
    resampled: Mapping[str, FloatArray]
    """The mean in each resample, shape (RESAMPLES,); resample i drew the same environment seeds for every method."""


def resampled_means(costs: Mapping[str, Sequence[FloatArray]]) -> Means:
    """Resample the seeds on both levels: training seeds of each method, environment seeds in pairs.

    The hierarchical bootstrap: a method's training seeds are drawn once for all places (one model walks everywhere),
    the environment seeds anew at each place and alike for every method (they met the same noise). A level with a single
    seed is not resampled, so its spread is not in the intervals.

    Args:
        costs: For each method, for each place, the costs, shape (training seeds, environment seeds); all methods must
            have the same places and environment seeds.
    """
    places = next(iter(costs.values()))
    drawn = [_shares(generator(0, index), place.shape[1]) for index, place in enumerate(places)]
    mean, resampled = {}, {}
    for number, (method, matrices) in enumerate(costs.items()):
        trainings = _shares(generator(1, number), matrices[0].shape[0])
        at_places = [np.einsum('bt,te,be->b', trainings, m, seeds) for m, seeds in zip(matrices, drawn, strict=True)]
        resampled[method] = np.mean(at_places, axis=0)
        mean[method] = float(np.mean([m.mean() for m in matrices]))
    return Means(mean, resampled)


def _shares(rng: np.random.Generator, seeds: int) -> FloatArray:
    """Draw `seeds` of so many seeds with replacement; return the share of each in each resample, (RESAMPLES, seeds)."""
    return np.asarray(rng.multinomial(seeds, np.full(seeds, 1.0 / seeds), size=RESAMPLES) / seeds)


@dataclass(frozen=True)
class Standing:
    """How one method stands among the others in one cell."""

    cost: float
    cost_interval: Interval
    ratio: float
    """Mean cost over the baseline's."""
    ratio_interval: Interval
    normalised: float
    """0 is the oracle, 1 the baseline; NaN without an oracle that is better than the baseline."""
    normalised_interval: Interval
    behind: float
    """Mean cost minus that of the best other method, over the baseline's; negative for the best one."""
    behind_interval: Interval
    best_other: str


def standings(means: Means, baseline: str, oracle: str) -> dict[str, Standing]:
    """Compare every method with the baseline, the oracle and the best of the others (the oracle is no rival)."""
    return {method: _standing(means, method, baseline, oracle) for method in means.mean}


def _standing(means: Means, method: str, baseline: str, oracle: str) -> Standing:
    nothing = (float('nan'), float('nan'))
    mean, own = means.mean, means.resampled[method]
    base, base_mean = means.resampled[baseline], means.mean[baseline]
    normalised, normalised_interval = float('nan'), nothing
    if oracle in mean and mean[oracle] < base_mean:
        floor = means.resampled[oracle]
        normalised = (mean[method] - mean[oracle]) / (base_mean - mean[oracle])
        with np.errstate(divide='ignore', invalid='ignore'):
            normalised_interval = interval((own - floor) / (base - floor))
    rivals = [name for name in mean if name not in (method, oracle)]
    best = min(rivals, key=lambda name: mean[name], default='')
    return Standing(
        cost=mean[method],
        cost_interval=interval(own),
        ratio=mean[method] / base_mean,
        ratio_interval=interval(own / base),
        normalised=normalised,
        normalised_interval=normalised_interval,
        behind=(mean[method] - mean[best]) / base_mean if best else float('nan'),
        behind_interval=interval((own - means.resampled[best]) / base) if best else nothing,
        best_other=best,
    )
