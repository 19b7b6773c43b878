"""Thirty generated paths, five walks each, with the controller on the mock: `pytest test/core/test_path_gallery.py -s`
prints the table.
"""

import dataclasses

import numpy as np
import pytest
from path_gallery import KINDS, generated

from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.estimation.config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.factory import make_estimator
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.share import find
from millirobot_adapt.experiments.runner import walk
from millirobot_adapt.sim.conditions import load_condition
from millirobot_adapt.sim.lockstep import LockstepRobot

pytestmark = pytest.mark.long

FAR, FOR_SECONDS = 1.0, 3.0
SEEDS = range(5)


def on_the_mock(path, seed):
    """Walk `path` on carpet until it is finished, or for twice the time that the robot needs at 0.2 m/s."""
    config = read_params(find('params', 'controller', '.yaml'), 'controller', ControllerConfig)
    assembly = assemble(dataclasses.replace(config, anchor='world', seed=seed))
    x, y = path.waypoints[0]
    yaw = float(np.arctan2(*(path.at(np.array(0.1)) - path.at(np.array(0.0)))[::-1]))
    condition = dataclasses.replace(load_condition('carpet'), start_x=float(x), start_y=float(y), start_yaw=yaw)
    robot = LockstepRobot(assembly.robot, condition, make_estimator(EstimatorNodeConfig(), assembly.robot), seed)
    return walk(robot, assembly.loop, path, ticks=round(2.0 * path.length / 0.2 / assembly.robot.dt) + 50)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('number', range(5))
def test_a_generated_path_is_walked_to_its_end(kind, number):
    path = generated(kind, number)
    for seed in SEEDS:
        table, ended = on_the_mock(path, seed)
        walked = float(np.hypot(np.diff(table['x']), np.diff(table['y'])).sum())
        far = np.abs(table['cross_track']) > FAR
        longest = max((len(run) for run in ''.join('x' if each else ' ' for each in far).split()), default=0)
        print(
            f'{path.name:20} seed {seed} {len(path.waypoints):5d} points {path.length:5.2f} m: {ended} after '
            f'{table["time"][-1]:5.1f} s, walked {walked:5.2f} m, farthest {np.abs(table["cross_track"]).max():.2f} m'
        )
        assert 0.1 * longest <= FOR_SECONDS
        assert ended == 'finished'
        assert walked >= 0.9 * path.length
        assert PathTracker(path).update_pose((table['x'][0], table['y'][0]), 0.0).progress < 0.2
