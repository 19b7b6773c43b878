"""The benchmark of the link: what it measures holds, and what is wrong would be seen."""

import dataclasses
import json
import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.packets import TelemetryReply
from firmware_bridge.replies import ReplyChecker
from firmware_bridge.telemetry import TelemetryDecoder
from millirobot_adapt.app.main import main
from millirobot_adapt.benchmarks.link import link_bench, live_robot
from millirobot_adapt.benchmarks.link import process_trials as link_processes
from millirobot_adapt.benchmarks.link.injected import INJECTED
from millirobot_adapt.benchmarks.link.live_robot import BridgeLoad, LiveRobot
from millirobot_adapt.benchmarks.link.process_trials import PROCESS_FAULTS, worst_of
from millirobot_adapt.benchmarks.link.radio_trials import (
    CASES,
    Case,
    measure_fault,
    measure_out_of_reach,
    measure_reset,
)
from millirobot_adapt.benchmarks.link.round_trip import RoundTrip, measure_round_trip
from millirobot_adapt.benchmarks.link.rows import BenchFailedError, FaultRow, table
from millirobot_adapt.benchmarks.link.simulated_link import SimulatedLink
from millirobot_adapt.benchmarks.link.telemetry_truth import TelemetryTruth
from millirobot_adapt.benchmarks.process_cost import cpu_seconds
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import make_fault
from millirobot_adapt.sim.radio_faults import RadioFaults

ROBOT = RobotConfig()
SHORT = [dataclasses.replace(case, line_bytes=min(case.line_bytes, 20_000)) for case in CASES]


@pytest.mark.parametrize('case', SHORT, ids=lambda case: case.name)
def test_nothing_wrong_is_accepted_and_the_robot_stops_in_time(case):
    row = measure_fault(case, ROBOT, trials=2, seed=1)
    assert row.complaint is None
    assert row.stop_ms is not None
    assert row.rearm_s < 3.0
    assert row.line_bytes >= case.line_bytes
    assert row.sent >= row.replies
    assert (row.replies > 0) == (case.faults.reply_loss < 1.0)


def test_faults_cost_replies():
    none, loss = (measure_fault(case, ROBOT, trials=1, seed=0) for case in SHORT[:3:2])
    assert none.replies == none.sent
    assert loss.replies < 0.8 * loss.sent


def test_a_robot_that_starts_anew_is_noticed_and_armed_again_only_by_the_operator():
    row = measure_reset(ROBOT, trials=2, seed=0)
    assert row.complaint is None
    assert row.stop_ms < 5
    assert 1.0 < row.rearm_s < 5.0, 'the link starts up again, which takes a second for the encoders alone'


def test_a_check_that_is_missing_shows_as_wrong_values(monkeypatch):
    monkeypatch.setattr(ReplyChecker, 'refusal', lambda *_: None)
    delayed = Case('delay', RadioFaults(delay=0.05))
    assert measure_fault(delayed, ROBOT, trials=2, seed=0).wrong_accepted > 0
    assert 'wrong values accepted' in measure_fault(delayed, ROBOT, trials=2, seed=0).complaint


def test_a_robot_that_does_not_stop_shows_in_the_row(monkeypatch):
    monkeypatch.setattr(SimulatedLink, 'speaking', property(lambda self: True, lambda self, value: None), raising=False)
    row = measure_fault(Case('none', RadioFaults()), ROBOT, trials=1, seed=0)
    assert row.stop_ms > 300
    assert 'stopped after' in row.complaint


def test_equal_seeds_give_equal_rows():
    case = Case('all', RadioFaults(loss=0.1, jitter=0.02, corruption=1e-3))
    assert measure_fault(case, ROBOT, trials=1, seed=3) == measure_fault(case, ROBOT, trials=1, seed=3)


REPLY = TelemetryReply(
    index=7, timestamp=1000, position=(-500, 900), command=(131, 262), duty=(10, 20), gyro=(1, -2, 3),
    accel=(100, -200, 4096), back_emf=(50, -60), battery=880,
)  # fmt: skip


