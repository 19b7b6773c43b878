"""Tell whether a model knows when not to be trusted: whether its recent errors predict its error H steps ahead.

What is known at tick k is the mean normalised error of the predictions of the last `TICKS` next states. What it should
predict is how far the position predicted at tick k for tick k + H will be from the true one. Both are of the adapted
model. The correlation is Spearman's: it asks for the order of errors and not for a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from millirobot_adapt.analysis.page import Table
from millirobot_adapt.analysis.statistics import Interval, mean_interval, with_interval
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.experiments.episode import Episode

TICKS = 10
"""How many of the last next-state errors are averaged."""
FEWEST = 20
"""Ticks that a walk needs for a correlation of its own."""
HEADING = 'Do errors of the last second predict the error H steps ahead?'
NOTE = (
    f'Spearman correlation of the mean error of the last {TICKS} next states with the position error of the prediction '
    'that is made then, H steps ahead. Within walks: the mean over walks, with its 95 % interval. Over all walks: all '
    'ticks of all walks in one order.'
)


@dataclass(frozen=True)
class Foresight:
    """How well errors that are known predict those to come, for one method."""

    method: str
    walks: int
    within: float
    """Mean over walks of the correlation over the ticks of a walk."""
    within_interval: Interval | None
    """95 % interval of `within` over walks."""
    over_all: float
    """Correlation over all ticks of all walks."""


def foresights(episodes: Sequence[Episode], methods: Sequence[str]) -> list[Foresight]:
    """Return the foresight of each method whose walks have predictions, in the order of the methods."""
    found = []
    for method in methods:
        walks = [pairs for each in episodes if each.spec.method == method and len(pairs := _pairs(each)) >= FEWEST]
        if walks:
            within, interval, _ = within_walks(walks)
            found.append(Foresight(method, len(walks), within, interval, correlation(np.concatenate(walks))))
    return found


def _pairs(episode: Episode) -> FloatArray:
    """Return for each tick what is known and what comes of it, shape (N, 2); only ticks that have both."""
    table, horizon = episode.table, episode.spec.controller.planner.horizon
    error, ahead = table['post_error'], table['ahead_after']
    if len(error) < TICKS + horizon:
        return np.empty((0, 2))
    known = np.convolve(error, np.full(TICKS, 1.0 / TICKS), mode='valid')  # NaN where one of them is
    ticks = np.arange(TICKS - 1, len(error) - horizon)
    pairs = np.column_stack([known[: len(ticks)], ahead[ticks + horizon]])
    return np.asarray(pairs[np.isfinite(pairs).all(axis=1)])


def correlation(pairs: FloatArray) -> float:
    """Return Spearman's correlation of two columns; NaN where one of them is constant."""
    if (np.ptp(pairs, axis=0) == 0).any():
        return float('nan')
    return float(stats.spearmanr(pairs[:, 0], pairs[:, 1]).statistic)


def within_walks(walks: Sequence[FloatArray]) -> tuple[float, Interval | None, int]:
    """Return the mean of the walks' own correlations, its 95 % interval, and how many walks have one.

    The mean is NaN where no walk has one; the interval None for fewer than two.
    """
    own = np.array([correlation(walk) for walk in walks])
    own = own[np.isfinite(own)]
    return (float(own.mean()), mean_interval(own), len(own)) if len(own) else (float('nan'), None, 0)


def foresight_table(found: Sequence[Foresight]) -> Table:
    """Lay out the correlations, a row for each method."""
    rows = []
    for each in found:
        within = with_interval(each.within, each.within_interval)
        rows.append([each.method, str(each.walks), within, f'{each.over_all:.2f}'])
    return Table(HEADING, ['method', 'walks', 'within walks', 'over all walks'], rows)
