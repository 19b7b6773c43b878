"""What the sampling planners share: chunks, scores, and the plan of last resort."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.planning.interface import Objective, Plan, Rollout
from millirobot_adapt.core.state import FloatArray


def chunk_sizes(samples: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Yield (number, size) of chunks that add up to `samples`; all but the last have the size `chunk`."""
    for number, start in enumerate(range(0, samples, chunk)):
        yield number, min(chunk, samples - start)


def held(draws: FloatArray, horizon: int, hold: int) -> FloatArray:
    """Repeat each row of draws (ceil(horizon / hold), ...) for `hold` steps, to shape (horizon, ...)."""
    return np.repeat(draws, hold, axis=0)[:horizon]


def score(rollout: Rollout, objective: Objective, actions: FloatArray) -> tuple[NDArray[np.floating], FloatArray]:
    """Roll out actions (H, K, nu); return states (H + 1, K, nx) and costs (K,).

    A candidate whose cost or any predicted number is not finite costs +inf.
    """
    states = rollout(actions)
    # A diverging model overflows on its way to infinity; its candidates are refused below.
    with np.errstate(invalid='ignore', over='ignore'):
        costs = np.asarray(objective(states, actions), dtype=float)
    valid = np.isfinite(costs) & np.isfinite(states).all(axis=(0, 2))
    return states, np.where(valid, costs, np.inf)


def shifted(previous: Plan, executing: FloatArray) -> FloatArray:
    """Return the previous plan's actions one tick later, the last one repeated, row 0 = executing; shape (H, nu)."""
    actions = np.concatenate((previous.actions[1:], previous.actions[-1:]))
    actions[0] = executing
    return actions


def no_plan(executing: FloatArray, previous: Plan | None, state: FloatArray, horizon: int, candidates: int) -> Plan:
    """Return what is left when no candidate has a finite cost: the previous plan one tick later, or standing still."""
    if previous is None:
        actions = np.zeros((horizon, len(executing)))
        actions[0] = executing
    else:
        actions = shifted(previous, executing)
    states = np.repeat(np.asarray(state, dtype=float)[None], horizon + 1, axis=0)
    return Plan(actions, states, np.inf, (np.inf, np.inf), 0.0, candidates, 0)


def spread(costs: FloatArray) -> tuple[float, float]:
    """Return the smallest and the median finite cost."""
    finite = costs[np.isfinite(costs)]
    return float(finite.min()), float(np.median(finite))
