"""The paper's zigzag at its size: the shipped controller gets round every corner, on every floor."""

from dataclasses import replace

import numpy as np
import pytest

from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.planning.paths import zigzag
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import find
from millirobot_adapt.experiments.episode import EpisodeSpec
from millirobot_adapt.experiments.runner import run_episode
from millirobot_adapt.sim.conditions import TRAINING_TERRAINS, load_condition

CORNERS = 3
"""Corners of the part that is walked here; `millirobot evaluate --shapes zigzag` walks all of them."""


def shipped():
    return read_params(find('params', 'controller', '.yaml'), 'controller', ControllerConfig)


def test_the_planner_looks_no_farther_ahead_than_the_model_was_trained_to():
    config = shipped()
    trained = load_bundle(config.model, load_robot(config.robot)).manifest['training']['parameters']['horizon']
    assert config.planner.horizon <= trained


@pytest.mark.long
@pytest.mark.parametrize('floor', TRAINING_TERRAINS)
def test_every_corner_of_the_zigzag_is_walked_round(floor, tmp_path):
    corners = zigzag().waypoints[: CORNERS + 2]
    file = tmp_path / 'zigzag.csv'
    np.savetxt(file, corners, delimiter=',')
    config = shipped()
    config = replace(config, path=str(file), anchor='world', engine=replace(config.engine, threads=1))
    spec = EpisodeSpec('grbal', 0, load_condition(floor), 0, 40.0, config, EstimatorNodeConfig())
    episode = run_episode(spec)
    track = np.column_stack((episode.table['x'], episode.table['y']))
    assert episode.ended == 'finished'
    assert np.abs(episode.table['cross_track']).max() < 0.4
    assert max(np.hypot(*(track - corner).T).min() for corner in corners[1:-1]) < 0.25
    assert episode.table['time'][-1] < 35.0
