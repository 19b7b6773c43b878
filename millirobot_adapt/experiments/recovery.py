"""How a method recovers from a fault in mid-run: errors and costs against the time since it began, over all walks.

Walks are aligned at their first fault and averaged tick by tick. A method has recovered where the running mean of that
average is back within 20 % of the level at which it then stays, which may be another one than before. It is as before
from where on it stays within 20 % of the level before the fault. What is judged at a tick is what was predicted before:
the next step one tick before, the position H steps ahead H ticks before. So up to H ticks of the latter's time are the
horizon itself: whatever was predicted before the fault could not know of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from millirobot_adapt.analysis.page import Table
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.experiments.episode import Episode

QUANTITIES: dict[str, str] = {
    'post_error': 'next step',
    'ahead_after': 'H steps ahead [m]',
    'step_cost': 'cost of a step',
}
"""Columns of an episode's table that are followed, and what tables and figures call them."""
TOLERANCE = 1.2
"""Recovered is within this factor of the level after."""
SETTLED = (5.0, 10.0)
"""The level after is the mean over this stretch of time since the fault [s]."""
STARTED = 2.0
"""The beginning of a walk, while the window fills, is left out of the level before the fault [s]."""
SHOWN = 3.0
"""How much of the time before the fault is shown [s]."""
SMOOTHED = 0.5
"""Width of the running mean [s]."""
RESAMPLES = 500
_BOOTSTRAP = 11


@dataclass(frozen=True)
class Aligned:
    """One quantity of all walks of a method under a condition, aligned at the fault."""

    method: str
    condition: str
    quantity: str
    since: FloatArray
    """Time since the first tick that the fault had reached [s], shape (N,)."""
    values: FloatArray
    """Shape (walks, N); NaN where a walk has no value."""
    before: FloatArray
    """Mean of each walk from `STARTED` to the fault, shape (walks,)."""
    given_up: FloatArray
    """1 where a walk failed or stopped before the end of `SETTLED`, else 0, shape (walks,)."""


@dataclass(frozen=True)
class Recovery:
    """How one quantity of a method recovered under a condition."""

    method: str
    condition: str
    quantity: str
    walks: int
    before: float
    """Mean level before the fault."""
    peak: float
    """Largest value of the running mean from the fault to the beginning of `SETTLED`."""
    after: float
    """Mean level over `SETTLED`."""
    seconds: float | None
    """From the fault until the running mean is within `TOLERANCE` of `after`; None where it never is before
    `SETTLED`."""
    interval: tuple[float, float] | None
    """95 % bootstrap interval of `seconds` over walks, in which one that never comes back counts as the beginning of
    `SETTLED`; None for fewer than three walks."""
    as_before: float | None
    """From the fault until the running mean stays within `TOLERANCE` of `before`; None where it is above it at the
    beginning of `SETTLED`."""
    as_before_interval: tuple[float, float] | None
    """As `interval`."""
    not_back: int
    """Walks whose own level after is above `TOLERANCE` times their level before, or that were given up."""


def recoveries(episodes: Sequence[Episode], methods: Sequence[str]) -> list[Recovery]:
    """Return the recovery of each quantity of each method under each condition whose walks meet a fault in mid-run."""
    return [found for aligned in align(episodes, methods) if (found := recovery_of(aligned)) is not None]


def align(episodes: Sequence[Episode], methods: Sequence[str]) -> Iterator[Aligned]:
    """Yield what can be followed around a fault; nothing of a method that has no such quantity."""
    conditions = dict.fromkeys(episode.spec.condition.name for episode in episodes)
    for condition in conditions:
        for method in methods:
            walks = [
                (episode, begun)
                for episode in episodes
                if (episode.spec.condition.name, episode.spec.method) == (condition, method)
                and (begun := _begun(episode)) is not None
            ]
            for quantity in QUANTITIES:
                if walks and any(np.isfinite(episode.table[quantity]).any() for episode, _ in walks):
                    yield _aligned(walks, method, condition, quantity)


def _begun(episode: Episode) -> int | None:
    """Return the first tick that a fault had reached; None without one, or too early for a level before it."""
    ticks = np.flatnonzero(episode.table['faults'] > 0)
    return int(ticks[0]) if len(ticks) and episode.table['time'][ticks[0]] > STARTED else None


def _aligned(walks: Sequence[tuple[Episode, int]], method: str, condition: str, quantity: str) -> Aligned:
    dt = float(np.median(np.diff(walks[0][0].table['time'])))
    early, late = round(SHOWN / dt), round(SETTLED[1] / dt)
    since = np.asarray(dt * (np.arange(early + late) - early), dtype=float)
    values = np.full((len(walks), early + late), np.nan)
    before, given_up = np.full(len(walks), np.nan), np.zeros(len(walks))
    for row, (episode, begun) in enumerate(walks):
        column = episode.table[quantity]
        taken = slice(max(0, begun - early), begun + late)
        own = column[taken]
        first = taken.start - (begun - early)
        values[row, first : first + len(own)] = own
        calm = column[round(STARTED / dt) : begun]
        before[row] = _mean(calm)
        given_up[row] = episode.ended in ('failed', 'stopped') and len(column) < begun + late
    return Aligned(method, condition, quantity, since, values, before, given_up)


