"""Compare methods on the same seeds: means, paired differences and ratios, each with a 95 % interval.

Below `FEW` pairs an interval is Student's t; of ratios it is taken on their logarithms. From `FEW` pairs on it is the
bias-corrected and accelerated bootstrap of `scipy.stats` (Efron 1987). Both the t and the bootstrap treat the pairs as
the independent draws. One pair alone has no interval.

The bootstrap of a mean is too narrow by sqrt((n - 1) / n), and it takes the normal distribution for Student's t. The
level that it is asked for is expanded by just that (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015,
section 5.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.state import FloatArray

RESAMPLES = 9_999
LEVEL = 0.95
FEW = 10
"""From this number of pairs on, the bootstrap replaces Student's t."""
BATCH = 2_000_000
"""Numbers that the bootstrap draws at a time; bounds its memory."""

Interval = tuple[float, float]


def mean_interval(values: FloatArray) -> Interval | None:
    """Return the 95 % interval of the mean of independent values, shape (n,); None for fewer than two."""
    values = np.asarray(values, dtype=float)
    count = len(values)
    if count < 2 or not np.isfinite(values).all():
        return None
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(count))
    if error <= 1e-12 * max(abs(mean), 1e-300):
        return mean, mean
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, count - 1))
    if count < FEW:
        return mean - quantile * error, mean + quantile * error
    expanded = float(2 * stats.norm.cdf(quantile * np.sqrt(count / (count - 1))) - 1)
    found = stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, batch=max(1, BATCH // count), confidence_level=expanded,
        method='BCa', random_state=generator(0, count),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)


def with_interval(value: float, interval: Interval | None) -> str:
    """Return a value and its interval, if it has one, for people."""
    return f'{value:.2f}' + (f' [{interval[0]:.2f}, {interval[1]:.2f}]' if interval else '')


@dataclass(frozen=True)
class MeanCost:
    """Costs of several walks, or of several seeds, and their mean."""

    costs: tuple[float, ...]

    @property
    def cost(self) -> float:
        """Mean of the costs."""
        return float(np.mean(self.costs))

    @property
    def interval(self) -> Interval | None:
        """95 % interval of the mean; None for a single cost."""
        return mean_interval(np.array(self.costs))

    def __str__(self) -> str:
        """Return the mean and its interval, for people."""
        return with_interval(self.cost, self.interval)


def ratio_of(method: FloatArray, baseline: FloatArray) -> tuple[float, Interval | None]:
    """Return the geometric mean of the ratios of paired positive values, shape (n,), and its interval.

    The mean of the logarithms weighs a halving and a doubling alike. Where a value is not positive the ratio is NaN,
    without an interval.
    """
    if not len(method) or (method <= 0).any() or (baseline <= 0).any():
        return float('nan'), None
    logs = np.log(method / baseline)
    return float(np.exp(logs.mean())), exponential(mean_interval(logs))


def exponential(interval: Interval | None) -> Interval | None:
    """Take an interval of logarithms back to what they are the logarithms of."""
    return None if interval is None else (float(np.exp(interval[0])), float(np.exp(interval[1])))


@dataclass(frozen=True)
class Comparison:
    """A method against the baseline on the same seeds."""

    difference: float
    """Mean of method minus baseline."""
    difference_interval: Interval | None
    ratio: float
    """Geometric mean of method over baseline; NaN where a value is not positive."""
    ratio_interval: Interval | None
    wins: int
    """Seeds on which the method's value is the lower one."""
    pairs: int


def compare(method: FloatArray, baseline: FloatArray) -> Comparison:
    """Compare paired values, shape (seeds,)."""
    ratio, ratio_interval = ratio_of(method, baseline)
    return Comparison(
        difference=float((method - baseline).mean()),
        difference_interval=mean_interval(method - baseline),
        ratio=ratio,
        ratio_interval=ratio_interval,
        wins=int((method < baseline).sum()),
        pairs=len(method),
    )


Costs = Mapping[str, FloatArray]
"""Costs of each method, shape (training seeds, places, environment seeds).

All methods have the same places and environment seeds, and met the same noise there; training seeds are their own.
"""