def accepted(reply):
    return TelemetryDecoder(ROBOT).decode(reply, 1.0)


def test_a_robot_that_hears_nothing_any_more_stops_by_its_own_timeout():
    row = measure_out_of_reach(ROBOT, trials=2, seed=0)
    assert (row.wrong_accepted, row.bound_ms) == (0, ROBOT.imageproc.timeout + 20)
    assert ROBOT.imageproc.timeout <= row.stop_ms <= row.bound_ms
    assert row.replies == 0
    assert row.complaint is None


def test_telemetry_as_the_robot_said_it_is_true():
    truth = TelemetryTruth(ROBOT)
    truth.check(accepted(REPLY), [REPLY])
    assert (truth.accepted, truth.wrong) == (1, 0)


@pytest.mark.parametrize(
    'change', [{'gyro': (1, -2, 4)}, {'accel': (101, -200, 4096)}, {'back_emf': (50, 60)}, {'battery': 881}]
)
def test_one_count_off_is_wrong(change):
    truth = TelemetryTruth(ROBOT)
    truth.check(accepted(dataclasses.replace(REPLY, **change)), [REPLY])
    assert truth.wrong == 1


def test_an_encoder_that_is_off_after_the_first_reply_is_wrong():
    truth = TelemetryTruth(ROBOT)
    truth.check(accepted(REPLY), [REPLY])
    moved = dataclasses.replace(REPLY, position=(-400, 1000))
    truth.check(accepted(moved), [moved])
    assert truth.wrong == 0
    truth.check(accepted(dataclasses.replace(moved, position=(-400, 1001))), [moved])
    assert truth.wrong == 1


def test_telemetry_that_nobody_sent_is_wrong():
    truth = TelemetryTruth(ROBOT)
    truth.check(accepted(REPLY), [])
    assert truth.wrong == 1


GOOD = FaultRow('none', 'simulated', 10, 9, 0, 206.0, 0.0)
FIGURES = link_bench.LinkFigures([GOOD], [RoundTrip(False, 300, 300, 0.2, 0.6, 0.7)], BridgeLoad(6.0, 4.2))


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({}, None),
        ({'wrong_accepted': 2}, '2 wrong values accepted'),
        ({'stop_ms': 301.0}, 'the motors stopped after 301 ms'),
        ({'stop_ms': 301.0, 'bytes_pass': False}, None),
        ({'stop_ms': 349.0, 'bound_ms': 350.0}, None),
        ({'stop_ms': 351.0, 'bound_ms': 350.0}, 'the motors stopped after 351 ms'),
        ({'wrong_accepted': None, 'stop_ms': None, 'rearm_s': None}, None),
        ({'broken': 'the bridge has ended'}, 'the bridge has ended'),
    ],
)
def test_the_exit_code_and_the_json_say_what_the_rows_say(change, complaint, monkeypatch, capsys):
    row = dataclasses.replace(GOOD, **change)
    figures = dataclasses.replace(FIGURES, rows=[row])
    monkeypatch.setattr(link_bench, 'bench_link', lambda options, tell: figures)
    assert main(['bench', 'link', '--json']) == (0 if complaint is None else 1)
    printed = capsys.readouterr()
    (told,) = json.loads(printed.out)
    assert {'fault', 'sent', 'replies', 'wrong_accepted', 'stop_ms', 'rearm_s'} <= set(told)
    assert told['stop_ms'] == row.stop_ms
    assert (complaint or '') in printed.err


def test_the_tables_name_every_figure(monkeypatch, capsys):
    monkeypatch.setattr(link_bench, 'bench_link', lambda options, tell: FIGURES)
    assert main(['bench', 'link']) == 0
    text = capsys.readouterr().out
    for part in ('none', '206', 'p99', '4.2 % of a core'):
        assert part in text
    assert len({len(line) for line in table([GOOD, GOOD]).splitlines()}) == 1


