"""Turn a recorded run into rollouts to learn from: states as the controller had them live, actions as really sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.bags.replay.recorded import recorded_robot
from millirobot_adapt.bags.replay.rollouts import executed_actions, read_rollouts
from millirobot_adapt.bags.run_data import RunData, load_run
from millirobot_adapt.bags.storage.provenance import Provenance, read_provenance
from millirobot_adapt.bags.storage.reader import Bag, open_bag
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.factory import make_estimator
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.state import NU, NX, FloatArray
from millirobot_adapt.learning.rollouts import Rollouts, mark_valid

PIECE = 200
"""Transitions of a rollout: a long walk is cut, so that a part of it can be kept aside for validation."""

Walk = tuple[FloatArray, FloatArray, FloatArray]
"""Stamps (N,) [s], states (N, nx), and the actions (N, nu) sent from each state to the next, NaN where unknown."""


def read_bag(path: Path) -> Rollouts:
    """Read a bag or a run folder.

    A live run tells its states; those of an imported log, which has none, are estimated. A transition pairs a state
    with the action that was in force until the next one, as the controller does. It is not valid across a gap, where
    the action is not known, and where the robot was told to stand.

    Raises:
        UserError: not a bag, or nothing in it can be learned from.
    """
    bag = open_bag(path)
    robot, told = recorded_robot(bag), read_provenance(bag)
    config = (told and told.config('estimator', EstimatorNodeConfig)) or EstimatorNodeConfig()
    run = load_run(bag)
    walks = _live(run, robot) or _estimated(bag, config, robot)
    metadata = {
        'origin': _origin(run, told),
        'robot': robot.name,
        'dt': robot.dt,
        'version': (told and told.version) or __version__,
        'estimator': config.method,
        'bag': path.resolve().name,
    }
    rollouts = _as_rollouts(walks, robot.dt, metadata)
    if not rollouts.valid.any():
        raise UserError(f'{path}: holds no two states {robot.dt:g} s apart between which the robot was told to walk')
    return rollouts


def _live(run: RunData, robot: RobotConfig) -> list[Walk]:
    if not len(run.states):
        return []
    actions = executed_actions(run.states.stamps, run.sent.stamps, run.sent.values, robot.dt)
    return [(run.states.stamps, run.states.values, actions)]


def _estimated(bag: Bag, config: EstimatorNodeConfig, robot: RobotConfig) -> list[Walk]:
    rollouts = read_rollouts(bag, lambda: make_estimator(config, robot), robot.dt)
    return [(rollout.stamps, rollout.states, rollout.actions) for rollout in rollouts]


def _origin(run: RunData, told: Provenance | None) -> str:
    """Tell whose data it is: the mock says its true pose, or its parameters are in the bag."""
    return 'mock' if len(run.true_poses) or (told is not None and 'mock_robot' in told.content) else 'real'


def _as_rollouts(walks: list[Walk], dt: float, metadata: dict[str, Any]) -> Rollouts:
    """Cut walks into rows of equal length; what is missing at the end of the last one is NaN, and not valid."""
    cuts = [(walk, begin) for walk in walks for begin in range(0, len(walk[0]) - 1, PIECE)]
    states = np.full((len(cuts), PIECE + 1, NX), np.nan, dtype=np.float32)
    actions = np.full((len(cuts), PIECE, NU), np.nan, dtype=np.float32)
    stamps = np.full((len(cuts), PIECE + 1), np.nan)
    for row, ((times, seen, sent), begin) in enumerate(cuts):
        count = min(PIECE, len(times) - 1 - begin)
        stamps[row, : count + 1] = times[begin : begin + count + 1]
        states[row, : count + 1] = seen[begin : begin + count + 1]
        actions[row, :count] = sent[begin : begin + count]
    walking = (actions > 0.0).any(-1)  # NaN is not
    return Rollouts(states, actions, stamps, mark_valid(states, stamps, dt) & walking, metadata)
