"""Pages, tables and columns of a robot that has no legs and reports nothing: nothing on them is of another robot."""

import json
import re

import numpy as np
import pytest
from twist_run import TICKS, write_run

from millirobot_adapt.analysis.report import write_report
from millirobot_adapt.analysis.report.words import link_cards
from millirobot_adapt.analysis.setpoints import as_wanted
from millirobot_adapt.analysis.shown_units import shown_actions, shown_by_name
from millirobot_adapt.app.main import main
from millirobot_adapt.app.run_outcome import table
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.recording.export import read_tables
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.run_setup import Changes, recorded_setup

ROVER = load_robot('rover').layout


@pytest.fixture(scope='module')
def rover_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('rover') / 'run'
    write_run(folder / 'bag', 'rover', 'rover_grbal')
    return folder


def test_only_what_turns_a_joint_is_shown_in_revolutions():
    assert shown_actions(ROVER) == (('m/s', 1.0), ('rad/s', 1.0))
    turning = ('rev/s', 2 * np.pi)
    assert shown_by_name(load_robot('xl330_hexapod').layout) == {'left': turning, 'right': turning}


@pytest.mark.parametrize(
    ('robot', 'difference', 'same'), [('rover', 0.05, False), ('rover', 1e-9, True), ('velociroach', 0.05, True)]
)
def test_a_velocity_that_was_changed_is_a_change_though_it_is_small(robot, difference, same):
    layout = load_robot(robot).layout
    wanted = np.ones((3, layout.nu))
    assert as_wanted(wanted, wanted + difference, layout).tolist() == [same] * 3


def test_where_a_collector_drove_the_model_is_that_of_its_robot(tmp_path):
    write_run(tmp_path / 'bag', 'rover', 'rover_grbal', told=('estimator',))
    setup = recorded_setup(open_bag(tmp_path / 'bag'), Changes())
    assert setup.controller.model == 'rover_grbal'
    assert setup.assemble().robot.name == 'rover'


def test_its_report_is_silent_about_what_it_does_not_have(rover_run):
    summary = write_report(rover_run)
    page = (rover_run / 'report.html').read_text()
    figures = re.sub(r'<svg.*?</svg>', '', page, flags=re.DOTALL)
    assert summary['link']['sent'] == TICKS
    assert summary['link']['replies'] is summary['link']['lost'] is None, 'nobody answered'
    assert 'answered' not in figures
    for word in ('leg', 'radio', 'joint', 'walk', 'rev/s'):
        assert not re.search(rf'\b{word}', figures.split('<h2>Parameters')[0], re.IGNORECASE), word
    assert 'turn [rad/s]' in page
    assert f'{TICKS} setpoints' in table(summary)
    assert 'replies' not in table(summary)


def test_a_bus_that_counts_no_round_trips_has_its_answers_counted():
    link = {'sent': 209, 'replies': 200, 'lost': None, 'bad_frames': 0, 'rtt_ms': {'p50': None, 'p99': None}}
    (card,) = link_cards(link)
    assert (card.value, card.note) == ('95.7', '200 of 209')


def test_its_replay_speaks_in_the_units_of_its_actions(rover_run, capsys):
    assert main(['replay', str(rover_run)]) == 0
    said = capsys.readouterr().out
    assert re.search(r'off by forward \d\.\d\d m/s, turn \d\.\d\d rad/s \(rms\)', said)
    assert 'walk' not in said
    assert main(['replay', str(rover_run), '--json']) == 0
    found = json.loads(capsys.readouterr().out)['planning']['recorded']['action_difference']
    assert {name: each['unit'] for name, each in found.items()} == {'forward': 'm/s', 'turn': 'rad/s'}


def test_its_tables_have_its_units_and_no_empty_ones(rover_run):
    tables = read_tables(open_bag(rover_run)).tables
    assert set(tables['sent']) == set(tables['setpoint']) == {'received_s', 'stamp_s', 'forward_m_s', 'turn_rad_s'}
    assert not {'legs', 'imu_data_raw', 'battery', 'back_emf', 'reply'} & set(tables)
    states = tables['states']
    assert len(states['x_m']) > TICKS - 5, 'made of replies, as nothing else is published'
    assert np.isfinite(states['wz_rad_s']).all()