@pytest.mark.parametrize(
    ('options', 'parts', 'rows'),
    [
        ([], ('radio', 'processes'), link_bench.ROWS),
        (['--busy'], ('radio', 'processes', 'busy'), link_bench.ROWS),
        (['--only', 'busy'], ('busy',), link_bench.ROWS),
        (['--row', 'mocap.stop', '--row', 'reset'], ('radio', 'processes'), ('mocap.stop', 'reset')),
    ],
)
def test_one_part_or_some_rows_can_be_measured_alone(options, parts, rows, monkeypatch):
    asked = []
    monkeypatch.setattr(link_bench, 'bench_link', lambda bench, tell: asked.append(bench) or FIGURES)
    assert main(['bench', 'link', *options]) == 0
    assert (asked[0].parts, asked[0].rows) == (parts, rows)
    chosen = dataclasses.replace(asked[0], rows=('mocap.stop', 'reset'))
    assert chosen.radio_rows == (['reset'] if 'radio' in parts else [])
    assert list(chosen.live_faults) == ['mocap.stop']


def test_a_row_that_is_not_there_gives_one_line(capsys):
    assert main(['bench', 'link', '--row', 'mocap.sotp']) == 2
    assert "no row of the benchmark is called 'mocap.sotp'; rows: none, loss 10 %" in capsys.readouterr().err


def test_the_radio_can_be_measured_without_any_process(monkeypatch):
    monkeypatch.setattr(link_bench, 'LiveRobot', None)
    monkeypatch.setattr(link_bench, 'measure_round_trip', lambda *_: FIGURES.trips[0])
    bench = link_bench.LinkBench(parts=('radio',), rows=('reset', 'mocap.stop'), trials=1)
    told = []
    figures = link_bench.bench_link(bench, lambda: told.append(1))
    assert [row.fault for row in figures.rows] == ['reset']
    assert (figures.load, len(told), bench.steps) == (None, 1, 1)


def test_a_round_trip_that_a_starved_mock_breaks_costs_no_row(monkeypatch):
    def lost(*_):
        raise LinkLost('no reply to 10 setpoints in a row')

    monkeypatch.setattr(link_bench, 'measure_round_trip', lost)
    figures = link_bench.bench_link(link_bench.LinkBench(parts=('radio',), rows=('reset',), trials=1), lambda: None)
    assert [(row.fault, row.broken) for row in figures.rows] == [
        ('reset', None), ('round trip', 'no reply to 10 setpoints in a row')
    ]  # fmt: skip


class Live:
    """Stand in for a live run that never starts, or in which some faults go wrong."""

    started = 0

    def __init__(self, *_, busy):
        self.busy = busy

    def __enter__(self):
        Live.started += 1
        if Live.started == 2:
            raise BenchFailedError('bridge: no such port')
        return self

    def __exit__(self, *_):
        pass

    def inject(self, *_):
        pass

    def walk(self, seconds):
        pass

    def mock_starved(self):
        return Live.started == 3


def test_after_a_run_that_failed_the_rows_that_are_left_are_measured_in_another(monkeypatch):
    def good(robot):
        return GOOD

    def bad(robot):
        raise BenchFailedError('the link did not come within 30 s')

    Live.started = 0
    monkeypatch.setattr(link_bench, 'LiveRobot', Live)
    monkeypatch.setattr(
        link_bench, 'LIVE_FAULTS', {'mocap.stop': good, 'mocap.hold': bad, 'mocap.nan': good, 'mocap.zeros': good}
    )
    figures = link_bench.bench_link(link_bench.LinkBench(parts=('busy',)), lambda: None)
    assert [(row.fault, row.broken) for row in figures.rows] == [
        ('mocap.stop', None), ('mocap.hold', 'the link did not come within 30 s'),
        ('mocap.nan', 'bridge: no such port'), ('mocap.zeros', None),
    ]  # fmt: skip
    assert [row.complaint is None for row in figures.rows] == [True, False, False, True]
    assert figures.mock_starved


