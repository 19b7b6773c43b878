"""The summary of a run with known numbers, and the page made of it."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import live_run
import numpy as np
import pytest
import synthetic_run

from millirobot_adapt.analysis.figure_style import worst
from millirobot_adapt.analysis.followed_path import follow_path
from millirobot_adapt.analysis.report import write_report
from millirobot_adapt.analysis.report.words import lead
from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.analysis.run_recovery import time_to_recover
from millirobot_adapt.analysis.summary import summarise
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.writer import BagWriter


@pytest.fixture(scope='module')
def calm(tmp_path_factory):
    return synthetic_run.write_run(tmp_path_factory.mktemp('calm') / 'run')


@pytest.fixture(scope='module')
def read(calm):
    return read_run_data(open_bag(calm))


@pytest.fixture(scope='module')
def reported(tmp_path_factory):
    folder = synthetic_run.write_run(tmp_path_factory.mktemp('lively') / 'run', lively=True)
    summary = write_report(folder)
    return folder, summary


def test_the_arrays_of_a_run_are_what_was_written(read):
    assert len(read.states) == len(read.ticks) == len(read.sent) == len(read.true_poses) == 400
    assert read.states.values.shape == (400, 24)
    assert read.states.values[0, 23] == 4.0
    assert read.sent.values[7] == pytest.approx([10 * 3.14159265] * 2)
    assert read.column('pre_error')[[0, 399]] == pytest.approx([2.0, 4.0])
    assert read.reference is not None
    assert read.reference.closed
    assert read.origin == pytest.approx(synthetic_run.START)


@pytest.mark.usefixtures('words_alone')
def test_the_summary_holds_the_numbers_of_the_run(calm):
    summary = write_report(calm)
    assert json.loads((calm / 'summary.json').read_text()) == summary
    assert summary['version'] == 1
    assert summary['ros'] == {'distro': 'jazzy', 'rmw': 'rmw_fastrtps_cpp'}
    assert (summary['seed'], summary['ticks'], summary['deadline_misses']) == (7, 400, 0)
    assert summary['period_ms'] == {'p50': 100.0, 'p99': 100.0, 'max': 100.0}
    assert summary['work_ms'] == {'p50': 24.5, 'p99': 29.0, 'max': 29.0}
    assert summary['link'] == {
        'sent': 500, 'replies': 495, 'lost': 5, 'bad_frames': 2, 'rtt_ms': {'p50': 14.2, 'p99': 19.8},
    }  # fmt: skip
    assert summary['adaptation'] == {'method': 'grbal', 'pre_error': 3.0, 'post_error': 1.0}
    assert summary['walked_s'] == pytest.approx(40.0)
    assert summary['faults'] == [
        {'name': 'missing_leg', 'text': 'left middle leg lost', 'time_s': pytest.approx(20.0, abs=1e-3)}
    ]
    assert summary['setpoints'] == {'wanted': 400, 'as_wanted': 400}
    assert summary['stops'] == [{'reason': 'battery low', 'time_s': pytest.approx(40.5, abs=1e-3)}]


def test_tracking_is_measured_on_the_true_pose_before_and_after_the_fault(read):
    tracking = summarise(read, {})['tracking']
    # 1 cm for 20 s, then 3 cm for 20 s; the path's chords and the reckoning by chords cost a millimetre.
    assert tracking['cross_track_rms_m'] == pytest.approx(((0.01**2 + 0.03**2) / 2) ** 0.5, abs=1e-3)
    assert tracking['after_fault']['cross_track_rms_m'] == pytest.approx(0.03, abs=1e-3)
    # 0.25 m/s forward: a step of 2.5 cm gains 0.25, a centimetre off the path costs 0.5; the heading is the path's.
    assert tracking['after_fault']['cost_per_step'] == pytest.approx(50 * 0.03 - 10 * 0.025, abs=0.1)
    assert tracking['progress'] == pytest.approx(399 * 0.025, abs=0.1)


def test_a_pose_counts_on_the_path_that_was_in_force(read):
    (came, path), middle = read.references[0], read.ticks[200].stamp
    # The second path lies 5 cm to the left, and comes when half the walk is over.
    yaw = read.true_poses.values[200, 2]
    beside = path.placed(-0.05 * np.sin(yaw), 0.05 * np.cos(yaw), 0.0)
    track = follow_path(replace(read, references=((came, path), (middle, beside))))
    alone, second = follow_path(read), follow_path(replace(read, references=((came, beside),)))
    assert track.cross_track[:200] == pytest.approx(alone.cross_track[:200])
    assert track.cross_track[200] == pytest.approx(alone.cross_track[200] - 0.05, abs=0.005)
    assert track.cross_track[201:] == pytest.approx(second.cross_track[201:])
    assert (np.diff(track.progress) > -0.01).all()
    assert track.progress[-1] == pytest.approx(399 * 0.025, abs=0.15)


@pytest.mark.parametrize(('asked', 'said'), [(0.15, True), (0.4, True), (0.25, False), (0.22, False), (0.0, False)])
def test_a_pace_that_is_not_kept_is_named(read, asked, said):
    summary = summarise(read, {'controller': {'objective': {'speed': asked}}})
    if asked:
        assert summary['pace'] == {'asked': asked, 'walked': pytest.approx(0.25, abs=0.005)}
    else:
        assert summary['pace'] is None
    sentence = f'It went {0.25:.2f} m/s where {asked:.2f} m/s were asked for.'
    assert (sentence in lead(summary)) == said


def test_the_shape_chooses_the_weights_of_the_cost(calm):
    costs = [
        summarise(read_run_data(open_bag(calm), shape), {})['tracking']['after_fault']['cost_per_step']
        for shape in ('figure8', 'zigzag')
    ]
    # The paper weighs distance 50 and 40 there; the heading error is nearly zero.
    assert costs[0] - costs[1] == pytest.approx(10 * 0.03, abs=0.15)


def test_skipped_and_late_ticks_count_as_missed(tmp_path, monkeypatch):
    real = synthetic_run.write_tick

    def skip_some(bag, path, tick, *rest):
        if tick not in (5, 6):
            real(bag, path, tick, *rest)

    monkeypatch.setattr(synthetic_run, 'write_tick', skip_some)
    summary = summarise(read_run_data(open_bag(synthetic_run.write_run(tmp_path / 'run', ticks=20))), {})
    assert (summary['ticks'], summary['deadline_misses']) == (20, 2)


def test_ticks_between_two_runs_of_a_bag_are_not_missed(tmp_path):
    folder = live_run.write_live_run(tmp_path / 'bag', 20, starts=(0, 14), change=without_ticks(range(8, 14)))
    summary = summarise(read_run_data(open_bag(folder)), {})
    assert (summary['ticks'], summary['deadline_misses']) == (14, 0)


def without_ticks(lost):
    return lambda topic, number, message: None if topic == 'tick' and number in lost else message


@pytest.mark.usefixtures('words_alone')
def test_why_a_run_ended_before_its_time_stands_in_summary_and_page(tmp_path):
    folder = synthetic_run.write_run(tmp_path / 'run', ticks=20)
    assert write_report(folder)['ended'] is None
    (folder / 'ended.txt').write_text('estimator was killed by SIGKILL\n')
    assert write_report(folder)['ended'] == 'estimator was killed by SIGKILL'
    assert 'Ended before its time: estimator was killed by SIGKILL' in (folder / 'report.html').read_text()


def words(folder):
    """The texts of the page that say what happened: title, lead, banners, notes."""
    root = ET.fromstring((folder / 'report.html').read_text().removeprefix('<!DOCTYPE html>'))
    found = {kind: [p.text for p in root.findall(f".//p[@class='{kind}']")] for kind in ('lead', 'banner', 'note')}
    return {'title': root.find('.//h1').text, **found}


def cut_short(monkeypatch, folder, ticks, faults=(), ending=()):
    """Write a run that stops after some ticks: faults at given times, then states of the nodes."""
    monkeypatch.setattr(synthetic_run, 'FAULT_TICK', -1)

    def end(bag, ticks):
        stamp = synthetic_run.START + ticks * synthetic_run.DT
        for late, topic, text, values in ending:
            bag.write_message(topic, stored_messages.status(topic, text, values), stamp + late)
        for time in faults:
            at = synthetic_run.START + time
            bag.write_message('/mock/fault', stored_messages.status('missing_leg', 'left middle leg lost', {}), at)

    monkeypatch.setattr(synthetic_run, 'write_end', end)
    return synthetic_run.write_run(folder, ticks=ticks)


STOPPED = {'sender': 'controller', 'phase': 'stopped', 'reason': '4 deadlines in a row were missed', 'cause': 'fault'}


def test_a_run_that_stopped_says_why_once_and_shows_no_fault_that_came_after(tmp_path, monkeypatch):
    reason = STOPPED['reason']
    stop = (0.01, '/controller/state', f'stopped: {reason}', STOPPED)
    folder = cut_short(monkeypatch, tmp_path / 'run', 34, faults=[5.0], ending=[stop])
    (folder / 'ended.txt').write_text(f'the robot was stopped: {reason}\n')
    summary = write_report(folder)
    assert summary['faults'] == []
    assert summary['tracking']['after_fault'] is None
    said = words(folder)
    assert said['title'] == 'figure8, 3.4 s, grbal'
    assert said['banner'] == [f'Stopped at 3.4 s: {reason}']
    assert 'leg lost' not in said['lead'][0]
    assert said['note'][-1] == 'Began 1.7 s after the end of the run: left middle leg lost.'
    root = ET.fromstring((folder / 'report.html').read_text().removeprefix('<!DOCTYPE html>'))
    assert not [text for text in root.iter('text') if 'leg lost' in ''.join(text.itertext())]


@pytest.mark.usefixtures('words_alone')
def test_one_reason_told_by_two_nodes_and_the_stop_that_follows_from_it_are_one_stop(tmp_path, monkeypatch):
    reason = STOPPED['reason']
    bridge = {'armed': 'False', 'link': 'up', 'owner': 'nobody', 'hold': 'none', 'cause': 'fault', 'last stop': reason}
    armed = {**bridge, 'armed': 'True', 'cause': 'none', 'last stop': 'none'}
    ending = [
        (-1.0, '/bridge/state', 'armed', armed),
        (0.01, '/controller/state', f'stopped: {reason}', STOPPED),
        (0.02, '/bridge/state', reason, bridge),
        (0.05, '/bridge/state', 'armed', armed),
        (
            0.06,
            '/bridge/state',
            'stopped by the manager',
            {**bridge, 'cause': 'manager', 'last stop': 'told'},
        ),
    ]
    folder = cut_short(monkeypatch, tmp_path / 'run', 34, ending=ending)
    assert [stop['reason'] for stop in write_report(folder)['stops']] == [reason]
    assert words(folder)['banner'] == [f'Stopped at 3.4 s: {reason}']


@pytest.mark.usefixtures('words_alone')
def test_a_run_that_ends_well_is_finished_and_has_no_banner(tmp_path, monkeypatch):
    done = {'sender': 'controller', 'phase': 'finished', 'reason': '', 'cause': 'none'}
    folder = cut_short(monkeypatch, tmp_path / 'run', 120, ending=[(0.01, '/controller/state', 'finished', done)])
    write_report(folder)
    said = words(folder)
    assert said['title'] == 'figure8, 12 s, grbal'
    assert said['banner'] == []
    assert said['lead'][0].endswith('It reached the end of the path.')


def rewritten(monkeypatch, change):
    """Let every message on the way into the bag be changed: `change` returns the copies to write."""
    real = BagWriter.write_message

    def write(self, topic, message, received):
        for copy, stamp in change(topic, message, received):
            real(self, topic, copy, stamp)

    monkeypatch.setattr(BagWriter, 'write_message', write)


@pytest.mark.usefixtures('words_alone')
def test_poses_that_come_twice_count_once(tmp_path, monkeypatch):
    def twice(topic, message, received):
        return [(message, received)] * 2 if topic == '/mocap/pose' else [(message, received)]

    rewritten(monkeypatch, twice)
    folder = synthetic_run.write_run(tmp_path / 'run', ticks=60)
    mocap = write_report(folder)['mocap']
    assert (mocap['poses'], mocap['repeated'], mocap['rate_hz']) == (59, 60, pytest.approx(10.0))
    assert words(folder)['note'][-1] == 'Motion capture sent 60 poses again with a stamp that was there already.'


@pytest.mark.usefixtures('words_alone')
@pytest.mark.parametrize(
    ('behind', 'words_for_it'),
    [(1.7e9, '53.9 years behind'), (-2 * 3600.0, '2.0 hours ahead of'), (5.0, '5.0 s behind')],
)
def test_poses_on_another_clock_are_counted_and_the_page_says_by_how_much(tmp_path, monkeypatch, behind, words_for_it):
    def other_clock(topic, message, received):
        if topic == '/mocap/pose':
            message.header.stamp.sec -= int(behind)
        return [(message, received)]

    rewritten(monkeypatch, other_clock)
    folder = synthetic_run.write_run(tmp_path / 'run', ticks=60)
    mocap = write_report(folder)['mocap']
    assert mocap['poses'] == 59
    assert mocap['rate_hz'] == pytest.approx(10.0)
    assert mocap['clock_offset_s'] == pytest.approx(behind, abs=0.5)
    assert mocap['age_ms'] == {'p50': None, 'p99': None, 'max': None}
    (banner,) = [text for text in words(folder)['banner'] if 'clock' in text]
    assert banner.startswith(f'The stamps of motion capture are on another clock: {words_for_it} the clock of the bag')


@pytest.mark.usefixtures('words_alone')
def test_setpoints_that_the_bridge_changed_or_dropped_are_counted(tmp_path, monkeypatch):
    seen = []

    def change(topic, message, received):
        if topic == '/sent':
            seen.append(received)
            if len(seen) % 10 == 0:
                return []
            if len(seen) % 10 == 5:
                message.velocity[:] = 0.0
        return [(message, received)]

    rewritten(monkeypatch, change)
    summary = write_report(synthetic_run.write_run(tmp_path / 'run', ticks=100))
    assert summary['setpoints'] == {'wanted': 100, 'as_wanted': 80}


def test_the_time_to_recover_is_from_the_fault_until_the_error_stays_small():
    stamps = np.arange(0.0, 30.0, 0.1)
    errors = np.where((stamps >= 10.0) & (stamps < 13.0), 3.0, 1.0)
    assert time_to_recover(stamps, errors, 10.0, 1.0) == pytest.approx(2.8, abs=0.11)
    assert time_to_recover(stamps, np.ones(300), 10.0, 1.0) == 0.0
    assert time_to_recover(stamps, np.where(stamps >= 10.0, 3.0, 1.0), 10.0, 1.0) is None


@pytest.mark.usefixtures('words_alone')
def test_parameters_that_differ_from_what_ships_are_marked(tmp_path):
    folder = synthetic_run.write_run(tmp_path / 'run', ticks=30)
    (folder / 'parameters.yaml').write_text('controller: {path: zigzag, planner: {horizon: 9}, seed: 0}\n')
    write_report(folder)
    root = ET.fromstring((folder / 'report.html').read_text().removeprefix('<!DOCTYPE html>'))
    changed = [[cell.text for cell in row] for row in root.findall('.//tbody/tr')]
    assert ['controller.path', 'zigzag', 'figure8'] in changed
    assert ['controller.planner.horizon', '9', '12'] in changed
    assert not [row for row in changed if row[0] == 'controller.seed']
    assert root.find('.//details/summary').text == 'All parameters of the run'


def with_states(tmp_path, *states):
    """Write a bag of states alone: topic, text, values, one a second; return its summary."""
    with BagWriter(tmp_path / 'bag') as bag:
        for second, (topic, text, values) in enumerate(states):
            bag.write_message(topic, stored_messages.status(topic, text, values), float(second))
    return write_report(tmp_path)


def test_where_no_run_folder_tells_why_a_run_ended_the_manager_does(tmp_path):
    lost = 'bridge has died or hangs: nothing heard of it for 3 s'
    summary = with_states(tmp_path, ('/manager/state', 'active', {}), ('/manager/state', f'failed: {lost}', {}))
    assert summary['ended'] == lost
    (tmp_path / 'ended.txt').write_text('bridge was killed by SIGKILL\n')
    assert write_report(tmp_path)['ended'] == 'bridge was killed by SIGKILL', 'who started it knows more'


def test_a_manager_that_ends_with_all_others_has_no_reason_to_tell(tmp_path):
    summary = with_states(tmp_path, ('/manager/state', 'waiting: bridge', {}), ('/manager/state', 'active', {}))
    assert summary['ended'] is None


@pytest.mark.parametrize(
    ('text', 'reasons'),
    [
        ('stopped by the operator', []),
        ('the bridge was deactivated', []),
        ('inactive: the bridge is ending', []),
        ('inactive: no telemetry for 1.0 s', ['no telemetry for 1.0 s']),
    ],
)
def test_an_orderly_end_is_no_stop_whatever_state_the_bridge_is_in(tmp_path, text, reasons):
    states = ('/bridge/state', 'armed', {'armed': True}), ('/bridge/state', text, {'armed': False})
    assert [stop['reason'] for stop in with_states(tmp_path, *states)['stops']] == reasons


@pytest.mark.parametrize(
    ('text', 'reasons'),
    [
        ('stopped: by the operator', []),
        ('stopped: the controller was deactivated', []),
        ('inactive: stopped: the controller was deactivated', []),
        ('stopped: 3 deadlines in a row were missed', ['3 deadlines in a row were missed']),
    ],
)
def test_what_the_controller_was_told_is_no_stop_by_itself(tmp_path, text, reasons):
    summary = with_states(tmp_path, ('/controller/state', 'running', {}), ('/controller/state', text, {}))
    assert [stop['reason'] for stop in summary['stops']] == reasons
    assert summary['outcome'] == text.removeprefix('inactive: ')


def test_what_the_bag_does_not_hold_is_null(tmp_path):
    with BagWriter(tmp_path / 'run' / 'bag') as bag:
        bag.write_message('/legs', stored_messages.joint_state(1.0, [1, 1], position=[0, 0]), 1.0)
    summary = write_report(tmp_path / 'run')
    assert summary['ticks'] is None
    assert summary['tracking'] == {
        'cost_per_step': None, 'cross_track_rms_m': None, 'after_fault': None, 'progress': None,
    }  # fmt: skip
    assert summary['link'] == {
        'sent': None, 'replies': None, 'lost': None, 'bad_frames': None, 'rtt_ms': {'p50': None, 'p99': None},
    }  # fmt: skip
    assert summary['adaptation'] == {'method': None, 'pre_error': None, 'post_error': None}
    assert summary['faults'] == summary['stops'] == []
    assert 'Not recorded: path driven' in (tmp_path / 'run' / 'report.html').read_text()


@pytest.mark.parametrize('percent', [0, 1, 20, 35])
def test_every_cut_of_a_bag_gives_a_summary_of_the_beginning_or_one_clear_error(calm, tmp_path, percent):
    whole = (calm / 'bag' / 'bag_0.mcap').read_bytes()
    file = tmp_path / 'cut.mcap'
    file.write_bytes(whole[: len(whole) * percent // 100])
    warnings: list[str] = []
    try:
        summary = summarise(read_run_data(open_bag(file, warnings.append)), {})
    except UserError as error:
        warnings.append(str(error))
    else:
        assert summary['ticks'] is None or summary['ticks'] < 400
    assert warnings


def test_a_report_of_a_damaged_bag_is_made_of_what_is_readable(calm, tmp_path):
    (tmp_path / 'bag').mkdir()
    content = bytearray((calm / 'bag' / 'bag_0.mcap').read_bytes())
    content[len(content) // 3] ^= 0xFF
    (tmp_path / 'bag' / 'bag_0.mcap').write_bytes(content)
    write_report(tmp_path)
    assert (tmp_path / 'report.html').is_file()


def test_the_page_is_well_formed_and_shows_every_figure(reported):
    folder, summary = reported
    page = (folder / 'report.html').read_text()
    root = ET.fromstring(page.removeprefix('<!DOCTYPE html>'))
    pictures = root.findall('.//figure')
    assert [picture.find('figcaption/b').text for picture in pictures] == [
        'Path driven, path wanted', 'Distance to the path', 'Speed', 'Predicting the next step',
        'Recovering from the fault', 'Adapting', 'Setpoints wanted and sent', 'Joint rates', 'Work of a tick',
        'Link', 'Motion capture',
    ]  # fmt: skip
    assert [heading.text for heading in root.findall('.//h2')] == [
        'The run', 'What the model knew', 'Robot, link and clock', 'Parameters',
    ]  # fmt: skip
    for picture in pictures:
        said = picture.find('svg').get('aria-label')
        assert said.startswith(picture.find('figcaption/b').text)
        assert len(said) > 30
    assert all(len(picture.findall('svg//path')) > 5 for picture in pictures)
    assert len(root.findall(".//div[@class='card']")) == 7
    assert f'{100 * summary["tracking"]["cross_track_rms_m"]:.1f}' in page
    assert 'left middle leg lost' in page
    assert [heading.text for heading in root.findall('.//h3')] == ['run', 'controller', 'ros']
    assert 'planner.samples' in page


def test_the_page_needs_nothing_but_itself(reported):
    page = (reported[0] / 'report.html').read_text()
    assert not re.search(r'https?:|//[a-z]+\.|<script|<link|@import|src=', page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="#|url\(#)([^")]+)', page):
        assert target in ids


def test_texts_from_the_bag_cannot_become_markup(tmp_path):
    folder = synthetic_run.write_run(tmp_path / 'run', ticks=30)
    (folder / 'parameters.yaml').write_text('controller: {path: "<b>&"}\n')
    write_report(folder)
    page = (folder / 'report.html').read_text()
    assert '<b>&"' not in page
    assert '&lt;b&gt;&amp;' in page


def test_thinned_dots_keep_the_worst():
    values = np.zeros(10_000)
    values[[7, 5_000, 9_999]] = 1.0, 2.0, 3.0
    times, kept = worst(np.arange(10_000.0), values, count=1200)
    assert len(kept) <= 1200
    assert {(7.0, 1.0), (5_000.0, 2.0), (9_999.0, 3.0)} <= set(zip(times.tolist(), kept.tolist(), strict=True))
    assert np.array_equal(worst(np.arange(3.0), np.ones(3))[0], np.arange(3.0))