@dataclass(frozen=True)
class Standing:
    """How one method stands among the others in one cell. An interval is None where one draw alone is there."""

    cost: float
    cost_interval: Interval | None
    ratio: float
    """Geometric mean of the cost over the baseline's; 1 for the baseline itself."""
    ratio_interval: Interval | None
    normalised: float
    """0 is the oracle, 1 the baseline; NaN without an oracle that is better than the baseline."""
    normalised_interval: Interval | None
    behind: float
    """Mean cost minus that of the best other method, over the baseline's; negative for the best one."""
    behind_interval: Interval | None
    best_other: str


def standings(costs: Costs, baseline: str, oracle: str) -> dict[str, Standing]:
    """Compare every method with the baseline, the oracle and the best of the others (the oracle is no rival)."""
    return {method: _standing(costs, method, baseline, oracle) for method in costs}


def _standing(costs: Costs, method: str, baseline: str, oracle: str) -> Standing:
    """Work each figure out as a contrast: a weighted sum of the methods' means, or of the means of their logarithms."""
    mean = {name: float(values.mean()) for name, values in costs.items()}
    ratio, ratio_interval = ratio_of_costs(costs, method, baseline)
    normalised, normalised_interval = float('nan'), None
    if oracle in mean and mean[oracle] < mean[baseline]:
        scale = mean[baseline] - mean[oracle]
        normalised = (mean[method] - mean[oracle]) / scale
        # Deviations of the quotient N to first order: those of (method - N baseline - (1 - N) oracle) / scale.
        weights = dict.fromkeys((method, baseline, oracle), 0.0)
        for name, weight in ((method, 1.0), (baseline, -normalised), (oracle, normalised - 1.0)):
            weights[name] += weight / scale
        normalised_interval = shifted(contrast_interval(costs, weights), normalised)
    rivals = [name for name in mean if name not in (method, oracle)]
    best = min(rivals, key=lambda name: mean[name], default='')
    behind = {method: 1 / mean[baseline], best: -1 / mean[baseline]} if best else {}
    return Standing(
        cost=mean[method],
        cost_interval=contrast_interval(costs, {method: 1.0}),
        ratio=ratio,
        ratio_interval=ratio_interval,
        normalised=normalised,
        normalised_interval=normalised_interval,
        behind=(mean[method] - mean[best]) / mean[baseline] if best else float('nan'),
        behind_interval=contrast_interval(costs, behind),
        best_other=best,
    )


def _positive(costs: Costs, *methods: str) -> bool:
    return all((costs[name] > 0).all() for name in methods)


def shifted(interval: Interval | None, by: float) -> Interval | None:
    """Move an interval."""
    return None if interval is None else (interval[0] + by, interval[1] + by)


def contrast_interval(values: Costs, weights: Mapping[str, float]) -> Interval | None:
    """Return the interval of the sum of the methods' mean values times their weights.

    The environment seed is the unit: the weighted sum at a seed, averaged over places and training seeds, is one draw.
    Where a method has several training seeds, their spread is a second source, and the interval is Student's t with
    the degrees of freedom of Welch and Satterthwaite. The spread of a single training seed is unknown and not in it.
    """
    used = {name: weight for name, weight in weights.items() if abs(weight) > 1e-12}
    if not used:
        return None
    at_seeds = sum(weight * values[name].mean(axis=(0, 1)) for name, weight in used.items())
    trained = [weight * values[name].mean(axis=(1, 2)) for name, weight in used.items() if len(values[name]) > 1]
    if not trained:
        return mean_interval(np.asarray(at_seeds))
    sources = [source for source in (np.asarray(at_seeds), *trained) if len(source) > 1]
    variances = np.array([source.var(ddof=1) / len(source) for source in sources])
    mean, total = float(np.mean(at_seeds)), float(variances.sum())
    if total <= 0:
        return mean, mean
    freedom = total**2 / float(np.sum(variances**2 / np.array([len(source) - 1 for source in sources])))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * np.sqrt(total)
    return mean - reach, mean + reach


def ratio_of_costs(costs: Costs, method: str, rival: str) -> tuple[float, Interval | None]:
    """Return the geometric mean of a method's costs over a rival's, equal places and seeds in pairs, and its interval.

    Where a cost is not positive the ratio is NaN, without an interval.
    """
    if not _positive(costs, method, rival):
        return float('nan'), None
    logs = {name: np.log(costs[name]) for name in (method, rival)}
    weights = {method: 1.0, rival: -1.0} if method != rival else {}
    interval = exponential(contrast_interval(logs, weights))
    return float(np.exp(logs[method].mean() - logs[rival].mean())), interval
