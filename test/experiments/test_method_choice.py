"""A method is chosen by its name, everywhere alike, and brings its model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from millirobot_adapt.core.dynamics.method_factory import METHODS
from millirobot_adapt.experiments.experiment import Experiment, parse_condition, parse_method
from millirobot_adapt.experiments.grid import episodes_of
from millirobot_adapt.experiments.runner import run_episode

GOLDEN_REBAL = Path(__file__).parents[1] / 'data' / 'golden_rebal'


def spec(method):
    experiment = Experiment((parse_condition('flat'),), methods=(parse_method(method),), seeds=1, seconds=1.0)
    (told,) = episodes_of(experiment, 'controller.yaml')
    return replace(told, controller=replace(told.controller, planner=replace(told.controller.planner, samples=32)))


@pytest.mark.parametrize('method', METHODS)
def test_a_method_brings_the_model_that_ships_for_it(method):
    controller = spec(method).controller
    assert (controller.method, controller.model) == (method, f'velociroach_{method}')


def test_rebal_drives_the_mock_and_repeats_exactly():
    first, again = (run_episode(spec(f'rebal={GOLDEN_REBAL}')) for _ in range(2))
    assert len(first.table['time']) >= 10
    assert np.isfinite(first.table['step_cost']).all()
    for name, column in first.table.items():
        np.testing.assert_array_equal(column, again.table[name], err_msg=name)


@pytest.mark.train
def test_what_can_be_run_can_be_trained():
    pytest.importorskip('torch')
    from millirobot_adapt.learning.methods import METHODS as TRAINED

    assert set(TRAINED) == set(METHODS)
