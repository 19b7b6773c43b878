"""The record of one tick: everything it used and decided, as one flat array of float64 on the topic `tick`.

Layout: a header of six numbers (version, nx, nu, T1, H, count of all numbers), then the fields of `TickRecord` in the
order of their declaration, arrays row by row. Absent values are NaN, and so is what an older version did not record.
Times are seconds since the epoch, durations milliseconds, actions rad/s, states as in core/state.py, errors normalised
by the spread of the model's targets.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.core.state import NU, NX, FloatArray

VERSION = 3
HEADER = 6
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
    """Seed of the run; the planner's numbers are generator(seed, tick, chunk)."""
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
    """Segment of the path on which the objective stood."""
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
    chunks: float = dataclasses.field(default=NAN, metadata={'since': 2})
    """Chunks of candidates for which there was time; with 0 nothing was planned."""
    revision: float = dataclasses.field(default=NAN, metadata={'since': 3})
    """Which live parameters were in force, as `controller/parameters` counts them."""

    @classmethod
    def without_state(
        cls, tick: int, stamp: float, seed: int, executing: FloatArray, running: bool = True
    ) -> TickRecord:
        """Return the record of a tick in which nothing was planned: no state came, or the run was paused."""
        return cls(
            tick=tick,
            stamp=stamp,
            seed=seed,
            running=float(running),
            state_stamp=NAN,
            state=np.full(NX, NAN),
            executing=executing,
            sent=np.full(NU, NAN),
            window_states=np.empty((0, NX)),
            window_actions=np.empty((0, NU)),
            window_next_states=np.empty((0, NX)),
            window_mask=np.empty(0),
            previous_plan=np.empty((0, NU)),
            plan_actions=np.empty((0, NU)),
            plan_states=np.full((1, NX), NAN),
        )

    def encode(self) -> FloatArray:
        """Return the flat array."""
        sizes = {'nx': NX, 'nu': NU, 'T1': len(self.window_mask), 'H': len(self.plan_actions)}
        parts = [np.ravel(np.asarray(getattr(self, field.name), dtype=float)) for field in dataclasses.fields(self)]
        body = np.concatenate(parts)
        header = [VERSION, sizes['nx'], sizes['nu'], sizes['T1'], sizes['H'], HEADER + len(body)]
        return np.concatenate([np.array(header, dtype=float), body])

    @classmethod
    def decode(cls, data: FloatArray) -> TickRecord:
        """Read a flat array back.

        Raises:
            ValueError: a newer version, or a length that does not fit the header.
        """
        data = np.asarray(data, dtype=float)
        if (
            len(data) < HEADER
            or not 1 <= data[0] <= VERSION
            or data[5] != len(data)
            or not np.isfinite(data[:HEADER]).all()
        ):
            raise ValueError(f'not a tick record of version 1 to {VERSION}')
        nx, nu, t1, h = (int(value) for value in data[1:5])
        sizes = {'nx': nx, 'nu': nu, 'T1': t1, 'H': h, 'H1': h + 1}
        values: dict[str, Any] = {}
        place = HEADER
        for field in dataclasses.fields(cls):
            if field.metadata.get('since', 1) > data[0]:
                continue
            shape = tuple(sizes[letter] for letter in field.metadata.get('shape', ()))
            count = int(np.prod(shape)) if shape else 1
            if place + count > len(data):
                raise ValueError('tick record is shorter than its header says')
            values[field.name] = data[place : place + count].reshape(shape) if shape else float(data[place])
            place += count
        if place != len(data):
            raise ValueError('tick record is longer than its header says')
        return cls(**values)
