"""The mock robot in lock-step, for scripts: step by step, or a whole walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from millirobot_adapt.core.planning.reference_path import ReferencePath
    from millirobot_adapt.core.robot.layout import FloatArray
    from millirobot_adapt.experiments.runner import Pilot
    from millirobot_adapt.sim.conditions import Condition
    from millirobot_adapt.sim.lockstep import Observation
    from millirobot_adapt.sim.lockstep_robots import SteppedRobot


class Sim:
    """The mock robot without ROS and without waiting: one call, one control period. Needs the extra `sim`."""

    def __init__(
        self,
        robot: str = 'velociroach',
        condition: str | Mapping[str, Any] | Condition = 'flat',
        seed: int = 0,
        fault_time: float | None = None,
    ) -> None:
        """Make the world; the robot stands at its start until `reset` or `walk`.

        Args:
            robot: A name under params/robots/, or a file.
            condition: A name under params/conditions/, a file, or its keys, such as {'terrain': 'carpet'}.
            seed: Seed of all noise.
            fault_time: When the first fault of the condition begins [s since the robot first moved]; None: as the
                condition says.

        Raises:
            UserError: no such robot or condition, or the condition needs processes, which are not here.
        """
        from millirobot_adapt.core.robot.description import load_robot
        from millirobot_adapt.sim.conditions import load_condition, make_condition

        self.robot = load_robot(robot)
        if isinstance(condition, str):
            self.condition = load_condition(condition)
        elif isinstance(condition, Mapping):
            self.condition = make_condition(condition, 'own', 'condition')
        else:
            self.condition = condition
        if fault_time is not None:
            self.condition = self.condition.with_faults_from(fault_time)
        self.seed = seed
        self._lockstep: SteppedRobot | None = None

    def reset(self) -> Observation:
        """Begin a new run: the robot stands at its start, the estimator knows nothing of the run before."""
        from millirobot_adapt.core.config import read_params
        from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
        from millirobot_adapt.core.estimation.estimator_factory import make_estimator
        from millirobot_adapt.core.share import find
        from millirobot_adapt.sim.lockstep_robots import make_stepped

        config = read_params(find('params', 'estimator', '.yaml'), 'estimator', EstimatorNodeConfig)
        estimator = make_estimator(config, self.robot)
        self._lockstep = make_stepped(self.robot, self.condition, estimator, self.seed)
        return self._lockstep.reset()

    def step(self, action: ArrayLike) -> Observation:
        """Send an action, let one control period pass, and return what is known at its end.

        Args:
            action: Shape (nu,), in the units of the robot's file; of velociroach leg velocities [rad/s].

        Returns:
            `state` (nx,) as estimated, `sent` (nu,) as really executed, `true_position` (3,) [m], `true_rpy` (3,)
            [rad], `stamp` [s], `faults`.

        Raises:
            RuntimeError: `reset` was not called.
        """
        import numpy as np

        if self._lockstep is None:
            raise RuntimeError('reset() must come before step()')
        return self._lockstep.step(np.asarray(action, dtype=float))

    def walk(
        self,
        controller: Pilot | Callable[[FloatArray], ArrayLike],
        path: str | ReferencePath = 'figure8',
        seconds: float = 20.0,
    ) -> SimWalk:
        """Walk a new run with a controller: `make_controller()`, or a function from a state (nx,) to an action (nu,).

        In each control period the robot executes the action that was decided in the one before, as on the real robot.

        Args:
            controller: Who steers.
            path: Shape, CSV or YAML file, or a path made by hand; it is laid from the origin of `world`.
            seconds: How long, unless an open path ends before [s].

        Raises:
            UserError: no such path.
        """
        from millirobot_adapt.core.planning.paths import make_path
        from millirobot_adapt.experiments.runner import walk

        reference = make_path(path) if isinstance(path, str) else path
        pilot: Any = controller if hasattr(controller, 'restart') else _Function(controller)
        table, ended, reason = walk(_Fresh(self), pilot, reference, round(seconds / self.robot.dt))
        return SimWalk(reference, table, ended, reason)


@dataclass(frozen=True)
class SimWalk:
    """A walk of the mock; `Sim.walk` makes it."""

    path: ReferencePath
    """The path that was to be followed [m; world]."""
    table: Mapping[str, FloatArray]
    """A value a tick by column: time [s], x, y [m], yaw [rad], step_cost, cross_track [m], action_0, action_1 [rad/s]
    and more; `experiments.episode.COLUMNS` describes them."""
    ended: str
    """time, finished (the end of an open path), failed (given up) or stopped (the model predicts nothing finite)."""
    reason: str = ''
    """Why it failed; '' otherwise."""

    @property
    def cost(self) -> float:
        """Mean cost of a step on the true pose, the paper's formula."""
        return float(self.table['step_cost'][1:].mean())

    def plot(self, ax: Any = None, label: str = 'walked') -> Axes:
        """Draw the path, what was walked, and where faults began; return the axes."""
        import numpy as np

        from millirobot_adapt.analysis.figure_style import GREY, STOP
        from millirobot_adapt.api.pictures import map_for

        with map_for(ax) as axes:
            axes.plot(*self.path.outline.T, color=GREY, linestyle='--', linewidth=1.0)
            axes.plot(self.table['x'], self.table['y'], linewidth=1.2, label=label)
            for k in np.flatnonzero(np.diff(self.table['faults']) > 0) + 1:
                axes.plot(self.table['x'][k], self.table['y'][k], 'X', color=STOP, label='a fault begins')
            axes.legend(fontsize='small')
        return axes


class _Fresh:
    """Gives a walk a robot that has not walked yet."""

    def __init__(self, sim: Sim) -> None:
        self.reset, self.step = sim.reset, sim.step


class _Function:
    """A function from states to actions in the place of a controller."""

    def __init__(self, function: Callable[[FloatArray], ArrayLike]) -> None:
        self._function = function
        self.next_action: FloatArray

    def restart(self, path: ReferencePath) -> None:
        """Begin a run; a function has nothing to forget."""

    def step(
        self, tick: int, stamp: float, state: FloatArray, sent: FloatArray | None, executing: FloatArray
    ) -> _Function:
        """Decide on the next action."""
        import numpy as np

        self.next_action = np.asarray(self._function(state), dtype=float)
        return self
