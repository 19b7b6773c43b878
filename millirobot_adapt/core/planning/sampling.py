"""What the sampling planners share: chunks, scores, bounds, and what is left without a plan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.planning.bounds import Bounds
from millirobot_adapt.core.planning.budget import GoOn
from millirobot_adapt.core.planning.interface import Objective, Plan, Rollout
from millirobot_adapt.core.robot.state import NX, FloatArray


def chunk_sizes(samples: int, chunk: int, go_on: GoOn) -> Iterator[tuple[int, int]]:
    """Yield (number, size) of chunks that add up to `samples`, as long as `go_on`; all but the last have size `chunk`.

    A size never depends on the time that is left: what a chunk computes is the same however many follow.
    """
    for number, start in enumerate(range(0, samples, chunk)):
        if not go_on(number):
            return
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


def first_guess(bounds: Bounds, previous: Plan | None, executing: FloatArray, horizon: int) -> FloatArray:
    """Return where a search starts, shape (H, nu): the plan before one tick later, or the middle of the range."""
    if previous is None:
        guess = np.repeat(bounds.middle[None], horizon, axis=0)
        guess[0] = executing
    else:
        guess = shifted(previous, executing)
    return bounds.keep(guess)


def no_plan(executing: FloatArray, horizon: int, candidates: int, chunks: int) -> Plan:
    """Return what is left when no candidate has a finite cost, or none was scored: standing, nothing predicted."""
    actions = np.zeros((horizon, len(executing)))
    actions[0] = executing
    return Plan(actions, np.full((horizon + 1, NX), np.nan), np.inf, (np.inf, np.inf), 0.0, candidates, 0, chunks)


def spread(costs: FloatArray) -> tuple[float, float]:
    """Return the smallest and the median finite cost."""
    finite = costs[np.isfinite(costs)]
    return float(finite.min()), float(np.median(finite))
