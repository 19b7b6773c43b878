"""A recorded run as arrays: states, actions, windows to adapt to, and what came after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from millirobot_adapt.analysis.replay.rollouts import Rollout
    from millirobot_adapt.analysis.run_data import RunData
    from millirobot_adapt.core.dynamics.method_interface import Window
    from millirobot_adapt.core.planning.reference_path import ReferencePath
    from millirobot_adapt.core.robot.description import RobotConfig
    from millirobot_adapt.core.robot.layout import FloatArray

LONGEST_WINDOW = 64
"""Transitions of a window, unless the caller says otherwise: more than any shipped model adapts to."""


def load_run(path: str | Path, namespace: str | None = None) -> LoadedRun:
    """Read a run folder or a bag, such as 'runs/latest'.

    The states are estimated again from motion capture and telemetry, as `millirobot replay` does. For a run of
    this package they are those that its controller used. A bag of `millirobot import-log` holds many stretches of
    walking; they follow each other here, and no window reaches across a gap.

    Args:
        path: Run folder, bag folder, `.mcap` or `.db3` file.
        namespace: The robot to read, where a bag holds several.

    Raises:
        UserError: there is no such bag, it is not readable, or no state can be estimated from it.
    """
    import numpy as np

    from millirobot_adapt.analysis.replay.decisions import ticks_again
    from millirobot_adapt.analysis.replay.rollouts import read_rollouts
    from millirobot_adapt.core.estimation.estimator_factory import make_estimator
    from millirobot_adapt.core.files import user_path
    from millirobot_adapt.recording.reader import open_bag
    from millirobot_adapt.recording.run_setup import recorded_estimator, recorded_robot

    bag = open_bag(user_path(str(path)), namespace=namespace)
    robot, config = recorded_robot(bag), recorded_estimator(bag)
    rollouts = read_rollouts(bag, lambda: make_estimator(config, robot), robot.dt)
    ticks = [_Used(record.stamp, record.state_stamp, record.sent.copy()) for record in ticks_again(bag)]
    stamps, states, actions = map(np.concatenate, zip(*(_walked(each, ticks) for each in rollouts), strict=True))
    first = rollouts[0]
    origin = min((ticks[number].stamp for number in first.ticks), default=float(first.stamps[0]))
    return LoadedRun(
        path=bag.path,
        robot=robot,
        times=stamps - origin,
        states=states,
        actions=actions,
        origin=origin,
        reference=first.path,
        rollouts=rollouts,
        namespace=namespace,
    )


class _Used(NamedTuple):
    """What a tick used."""

    stamp: float
    """When it began [s since the epoch]."""
    state_stamp: float
    """Of its state [s since the epoch]; NaN where it had none."""
    sent: FloatArray
    """What was executed before that state, shape (nu,)."""


def _walked(rollout: Rollout, ticks: Sequence[_Used]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return stamps, states and actions of a stretch: of a live run those that its ticks used, else all there are."""
    import numpy as np

    used = {rollout.find(ticks[number].state_stamp): ticks[number] for number in rollout.ticks}
    used.pop(None, None)
    if not used:
        return rollout.stamps, np.array(list(rollout.states)), rollout.actions
    places = sorted(k for k in used if k is not None)
    actions = np.full((len(places), rollout.actions.shape[1]), np.nan)
    for row, k in enumerate(places[1:]):
        actions[row] = used[k].sent
    return rollout.stamps[places], np.array([rollout.states[k] for k in places]), actions


