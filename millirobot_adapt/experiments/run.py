"""Run one episode in lock-step: the control loop of the live robot on the mock, without ROS and without waiting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.control.wiring import Assembly, ControllerConfig, assemble
from millirobot_adapt.core.estimation.config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.factory import make_estimator
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.planning.tracking import PathTracker, Tracking
from millirobot_adapt.core.robot import RobotConfig, load_robot
from millirobot_adapt.core.state import NU, FloatArray
from millirobot_adapt.experiments.story import COLUMNS, Episode, Story
from millirobot_adapt.sim.conditions import load_condition
from millirobot_adapt.sim.lockstep import LockstepRobot, Observation


class SteppedRobot(Protocol):
    """A robot that waits for each setpoint, as `sim.lockstep.LockstepRobot` does."""

    def reset(self) -> Observation:
        """Start a run."""

    def step(self, setpoint: FloatArray) -> Observation:
        """Let one control period pass under the setpoint [rad/s], shape (2,)."""


def run_story(story: Story) -> Episode:
    """Run an episode of the story from its parameters, model bundle and condition.

    Raises:
        UserError: a parameter file, the model, the condition or the path is missing or bad.
    """
    assembly = _assemble(story)
    estimator_config = read_params(Path(story.estimator_params), 'estimator', EstimatorNodeConfig)
    estimator = make_estimator(estimator_config, assembly.robot)
    robot = LockstepRobot(assembly.robot, load_condition(story.condition), estimator, story.seed)
    path = make_path(story.shape)
    ticks = round(story.seconds / assembly.robot.dt)
    table, ended = walk(robot, assembly.loop, path, ticks, assembly.config.objective.shape_weights)
    return Episode(story, path, table, ended)


def check_story(story: Story) -> RobotConfig:
    """Find out at once whether a story can be run, and return its robot.

    Raises:
        UserError: what `run_story` would raise.
    """
    load_condition(story.condition)
    read_params(Path(story.estimator_params), 'estimator', EstimatorNodeConfig)
    return _assemble(story).robot


def _assemble(story: Story) -> Assembly:
    """Put the story's control loop together.

    The path is laid from the origin of the world, so that a start offset of the condition is an error to correct. One
    thread serves the engine: sums split over threads could round differently, and a story must repeat exactly.
    """
    config = read_params(Path(story.params), 'controller', ControllerConfig)
    method, bundle = story.bundle(load_robot(config.robot).name)
    return assemble(
        replace(
            config,
            method=method,
            model=bundle,
            path=story.shape,
            anchor='world',
            seed=story.seed,
            engine=replace(config.engine, threads=1, name=story.engine or config.engine.name),
        )
    )


def walk(
    robot: SteppedRobot, loop: ControlLoop, path: ReferencePath, ticks: int, shape_weights: bool = True
) -> tuple[dict[str, FloatArray], str]:
    """Walk along the path for `ticks` control periods; return the table of `COLUMNS` and how it ended.

    In tick k the robot executes a_k, which was planned during tick k - 1, while the loop plans a_{k+1} from s_k; in the
    first tick it stands. Costs are those of the true pose.
    """
    loop.restart(path)
    tracker = PathTracker(path, shape_weights)
    observation, executing = robot.reset(), np.zeros(NU)
    begin, ended, rows = observation.stamp, 'time', []
    for tick in range(ticks):
        tracking = tracker.update_pose(observation.true_position, float(observation.true_rpy[2]))
        result = loop.step(tick, observation.stamp, observation.state, observation.sent, executing)
        rows.append(_row(observation.stamp - begin, observation, tracking, result))
        if tracking.finished or result.plan.finite == 0:
            ended = 'finished' if tracking.finished else 'stopped'
            break
        observation = robot.step(executing)
        executing = result.next_action
    return {name: np.array([row[name] for row in rows], dtype=float) for name in COLUMNS}, ended


def _row(time: float, observation: Observation, tracking: Tracking, result: TickResult) -> dict[str, float]:
    """Return one row of the table."""
    return {
        'time': time,
        'x': observation.true_position[0],
        'y': observation.true_position[1],
        'yaw': observation.true_rpy[2],
        'estimated_x': observation.state[0],
        'estimated_y': observation.state[1],
        'cross_track': tracking.cross_track,
        'progress': tracking.progress,
        'step_cost': tracking.step_cost,
        'left': result.executing[0],
        'right': result.executing[1],
        'pre_error': result.pre_error,
        'post_error': result.post_error,
        'inner_step': result.adaptation.step,
        'plan_cost': result.plan.cost,
        'faults': len(observation.faults),
    }
