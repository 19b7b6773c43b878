"""Tell whether an ensemble knows when it is wrong: whether the spread of its predictions predicts their error.

Networks that differ in nothing but their training seed roll out the actions that were sent, from each recorded state,
H steps ahead. The spread is how far their positions lie apart, the error is how far their mean lies from where the
robot came to. Networks that agree where they are wrong, as all must who never saw the fault, give no warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.analysis.page import Table
from millirobot_adapt.analysis.statistics import Interval, with_interval
from millirobot_adapt.core.dynamics.method_interface import AdaptedModel
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.layout import PLANE
from millirobot_adapt.experiments.foresight import FEWEST, correlation, within_walks
from millirobot_adapt.learning.log_rollouts import Log

HEADING = 'Does the spread of the ensemble predict its error H steps ahead?'
NOTE = (
    'Spread: root mean square distance of the positions that the members predict from their mean. Error: distance of '
    'that mean from the true position. Spearman correlation within walks: the mean over walks, with its 95 % interval; '
    'over all walks: all ticks of all walks in one order. Alone: the mean error of a single member.'
)


@dataclass(frozen=True)
class EnsembleSpread:
    """How well the spread of an ensemble predicts its error, on the walks of one log."""

    log: str
    walks: int
    """Walks with enough ticks for a correlation of their own."""
    within: float
    """Mean over walks of the correlation over the ticks of a walk; NaN without such a walk."""
    within_interval: Interval | None
    """95 % interval of `within` over walks; None for fewer than two."""
    over_all: float
    """Correlation over all ticks of all walks."""
    spread: float
    """Mean spread [m]."""
    error: float
    """Mean error of the mean of the members [m]."""
    alone: float
    """Mean error of a single member [m]."""


def ensemble_spread(log: Log, members: Sequence[AdaptedModel], horizon: int) -> EnsembleSpread:
    """Roll out every member from every state of a log that is followed by H valid transitions.

    Args:
        log: What happened.
        members: Models of the log's robot.
        horizon: H.

    Raises:
        UserError: there are fewer than two members, or no stretch of H valid transitions.
    """
    if len(members) < 2:
        raise UserError('an ensemble has two members at least; name more models')
    spreads, errors, alone = [], [], []
    for row, valid in enumerate(log.rollouts.valid):
        states = log.rollouts.states[row].astype(float)
        actions = log.rollouts.actions[row].astype(float)
        starts = _starts(valid, horizon)
        if len(starts) == 0:
            continue
        ahead = starts + np.arange(horizon)[:, None]
        sent = actions[ahead]  # (H, K, nu)
        found = np.stack([member.rollout(states[starts], sent)[-1][:, PLANE] for member in members]).astype(float)
        true, mean = states[starts + horizon][:, PLANE], found.mean(0)
        spreads.append(np.sqrt(np.square(found - mean).sum(-1).mean(0)))
        errors.append(np.linalg.norm(mean - true, axis=-1))
        alone.append(np.linalg.norm(found - true, axis=-1).mean(0))
    if not spreads:
        raise UserError(f'{log.name}: holds no {horizon} valid transitions in a row; give longer walks or --horizon')
    walks = [np.column_stack(pair) for pair in zip(spreads, errors, strict=True)]
    within, interval, counted = within_walks([walk for walk in walks if len(walk) >= FEWEST])
    return EnsembleSpread(
        log.name,
        counted,
        within,
        interval,
        correlation(np.concatenate(walks)),
        float(np.concatenate(spreads).mean()),
        float(np.concatenate(errors).mean()),
        float(np.concatenate(alone).mean()),
    )


def _starts(valid: NDArray[np.bool_], horizon: int) -> NDArray[np.intp]:
    """Return the indices of the states that H valid transitions follow."""
    if len(valid) < horizon:
        return np.empty(0, dtype=np.intp)
    windows = np.lib.stride_tricks.sliding_window_view(valid, horizon)
    return np.flatnonzero(windows.all(-1))


def spread_table(found: Sequence[EnsembleSpread]) -> Table:
    """Lay out what was found, a row for each log."""
    rows = []
    for each in found:
        lengths = [f'{1e3 * length:.1f}' for length in (each.spread, each.error, each.alone)]
        rows.append(
            [
                each.log,
                str(each.walks),
                with_interval(each.within, each.within_interval),
                f'{each.over_all:.2f}',
                *lengths,
            ]
        )
    columns = ['log', 'walks', 'within walks', 'over all walks', 'spread [mm]', 'error [mm]', 'alone [mm]']
    return Table(HEADING, columns, rows)