@dataclass(frozen=True)
class LoadedRun:
    """A recorded run; `load_run` makes it."""

    path: Path
    """The bag."""
    robot: RobotConfig = field(repr=False)
    """Description of the robot; `robot.layout` names the columns of states and actions."""
    times: FloatArray
    """When each state was sampled [s since the first tick], shape (N,)."""
    states: FloatArray
    """Estimated states, shape (N, nx); `robot.layout.state_names` names the columns."""
    actions: FloatArray
    """What was executed from each state to the next [rad/s], shape (N, nu); NaN where nobody knows."""
    origin: float
    """Time zero [s since the epoch]."""
    reference: ReferencePath | None
    """The path that was followed [m; world]; None where the bag has none."""
    rollouts: Sequence[Rollout] = field(repr=False)
    """The stretches of walking that the arrays above join."""
    namespace: str | None = None

    @property
    def dt(self) -> float:
        """Control period [s]."""
        return self.robot.dt

    @cached_property
    def data(self) -> RunData:
        """Everything else in the bag: ticks, setpoints, true poses of the mock, faults, states of the nodes."""
        from millirobot_adapt.analysis.run_data import read_run_data
        from millirobot_adapt.recording.reader import open_bag

        return read_run_data(open_bag(self.path, namespace=self.namespace))

    @property
    def faults(self) -> list[tuple[float, str]]:
        """Faults that the mock reported: when they began [s since the first tick], and what."""
        from millirobot_adapt.analysis.run_data import spoken

        return [(fault.received - self.origin, spoken(fault)) for fault in self.data.walk_faults]

    def index(self, t: float) -> int:
        """Return the number of the newest state at time `t` [s since the first tick].

        Raises:
            UserError: the run has no state yet at that time, or has ended.
        """
        import numpy as np

        from millirobot_adapt.core.errors import UserError

        if not self.times[0] <= t <= self.times[-1] + self.dt:
            raise UserError(f't = {t:g} s: the run has states from {self.times[0]:.1f} s to {self.times[-1]:.1f} s')
        return int(np.searchsorted(self.times, t, side='right')) - 1

    def window(self, t: float, length: int = LONGEST_WINDOW) -> Window:
        """Return the last transitions before time `t`, the newest included: what a model adapts to.

        Args:
            t: Time [s since the first tick].
            length: Rows of the window; those that are not there have mask 0. A model takes the newest T1 of them.

        Raises:
            UserError: the run has no state at that time.
        """
        import numpy as np

        from millirobot_adapt.core.control.history import TransitionHistory

        newest = self.index(t)
        history = TransitionHistory(length, self.dt, self.robot.layout)
        for k in range(max(0, newest - 2 * length), newest + 1):
            known = k > 0 and np.isfinite(self.actions[k - 1]).all()
            history.add(float(self.times[k]), self.states[k], self.actions[k - 1] if known else None)
        return history.window()

    def ahead(self, t: float, steps: int = 10) -> tuple[FloatArray, FloatArray]:
        """Return what happened from time `t` on: the states, the newest at `t` first, and the actions between them.

        Args:
            t: Time [s since the first tick].
            steps: H, control periods to return.

        Returns:
            States (H + 1, nx) and actions (H, nu) [rad/s]: what `rollout` takes and should predict.

        Raises:
            UserError: the run has no state at that time, or there is a gap within the next `steps` periods.
        """
        import numpy as np

        from millirobot_adapt.core.control.history import is_valid_step
        from millirobot_adapt.core.errors import UserError

        k = self.index(t)
        states, actions = self.states[k : k + steps + 1], self.actions[k : k + steps]
        valid = is_valid_step(np.diff(self.times[k : k + steps + 1]), self.dt)
        if len(states) <= steps or not valid.all() or not np.isfinite(actions).all():
            raise UserError(f't = {t:g} s: the {steps} control periods after it are not whole; take another time')
        return states, actions

    def plot(self, ax: Any = None) -> Axes:
        """Draw the walked path, the path that was followed, and where faults began; return the axes."""
        import numpy as np

        from millirobot_adapt.analysis.figure_style import GREY, INK, STOP
        from millirobot_adapt.api.pictures import map_for

        with map_for(ax) as axes:
            if self.reference is not None:
                axes.plot(*self.reference.outline.T, color=GREY, linestyle='--', linewidth=1.0, label='path to follow')
            gaps = np.flatnonzero(np.diff(self.times) > 10 * self.dt) + 1
            x, y = (np.insert(self.states[:, column], gaps, np.nan) for column in (0, 1))
            axes.plot(x, y, color=INK, linewidth=1.2, label='walked')
            for time, text in self.faults:
                if self.times[0] <= time <= self.times[-1]:
                    axes.plot(*self.states[self.index(time), :2], 'X', color=STOP, label=text)
            axes.legend(fontsize='small')
        return axes
