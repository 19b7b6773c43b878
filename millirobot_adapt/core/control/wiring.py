"""Put the control loop together from its parameters: the one place where robot, model, planner and path meet.

The controller node, the lock-step evaluation and replay all read the same `params/controller.yaml` through it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.core.control.controller import Controller
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.planning_model import LoadedModel, load_model, standing_state
from millirobot_adapt.core.control.tick_result import Tuning
from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.provider import identity_of, place_of
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.freed_memory import keep_freed_memory
from millirobot_adapt.core.niceness import NICENESS
from millirobot_adapt.core.planning.objective import ObjectiveConfig
from millirobot_adapt.core.planning.path_source import PathSource
from millirobot_adapt.core.planning.paths import make_path, straight
from millirobot_adapt.core.planning.planner_factory import PlannerConfig, make_planner
from millirobot_adapt.core.planning.tracking import Ending
from millirobot_adapt.core.repeatability import fingerprint
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.safety.geofence import fence_text


class ControllerConfig(Config):
    """Every parameter of the controller (params/controller.yaml)."""

    robot: str = param('velociroach', 'Robot: a name under params/robots/ or the path of a YAML file.')
    model: str = param('velociroach_rebal', 'Model bundle: a name under models/ or the path of a folder.')
    method: str = param('', 'Adaptation method; empty: the one the bundle was trained for.')
    adapt: bool = param(True, 'Adapt the model to what the robot does; false: plan with theta*.', live='any')
    path: str = param(
        'figure8', 'Path to follow: a shape, a CSV or YAML file of waypoints, or topic: what ~/path last brought.'
    )
    anchor: str = param(
        'robot', 'Where the path is laid: from where the robot stands, or in world.', choices=('robot', 'world')
    )
    seed: int = param(0, 'Seed of everything random in the controller.', low=0, high=2**31)
    niceness: int = NICENESS
    deadline: float = param(
        0.09, 'Time for a plan, from the start of its tick; the search ends with the best so far.', unit='s',
        low=0.001, high=1.0,
    )  # fmt: skip
    misses_allowed: int = param(
        3,
        'Deadlines missed, or ticks without a usable plan, in a row before the robot is stopped.',
        unit='ticks',
        low=0,
    )
    stale_after: float = param(0.5, 'A run does not start on a state older than this.', unit='s', low=0.05, high=10.0)
    state_timeout: float = param(
        1.0, 'A run ends when no state has come for this long; after misses_allowed ticks without one it stands.',
        unit='s', low=0.1, high=10.0,
    )  # fmt: skip
    finish_tolerance: float = param(
        0.3, 'A path is finished only this near to its end, and only if it was walked.', unit='m', low=0.02, high=5.0
    )
    progress_timeout: float = param(
        30.0,
        'A run ends when it makes no progress along the path for this long; 0: never.',
        unit='s',
        low=0.0,
        high=3600.0,
    )
    trial_ticks: int = param(
        100,
        'Ticks over which a model that was swapped in is compared with the one before it, which comes back if it '
        'predicts them better; 0: never.',
        unit='ticks',
        low=0,
        high=100_000,
    )
    planner: PlannerConfig = section(PlannerConfig, 'How to search.')
    objective: ObjectiveConfig = section(ObjectiveConfig, 'What to search for.')
    engine: EngineConfig = section(EngineConfig, 'How the network is evaluated.')

    def fence_objection(self, bridge_fence: str) -> str:
        """Say that the fence which plans keep to is not that of the bridge.

        Args:
            bridge_fence: That of the bridge, as `fence_text` has it; empty: it has none, or is not known.

        Returns:
            The line for people; empty: they are the same, or plans keep to none.
        """
        own = fence_text(self.objective.fence_corners)
        if self.objective.weight('fence') > 0 and bridge_fence not in ('', own):
            return f'objective.fence_corners = [{own}] is not the gate.fence of the bridge, [{bridge_fence}]'
        return ''

    def ending(self, dt: float) -> Ending:
        """Return when a run is over, with control periods of `dt` [s]."""
        return Ending(self.finish_tolerance, self.progress_timeout / dt if self.progress_timeout else np.inf)


@dataclass(frozen=True)
class Assembly:
    """A control loop and what it was made of."""

    config: ControllerConfig
    robot: RobotConfig
    model: LoadedModel
    """The model that the loop begins with."""
    loop: ControlLoop
    paths: PathSource

    @property
    def bundle(self) -> Bundle:
        """The bundle of the model that the loop begins with."""
        return self.model.bundle

    def controller(self) -> Controller:
        """Make what runs the loop in real time."""
        config = self.config
        return Controller(
            self.loop,
            self.paths.lay,
            dt=self.robot.dt,
            layout=self.robot.layout,
            seed=config.seed,
            deadline=config.deadline,
            misses_allowed=config.misses_allowed,
            stale_after=config.stale_after,
            state_timeout=config.state_timeout,
        )

    def tuning(self, config: ControllerConfig, revision: int, model: LoadedModel | None = None) -> Tuning:
        """Make the live parameters of `config` ready for the loop, as the change of that number.

        `model` is the one to plan with from then on; None: the one in use.
        """
        planner = make_planner(config.planner, self.robot, place_of(self.config.engine))
        return Tuning(planner, config.objective, config.adapt, revision, model)

    @property
    def details(self) -> dict[str, str]:
        """Say about the first model what `details_of` says."""
        return self.details_of(self.model)

    def details_of(self, model: LoadedModel) -> dict[str, str]:
        """Describe a model: its name, the method in use, and what the bits of its results depend on."""
        bundle = model.bundle
        return {
            'model': bundle.path.name,
            'model origin': bundle.origin,
            'method': self.config.method or bundle.method,
            'fingerprint': fingerprint(self.config.engine, identity_of(self.config.engine)),
        }


def assemble(
    config: ControllerConfig, robot: RobotConfig | None = None, clock: Callable[[], float] = time.perf_counter
) -> Assembly:
    """Make the control loop that the parameters describe.

    Args:
        config: Parameters of the controller.
        robot: The robot, where it is known already (a recorded one); None: the one that the parameters name.
        clock: What the loop measures its own times by [s].

    Raises:
        UserError: the robot, model or path is not there; the model or the deadline does not fit the robot.
    """
    keep_freed_memory()
    robot = load_robot(config.robot) if robot is None else robot
    model = load_model(config.model, robot, config.engine, config.method)
    if config.deadline > robot.dt:
        raise UserError(
            f'deadline = {config.deadline} s is longer than the control period of {robot.name}; '
            f'give {robot.dt} s or less'
        )
    planner = make_planner(config.planner, robot, place_of(config.engine))
    loop = ControlLoop(
        method=model.method,
        planner=planner,
        objective=config.objective,
        prediction_error=model.prediction_error,
        dt=robot.dt,
        seed=config.seed,
        layout=robot.layout,
        ending=config.ending(robot.dt),
        clock=clock,
        helper=_helper(config.engine),
    )
    paths = PathSource(config.path, config.anchor, config.objective.polygon)
    loop.tune(Tuning(planner, config.objective, config.adapt, revision=0, model=model))
    return Assembly(config, robot, model, loop, paths)


def _helper(engine: EngineConfig) -> ThreadPoolExecutor | None:
    """Return the second thread of a loop, where the engine may use a second core; all work of a device stays on one."""
    return ThreadPoolExecutor(1) if engine.provider == 'cpu' and engine.threads > 1 else None


def warm_up(assembly: Assembly, ticks: int = 3) -> None:
    """Run a few ticks on a robot that stands at the origin: the first ones are slow, and not for a live run.

    Raises:
        UserError: no plan comes of it, because the model predicts nothing finite.
    """
    layout = assembly.robot.layout
    state = standing_state(layout)
    # A device captures a search for each kind of path: open, and closed.
    paths = [straight(), *([make_path('figure8')] if assembly.config.engine.provider != 'cpu' else [])]
    for tick in range(ticks * len(paths)):
        if tick % ticks == 0:
            assembly.loop.restart(paths[tick // ticks])
        result = assembly.loop.step(tick, tick * assembly.robot.dt, state, layout.neutral, layout.action_low)
        if not result.plan.usable:
            raise UserError(
                f'{assembly.bundle.path}: predicts nothing finite for a robot that stands; choose another model, or '
                'train this one again'
            )
