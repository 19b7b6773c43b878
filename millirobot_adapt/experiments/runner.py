"""Run one episode in lock-step: the control loop of the live robot on the mock, without ROS and without waiting."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.path_follower import PathFollower
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.control.wiring import assemble
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.planning.tracking import Ending, PathTracker, Tracking
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.layout import FloatArray, X, Y
from millirobot_adapt.experiments.episode import COLUMNS, Episode, EpisodeSpec
from millirobot_adapt.experiments.look_ahead import LookAhead
from millirobot_adapt.sim.lockstep import NoEstimateError, Observation
from millirobot_adapt.sim.lockstep_robots import SteppedRobot, make_stepped

NAN = float('nan')


class Chosen(Protocol):
    """What a pilot decides in a tick."""

    @property
    def next_action(self) -> FloatArray:
        """The action for the next tick, shape (nu,)."""


class Pilot(Protocol):
    """Who steers: the control loop, or the path follower."""

    def restart(self, path: ReferencePath) -> None:
        """Begin a new run along `path`."""

    def step(
        self, tick: int, stamp: float, state: FloatArray, sent: FloatArray | None, executing: FloatArray
    ) -> Chosen:
        """Do one tick; the arguments are those of `ControlLoop.step`."""


def run_episode(spec: EpisodeSpec) -> Episode:
    """Run an episode of the spec.

    Raises:
        UserError: the model or the path is missing or bad.
    """
    dt = load_robot(spec.controller.robot).dt
    path = make_path(spec.shape)
    ticks = round(spec.seconds / dt)
    weights, ending = spec.controller.objective.shape_weights, spec.controller.ending(dt)
    return Episode(spec, path, *walk(make_lockstep(spec), make_pilot(spec), path, ticks, weights, ending))


def make_lockstep(spec: EpisodeSpec) -> SteppedRobot:
    """Make the mock of the spec, with its condition, estimator and seed.

    Raises:
        UserError: no such robot.
    """
    robot = load_robot(spec.controller.robot)
    return make_stepped(robot, spec.condition, make_estimator(spec.estimator, robot), spec.seed)


def make_pilot(spec: EpisodeSpec) -> Pilot:
    """Make the path follower, or the control loop with the spec's model.

    Raises:
        UserError: the model is missing, bad, or not one for this robot.
    """
    if spec.follower is not None:
        robot = load_robot(spec.controller.robot)
        return PathFollower(spec.follower, robot, spec.controller.objective.speed)
    return assemble(spec.controller).loop


def walk(
    robot: SteppedRobot,
    pilot: Pilot,
    path: ReferencePath,
    ticks: int,
    shape_weights: bool = True,
    ending: Ending | None = None,
) -> tuple[dict[str, FloatArray], str, str]:
    """Walk along the path for `ticks` control periods at most.

    In tick k the robot executes a_k, which was planned during tick k - 1, while the loop plans a_{k+1} from s_k; in the
    first tick it stands. Costs are those of the true pose, which also decides when the walk is over by `ending`.

    Returns:
        The table of `COLUMNS`, and `Episode.ended` and `Episode.reason`.
    """
    pilot.restart(path)
    tracker = PathTracker(path, shape_weights, ending)
    look_ahead = LookAhead(pilot.horizon) if isinstance(pilot, ControlLoop) else None
    observation = robot.reset()
    executing = observation.sent  # it stands
    begin, ended, reason, rows = observation.stamp, 'time', '', []
    for tick in range(ticks):
        tracking = tracker.update_pose(observation.true_position, float(observation.true_rpy[2]))
        decision = pilot.step(tick, observation.stamp, observation.state, observation.sent, executing)
        row = _row(observation.stamp - begin, observation, tracking, executing)
        if isinstance(pilot, ControlLoop) and isinstance(decision, TickResult) and look_ahead:
            errors = look_ahead.judge(observation.state, observation.sent, pilot.prior, decision.adaptation.model)
            row |= _told_by_model(decision) | {'ahead_before': errors[0], 'ahead_after': errors[1]}
        rows.append(row)
        stuck = isinstance(decision, TickResult) and not decision.plan.usable
        if tracking.finished or tracking.failed or stuck:
            ended = 'finished' if tracking.finished else 'failed' if tracking.failed else 'stopped'
            reason = tracking.failed
            break
        try:
            observation = robot.step(executing)
        except NoEstimateError as error:
            ended, reason = 'stopped', str(error)
            break
        executing = decision.next_action
    names = dict.fromkeys([*COLUMNS, *rows[0]])
    return {name: np.array([row.get(name, NAN) for row in rows], dtype=float) for name in names}, ended, reason


def _row(time: float, observation: Observation, tracking: Tracking, executing: FloatArray) -> dict[str, float]:
    """Return what every pilot's table holds of a tick."""
    return {
        'time': time,
        'x': observation.true_position[0],
        'y': observation.true_position[1],
        'yaw': observation.true_rpy[2],
        'estimated_x': observation.state[X],
        'estimated_y': observation.state[Y],
        'cross_track': tracking.cross_track,
        'progress': tracking.progress,
        'step_cost': tracking.step_cost,
        'faults': len(observation.faults),
        **{f'action_{number}': value for number, value in enumerate(executing)},
    }


def _told_by_model(result: TickResult) -> dict[str, float]:
    """Return the columns that need a model."""
    return {
        'pre_error': result.pre_error,
        'post_error': result.post_error,
        'inner_step': result.adaptation.step,
        'plan_cost': result.plan.cost,
        'effective_samples': result.plan.effective_samples,
    }