def test_a_trial_in_which_the_robot_stood_already_is_made_again():
    stood = dataclasses.replace(GOOD, stop_ms=999.0, walked=False)
    answers = iter([stood, GOOD, stood, GOOD, *[stood] * 6])
    faults = {'mocap.stop': lambda robot: next(answers), 'mocap.hold': lambda robot: next(answers)}
    first, second = link_processes.measure_processes(Live(busy=False), 2, faults)
    assert (first.fault, first.stop_ms, first.sent) == ('mocap.stop', GOOD.stop_ms, 2 * GOOD.sent)
    assert 'again and again the robot stood' in second.complaint


def test_a_live_run_that_does_not_come_up_leaves_nothing_behind(tmp_path, monkeypatch):
    done = []

    def note(what):
        return lambda *_: done.append(what) or 1

    stand_ins = {
        'Supervisor': SimpleNamespace(start=note('start'), stop_one=note('stop one'), stop=note('stop')),
        'Witness': SimpleNamespace(spin=note('spin'), close=note('close')),
        'reserve_domain': SimpleNamespace(number=1, release=note('release')),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(live_robot, name, lambda *_, made=stand_in: made)
    monkeypatch.setattr(os, 'environ', dict(os.environ))
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(live_robot.time, 'monotonic', lambda: next(clock))
    with (
        pytest.raises(BenchFailedError, match='the port of the mock did not come within 30 s'),
        LiveRobot(tmp_path, 'velociroach'),
    ):
        pass
    assert done[-3:] == ['stop', 'close', 'release']


def test_a_machine_that_is_too_busy_is_warned_of_and_fails_nothing(monkeypatch, capsys):
    monkeypatch.setattr(link_bench, 'bench_link', lambda options, tell: dataclasses.replace(FIGURES, mock_starved=True))
    assert main(['bench', 'link', '--json']) == 0
    assert 'could not keep up with real time' in capsys.readouterr().err


def test_of_several_trials_the_worst_counts():
    worst = worst_of([GOOD, dataclasses.replace(GOOD, stop_ms=250.0, rearm_s=2.0, broken='it moved'), GOOD])
    assert (worst.sent, worst.replies, worst.stop_ms, worst.rearm_s, worst.broken) == (30, 27, 250.0, 2.0, 'it moved')


def test_the_processor_time_of_this_process_grows_as_it_works():
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) < before + 0.03:
        math.fsum(np.random.default_rng(0).random(10_000))


@pytest.mark.system
def test_every_exchange_over_a_pty_is_answered():
    trip = measure_round_trip(ROBOT, exchanges=50, wire_time=False)
    assert trip.replies >= 45  # a busy machine may keep the mock waiting
    assert 0.0 < trip.p50_ms <= trip.p99_ms <= trip.worst_ms


@pytest.mark.system
def test_a_port_that_vanishes_and_comes_back_is_survived_and_nothing_moves_by_itself(tmp_path, monkeypatch):
    for name, seconds in (('VANISHED', 0.5), ('OBSERVED', 1.0), ('WATCHED_AFTER', 0.5)):
        monkeypatch.setattr(link_processes, name, seconds)
    for name in list(os.environ):
        monkeypatch.setenv(name, os.environ[name])  # the run's ROS domain goes when the test does
    with LiveRobot(tmp_path, 'velociroach') as robot:
        robot.walk(0.5)
        row = PROCESS_FAULTS['port vanishes for 2 s'](robot)
    assert row.complaint is None
    assert row.rearm_s < 20.0


@pytest.mark.system
@pytest.mark.long
def test_every_row_holds_in_twenty_trials_idle_and_on_a_busy_machine(capsys):
    options = ['--trials', '20', '--process-trials', '20', '--busy', '--json']
    assert main(['bench', 'link', *options]) == 0, capsys.readouterr().err


def test_every_injected_fault_is_one_that_the_mock_knows():
    for case in INJECTED:
        value = None if case.value is None else yaml.safe_load(case.value)
        assert make_fault(case.fault, value).what == case.fault
    assert len({case.name for case in INJECTED}) == len(INJECTED)
