"""What the demo makes of its options, and of a summary."""

from pathlib import Path

import pytest

from millirobot_adapt.app.demo import Demo, faults_text, node_overrides
from millirobot_adapt.app.run_outcome import table
from millirobot_adapt.bringup.processes import MOCK_FENCE
from millirobot_adapt.core.share import share_dir


def demo(**changes):
    options = {
        'seconds': 40.0, 'shape': None, 'condition': 'leg_loss', 'method': None, 'model': None, 'seed': 3,
        'out': Path('runs'), 'overrides': [],
    }  # fmt: skip
    return Demo(**{**options, **changes})


def test_options_become_parameters_and_what_is_not_given_stays_with_the_files():
    overrides = node_overrides(demo(method='mb'))
    fence = {'objective.fence_corners': MOCK_FENCE}
    assert overrides['controller'] == {'method': 'mb', 'model': 'velociroach_mb', 'seed': 3, **fence}
    assert overrides['mock_robot'] == {'condition': 'leg_loss', 'fault_time': 20.0, 'seed': 3}


def test_a_method_brings_the_model_that_ships_for_it_unless_another_is_named():
    assert not {'model', 'method'} & set(node_overrides(demo())['controller'])
    assert node_overrides(demo(method='rls'))['controller']['model'] == 'velociroach_rls'
    named = node_overrides(demo(method='mb', model='models/mine'))['controller']
    assert (named['method'], named['model']) == ('mb', 'models/mine')


def test_the_firmware_is_the_mocks_own_unless_another_is_asked_for():
    assert 'firmware' not in node_overrides(demo())['mock_robot']
    assert node_overrides(demo(firmware='host'))['mock_robot']['firmware'] == 'host'


@pytest.mark.parametrize(
    ('robot', 'fault', 'tells_mock'), [('rover', 'weak_wheel', True), ('xl330_hexapod', 'dead_servo', None)]
)
def test_another_robot_is_every_nodes_and_brings_its_model_and_its_fault(robot, fault, tells_mock):
    overrides = node_overrides(demo(robot=robot, condition=None))
    assert {values['robot'] for values in overrides.values()} == {robot}
    assert overrides['controller']['model'] == f'{robot}_grbal'
    assert node_overrides(demo(robot=robot, method='mb'))['controller']['model'] == f'{robot}_mb'
    assert node_overrides(demo(robot=robot, model='mine'))['controller']['model'] == 'mine'
    assert overrides['mock_robot']['condition'] == fault
    assert overrides['bridge'].get('allow_mock_model') is tells_mock


def test_a_robot_quicker_than_the_shipped_deadline_gets_one_that_fits(tmp_path):
    rover = (share_dir() / 'params/robots/rover.yaml').read_text()
    (tmp_path / 'quick.yaml').write_text(rover.replace('dt: 0.1 ', 'dt: 0.05'))
    assert node_overrides(demo(robot=str(tmp_path / 'quick.yaml')))['controller']['deadline'] == pytest.approx(0.045)
    assert 'deadline' not in node_overrides(demo(robot='rover'))['controller']


def test_set_wins_over_options():
    overrides = node_overrides(demo(overrides=['mock_robot.fault_time=5.0', 'estimator.robot=other']))
    assert overrides['mock_robot']['fault_time'] == 5.0
    assert overrides['estimator'] == {'robot': 'other'}


def test_the_table_shows_what_is_known_and_a_dash_for_the_rest():
    summary = {
        'ticks': 400, 'deadline_misses': None, 'period_ms': {'p50': 100.0, 'p99': None, 'max': 117.0},
        'work_ms': {'p50': 20.0, 'p99': 41.0, 'max': 62.0}, 'link': {'sent': 401, 'replies': 400},
        'planning': {'effective_samples': {'p10': 4.0, 'p50': 9.0}, 'shed': 12, 'least_share': 0.25},
        'adaptation': {'pre_error': 0.91, 'post_error': 0.62},
        'tracking': {'cost_per_step': None, 'after_fault': None},
        'stops': [{'time_s': 3.25, 'reason': 'outside the fence'}],
    }  # fmt: skip
    text = table(summary)
    assert '400, - deadlines missed' in text
    assert 'ms (p99 -, longest 117' in text
    assert 'load shed in 12 ticks: the machine was busy' in text
    assert '0.91 -> 0.62' in text
    assert '400 replies to 401 setpoints' in text
    assert 'stopped at 3.25 s: outside the fence' in text
    assert 'after the fault' not in text


def test_the_story_names_only_faults_that_the_walk_will_meet():
    assert faults_text('leg_loss', 7.5, 15.0) == 'middle left leg lost at 7.5 s'
    assert faults_text('leg_loss', -1.0, 40.0) == 'middle left leg lost at 20 s'
    assert faults_text('leg_loss', 30.0, 15.0) == 'whose fault would begin after the end'
    assert faults_text('flat', 20.0, 40.0) == 'which has no fault'
