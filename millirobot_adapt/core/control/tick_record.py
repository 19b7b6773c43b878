"""The record of one tick: everything it used and decided; contract/tick_codec.py lays it out for the topic `tick`.

Absent values are NaN. Times are seconds since the epoch, durations milliseconds, actions rad/s, states as in
core/robot/state.py, errors normalised by the spread of the model's targets.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.core.robot.layout import FloatArray

NAN = float('nan')


def _array(*shape: str) -> Any:
    return dataclasses.field(metadata={'shape': shape})


@dataclass(frozen=True, kw_only=True)
class TickRecord:
    """One tick of the controller."""

    # what the tick was
    tick: float
    """Number of the tick since the controller started."""
    stamp: float
    """Start of the tick: when its setpoint was published [s]."""
    seed: float
    """Seed of the run; the planner's numbers are generator(seed, tick, batch)."""
    running: float
    """1 while following the path, 0 while paused."""
    # what it used
    state_stamp: float
    """Stamp of the state [s]; NaN when no state came in time."""
    state: FloatArray = _array('nx')
    executing: FloatArray = _array('nu')
    """The setpoint of this tick, row 0 of every candidate."""
    sent: FloatArray = _array('nu')
    """What the bridge really sent in the tick before."""
    window_states: FloatArray = _array('T1', 'nx')
    window_actions: FloatArray = _array('T1', 'nu')
    window_next_states: FloatArray = _array('T1', 'nx')
    window_mask: FloatArray = _array('T1')
    previous_plan: FloatArray = _array('H', 'nu')
    """The plan the search started from; NaN when there was none."""
    segment: float = NAN
    """Segment of the path at `arc_length`."""
    # what it decided
    plan_actions: FloatArray = _array('H', 'nu')
    plan_states: FloatArray = _array('H1', 'nx')
    cost: float = NAN
    cost_min: float = NAN
    cost_median: float = NAN
    effective_samples: float = NAN
    candidates: float = NAN
    finite: float = NAN
    # how well it knew
    loss_before: float = NAN
    """Mean squared normalised error over the window with theta*."""
    loss_after: float = NAN
    """The same with theta'."""
    gradient_norm: float = NAN
    inner_step: float = NAN
    """Fraction of the nominal inner step that was taken."""
    pre_error: float = NAN
    """Normalised error of predicting the newest transition with theta*."""
    post_error: float = NAN
    """The same with the theta' adapted before that transition was seen."""
    # how well it went
    cross_track: float = NAN
    """Signed distance to the path, positive to its left [m]."""
    progress: float = NAN
    """Distance along the path [m]."""
    step_cost: float = NAN
    """The paper's cost of this step on the estimated pose."""
    # how long it took
    wait_ms: float = NAN
    """From the start of the tick to the arrival of its state."""
    adapt_ms: float = NAN
    plan_ms: float = NAN
    work_ms: float = NAN
    """From the arrival of the state to the plan."""
    period_ms: float = NAN
    """Since the start of the tick before."""
    misses: float = NAN
    """Deadlines missed in a row when this tick began."""
    batches: float = dataclasses.field(default=NAN, metadata={'since': 2})
    """Batches of candidates for which there was time; with 0 nothing was planned."""
    revision: float = dataclasses.field(default=NAN, metadata={'since': 3})
    """Which live parameters were in use, as `controller/parameters` counts them."""
    share: float = dataclasses.field(default=NAN, metadata={'since': 4})
    """Part of `planner.samples` asked for; below 1 while the controller shed load."""
    arc_length: float = dataclasses.field(default=NAN, metadata={'since': 5})
    """Place on the path where the objective began [m]; laps of a closed path add up."""
    credit: float = dataclasses.field(default=NAN, metadata={'since': 5})
    """What was walked without progress, and may be caught up [m]."""
    left_out: float = dataclasses.field(default=NAN, metadata={'since': 5})
    """What was left out of the path where a lost robot re-entered it, so far in the run [m]."""

    @classmethod
    def without_state(
        cls, tick: int, stamp: float, seed: int, executing: FloatArray, nx: int, running: bool = True
    ) -> TickRecord:
        """Return the record of a tick in which nothing was planned: no state came, or the run was paused.

        `nx` is the width of a state.
        """
        nu = len(executing)
        return cls(
            tick=tick,
            stamp=stamp,
            seed=seed,
            running=float(running),
            state_stamp=NAN,
            state=np.full(nx, NAN),
            executing=executing,
            sent=np.full(nu, NAN),
            window_states=np.empty((0, nx)),
            window_actions=np.empty((0, nu)),
            window_next_states=np.empty((0, nx)),
            window_mask=np.empty(0),
            previous_plan=np.empty((0, nu)),
            plan_actions=np.empty((0, nu)),
            plan_states=np.full((1, nx), NAN),
        )
