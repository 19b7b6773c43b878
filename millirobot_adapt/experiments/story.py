"""One story: who walks which path under what conditions; and what an episode of it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.state import FloatArray


@dataclass(frozen=True)
class Story:
    """Everything that decides an episode: two equal stories walk the same steps."""

    method: str
    """An adaptation method; `method@engine` runs it on another engine than the parameters say, `method=bundle` on
    another bundle than its own, `method@engine=bundle` both."""
    condition: str
    shape: str
    seed: int
    seconds: float
    params: str
    """Path of the controller's parameter file."""
    estimator_params: str
    """Path of the estimator's parameter file."""

    def bundle(self, robot: str) -> tuple[str, str]:
        """Return method and model bundle: by default the bundle `<robot>_<method>`.

        Raises:
            UserError: a part is empty.
        """
        method, _, bundle = self._parts()
        return method, bundle or f'{robot}_{method}'

    @property
    def engine(self) -> str:
        """The engine named with the method; '' for that of the parameters."""
        return self._parts()[1]

    def _parts(self) -> tuple[str, str, str]:
        """Take method, engine and bundle apart."""
        where, given, bundle = self.method.partition('=')
        method, named, engine = where.partition('@')
        if not method or (given and not bundle) or (named and not engine):
            raise UserError(f'method {self.method!r}: write a method, method@engine, method=bundle or both')
        return method, engine, bundle


COLUMNS: dict[str, str] = {
    'time': 'start of the tick [s since the first tick]',
    'x': 'true position [m; world]',
    'y': 'true position [m; world]',
    'yaw': 'true yaw [rad]',
    'estimated_x': 'estimated position [m; world]',
    'estimated_y': 'estimated position [m; world]',
    'cross_track': 'true signed distance to the path [m], left positive',
    'progress': 'true arc length walked along the path [m]',
    'step_cost': "cost of the step that ends here, the paper's formula on the true pose",
    'left': 'setpoint in force during the tick [rad/s]',
    'right': 'setpoint in force during the tick [rad/s]',
    'pre_error': 'normalised one-step prediction error with theta*',
    'post_error': "the same with theta'",
    'inner_step': 'share of the nominal inner step that was taken',
    'plan_cost': 'cost of the plan',
    'faults': 'faults that have begun',
}
"""The columns of an episode's table, one row a tick."""


@dataclass(frozen=True)
class Episode:
    """One run of a story."""

    story: Story
    path: ReferencePath
    table: dict[str, FloatArray]
    """Every column of `COLUMNS`, shape (ticks,)."""
    ended: str
    """time, finished (the end of an open path) or stopped (the model predicts nothing finite)."""


@dataclass(frozen=True)
class Summary:
    """How well a stretch of an episode went."""

    cost: float
    """Mean cost of a step."""
    cross_track_rms_m: float
    progress_m: float
    """Arc length gained along the path [m]."""
    seconds: float
    pre_error: float
    post_error: float


def summarise(table: dict[str, FloatArray], dt: float, after_fault: bool = False) -> Summary | None:
    """Sum up an episode, or what came after its first fault; None where nothing did.

    The first tick ends no step and is left out.
    """
    chosen = np.arange(len(table['time'])) > 0
    if after_fault:
        chosen &= table['faults'] > 0
    if not chosen.any():
        return None
    rows = np.flatnonzero(chosen)
    return Summary(
        cost=float(table['step_cost'][rows].mean()),
        cross_track_rms_m=float(np.sqrt(np.square(table['cross_track'][rows]).mean())),
        progress_m=float(table['progress'][rows[-1]] - table['progress'][rows[0] - 1]),
        seconds=float(len(rows) * dt),
        pre_error=_mean(table['pre_error'][rows]),
        post_error=_mean(table['post_error'][rows]),
    )


def _mean(values: FloatArray) -> float:
    """Return the mean of the values that are there (the first ticks have no prediction yet)."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else float('nan')
