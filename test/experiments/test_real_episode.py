"""Episodes of the real thing in small: shipped model, shipped parameters, the mock."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.pose_filter import PoseFilter
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.experiments.experiment import Experiment, parse_condition, parse_method
from millirobot_adapt.experiments.grid import episodes_of
from millirobot_adapt.experiments.runner import run_episode


def spec(method, seed=0, condition='flat'):
    experiment = Experiment((parse_condition(condition),), methods=(parse_method(method),), seeds=seed + 1, seconds=2.0)
    return episodes_of(experiment, 'controller.yaml')[-1]


walked = functools.cache(run_episode)


@pytest.mark.parametrize('method', ['mb', 'grbal'])
def test_a_story_walks_along_the_path_and_repeats_exactly(method):
    first, again = walked(spec(method)), run_episode(spec(method))
    assert first.ended == 'time'
    for name, column in first.table.items():
        np.testing.assert_array_equal(column, again.table[name], err_msg=name)
    assert first.table['progress'][-1] > 0.25
    assert np.abs(first.table['cross_track']).max() < 0.1
    estimate = np.column_stack((first.table['estimated_x'], first.table['estimated_y']))
    np.testing.assert_allclose(estimate, np.column_stack((first.table['x'], first.table['y'])), atol=0.02)


def test_a_walk_stops_where_the_estimator_no_longer_knows_where_the_robot_is(monkeypatch):
    estimate = PoseFilter.estimate
    monkeypatch.setattr(PoseFilter, 'estimate', lambda self, stamp: None if stamp > 1.55 else estimate(self, stamp))
    walk = run_episode(spec('mb'))
    assert (walk.ended, walk.reason) == ('stopped', 'the estimator gives no estimate at 1.60 s')
    assert len(walk.table['time']) == 11


def test_another_seed_walks_another_way_and_methods_share_the_start():
    mb, other, grbal = walked(spec('mb')), run_episode(spec('mb', seed=1)), walked(spec('grbal'))
    assert mb.table['x'][0] == grbal.table['x'][0]
    assert mb.table['x'][-1] != other.table['x'][-1]
    assert np.abs(mb.table['post_error'][5:] - mb.table['pre_error'][5:]).max() == 0
    assert np.abs(grbal.table['post_error'][5:] - grbal.table['pre_error'][5:]).max() > 0


def test_the_path_follower_walks_along_the_path_without_a_model():
    table = run_episode(spec('follower')).table
    assert table['progress'][-1] > 0.25
    assert np.abs(table['cross_track']).max() < 0.1
    assert np.isnan(table['pre_error']).all()


def test_a_start_beside_the_path_is_an_error_to_correct():
    table = run_episode(replace(spec('mb', condition='leg_loss_worn'), seconds=1.0)).table
    assert table['cross_track'][0] == pytest.approx(0.05, abs=0.005)


LIVE_ONLY = {'bad_day'}
"""Shipped conditions with faults of radio and processes, which lock-step does not have."""
SHIPPED = {path.stem for path in (share_dir() / 'params/conditions').glob('*.yaml')}


def test_a_condition_that_needs_the_running_mock_is_refused_with_the_fault():
    for condition in LIVE_ONLY:
        with pytest.raises(UserError, match=f'condition {condition}.*needs the running mock'):
            run_episode(replace(spec('mb', condition=condition), seconds=1.0))


@pytest.mark.parametrize('condition', sorted(SHIPPED - LIVE_ONLY))
def test_every_other_shipped_condition_can_be_walked(condition):
    chosen = spec('mb', condition=condition)
    light = replace(chosen.controller, planner=replace(chosen.controller.planner, samples=64))
    episode = run_episode(replace(chosen, seconds=1.0, controller=light))
    assert episode.ended == 'time'
    assert len(episode.table['time']) == 10
    assert np.isfinite(episode.table['step_cost']).all()