def recovery_of(aligned: Aligned) -> Recovery | None:
    """Return the recovery; None where no walk lasts until the level after is known."""
    settled = (aligned.since >= SETTLED[0]) & (aligned.since < SETTLED[1])
    own_after = np.array([_mean(row[settled]) for row in aligned.values])
    if not np.isfinite(own_after).any():
        return None
    before, intervals = _mean(aligned.before), _intervals(aligned)
    found = _settling(aligned.since, mean_curve(aligned.values), before)
    back = own_after <= TOLERANCE * aligned.before
    return Recovery(
        method=aligned.method,
        condition=aligned.condition,
        quantity=aligned.quantity,
        walks=len(aligned.values),
        before=before,
        peak=found.peak,
        after=found.after,
        seconds=found.seconds,
        interval=intervals[0],
        as_before=found.as_before,
        as_before_interval=intervals[1],
        not_back=int((~back | (aligned.given_up > 0)).sum()),
    )


class _Settling(NamedTuple):
    """What a mean over walks does after the fault; the fields are those of `Recovery`."""

    after: float
    peak: float
    seconds: float | None
    as_before: float | None


def _settling(since: FloatArray, curve: FloatArray, before: float) -> _Settling:
    """Follow the mean over walks (N,) from the fault on; `before` is its level before."""
    after = _mean(curve[(since >= SETTLED[0]) & (since < SETTLED[1])])
    smooth = running_mean(curve, since)
    rows = np.flatnonzero((since >= 0) & (since < SETTLED[0]) & np.isfinite(smooth))
    above = rows[smooth[rows] > TOLERANCE * before]
    if not len(above):
        as_before: float | None = 0.0
    else:
        as_before = None if above[-1] == rows[-1] else float(since[above[-1] + 1])
    if not len(rows):
        return _Settling(after, float('nan'), None, as_before)
    peak = int(rows[np.argmax(smooth[rows])])
    back = rows[(rows >= peak) & (smooth[rows] <= TOLERANCE * after)]
    if not len(back):
        return _Settling(after, float(smooth[peak]), None, as_before)
    # A peak that is within the tolerance itself never left.
    return _Settling(after, float(smooth[peak]), 0.0 if back[0] == peak else float(since[back[0]]), as_before)


def mean_curve(values: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the mean over walks at each tick, shape (N,) or, under several sets of weights (R, walks), (R, N).

    It is NaN where there is no value.
    """
    there = np.isfinite(values)
    weights = np.ones(len(values)) if weights is None else weights
    return _quotient(weights @ np.where(there, values, 0.0), weights @ there)


def running_mean(curve: FloatArray, since: FloatArray) -> FloatArray:
    """Return the mean over `SMOOTHED` around each tick that does not cross the fault, shape (N,)."""
    dt = float(since[1] - since[0])
    apart = np.abs(since[:, None] - since) <= 0.5 * SMOOTHED + 1e-6 * dt
    near = (apart & ((since >= 0)[:, None] == (since >= 0))).astype(float)
    there = np.isfinite(curve)
    return _quotient(near @ np.where(there, curve, 0.0), near @ there)


def _quotient(sums: FloatArray, counts: FloatArray) -> FloatArray:
    return np.where(counts > 0, sums / np.where(counts > 0, counts, 1.0), np.nan)


def _intervals(aligned: Aligned) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Return the intervals of `Recovery.seconds` and `Recovery.as_before`; none for fewer than three walks."""
    count = len(aligned.values)
    if count < 3:
        return None, None
    # How often each walk is drawn, when as many walks as there are are drawn with replacement.
    drawn = generator(0, _BOOTSTRAP, count).multinomial(count, np.full(count, 1.0 / count), RESAMPLES).astype(float)
    curves = mean_curve(aligned.values, drawn)
    levels = mean_curve(aligned.before[:, None], drawn)[:, 0]
    found = [_settling(aligned.since, curve, level) for curve, level in zip(curves, levels, strict=True)]
    return _percentiles([each.seconds for each in found]), _percentiles([each.as_before for each in found])


def _percentiles(seconds: Sequence[float | None]) -> tuple[float, float]:
    low, high = np.percentile([SETTLED[0] if each is None else each for each in seconds], [2.5, 97.5])
    return float(low), float(high)


def _mean(values: FloatArray) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else float('nan')


NOTE = (
    f'Level before: from {STARTED:g} s to the fault; level after: {SETTLED[0]:g} to {SETTLED[1]:g} s after it. '
    f'Back: the mean over walks, averaged over {SMOOTHED:g} s, is within {TOLERANCE - 1:.0%} of its level after; in '
    'brackets the 95 % bootstrap interval over walks. As before: from then on that mean stays within '
    f'{TOLERANCE - 1:.0%} of the level before. '
    f'Not back: walks whose own level after is above {TOLERANCE:g} times their level before, or that were given up.'
)


def recovery_table(found: Sequence[Recovery]) -> Table:
    """Lay out the recoveries, a row for each."""
    times = ['back after [s]', 'as before after [s]', 'not back']
    columns = ['condition', 'quantity', 'method', 'before', 'peak', 'after', *times]
    return Table('Recovery from a fault in mid-run', columns, [_line(each) for each in found])


def _line(found: Recovery) -> list[str]:
    back = _time(found.seconds, found.interval)
    as_before = _time(found.as_before, found.as_before_interval)
    levels = (f'{value:.3f}' if np.isfinite(value) else '' for value in (found.before, found.peak, found.after))
    names = (found.condition, QUANTITIES[found.quantity], found.method)
    return [*names, *levels, back, as_before, f'{found.not_back} of {found.walks}']


def _time(seconds: float | None, interval: tuple[float, float] | None) -> str:
    told = 'never' if seconds is None else f'{seconds:.1f}'
    return f'{told} [{interval[0]:.1f}, {interval[1]:.1f}]' if interval else told
