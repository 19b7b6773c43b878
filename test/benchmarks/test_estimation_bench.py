"""The scores of `bench estimation` on cases with a known answer, and a short run of the command."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from millirobot_adapt.app.main import main
from millirobot_adapt.benchmarks.estimation.estimation_summary import consistency, judge, summary
from millirobot_adapt.benchmarks.estimation.estimation_table import layout
from millirobot_adapt.benchmarks.estimation.mocap_fault_rows import Events, events_of, fault_row
from millirobot_adapt.benchmarks.estimation.scores import errors_of, nees, non_finite, silent_jumps
from millirobot_adapt.benchmarks.estimation.streams import Truth, record
from millirobot_adapt.benchmarks.estimation.trace import Trace, trace_estimator
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.estimation.health import EstimatorHealth
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.mocap_faults import FAULTS, spoil_poses

ROBOT = load_robot('velociroach')
PERIOD = 0.1
FLOORS = ('carpet', 'styrofoam', 'turf')


def wander(seconds=20.0, seed=0) -> Truth:
    """Walk about with changing speed and turning."""
    rng = np.random.default_rng(seed)
    n = round(seconds * 1000) + 1
    kernel = np.hanning(80) / np.hanning(80).sum()
    noise = np.array([np.convolve(row, kernel, mode='same') for row in rng.normal(size=(3, n))])
    positions = np.column_stack([*np.cumsum(0.5 + 3.0 * noise[:2], axis=1) * 1e-3, np.full(n, 0.03)])
    yaw = np.cumsum(10.0 * noise[2]) * 1e-3
    return Truth(positions, Rotation.from_euler('z', yaw[:, None]).as_quat())


def trace_of(truth: Truth, lag=0.0, noise=0.0, seed=1, told=None, sd=1e-3) -> Trace:
    """Be an estimator that knows the truth of `lag` ago, with noise that its covariance owns up to."""
    rng = np.random.default_rng(seed)
    stamps = np.arange(1, round((len(truth.positions) - 1) * 1e-3 / PERIOD) + 1) * PERIOD
    asked = np.clip(stamps - lag, PERIOD, stamps[-1])
    positions, rotations = truth.pose(asked)
    velocity, rate = truth.mean_twist(asked, PERIOD)
    count = len(stamps)
    return Trace(
        stamps=stamps,
        given=np.ones(count, dtype=bool),
        position=positions + rng.normal(0.0, noise, (count, 3)),
        quaternion=(Rotation.from_rotvec(rng.normal(0.0, noise, (count, 3))) * rotations).as_quat(),
        velocity=velocity + rng.normal(0.0, noise, (count, 3)),
        angular_velocity=rate + rng.normal(0.0, noise, (count, 3)),
        pose_covariance=np.tile(np.eye(6) * sd**2, (count, 1, 1)),
        twist_covariance=np.tile(np.eye(6) * sd**2, (count, 1, 1)),
        told=np.zeros(count, dtype=int) if told is None else told,
        health=EstimatorHealth(counts={'accepted': count}),
        cpu_seconds=0.0,
    )


@pytest.mark.parametrize('lag', [-0.007, 0.0, 0.004, 0.03])
def test_a_known_delay_is_found(lag):
    truth = wander()
    found = summary([judge(trace_of(truth, lag=lag), truth, PERIOD)])
    assert found['velocity_delay_ms'] == pytest.approx(1e3 * lag, abs=0.3)
    assert found['yaw_rate_delay_ms'] == pytest.approx(1e3 * lag, abs=0.3)


def test_noise_of_known_size_gives_its_rmse_and_a_nees_of_one():
    runs = []
    for seed in range(30):
        truth = wander(seconds=10.0, seed=seed)
        runs.append(judge(trace_of(truth, noise=0.01, sd=0.01, seed=seed), truth, PERIOD))
    found = summary(runs)
    assert found['velocity_rmse'] == pytest.approx(0.01 * np.sqrt(3), rel=0.05)
    assert found['yaw_rate_rmse'] == pytest.approx(0.01, rel=0.05)
    honesty = consistency(runs)
    assert honesty['pose'] == pytest.approx(1.0, abs=0.05)
    assert honesty['twist'] == pytest.approx(1.0, abs=0.05)
    assert honesty['pose_standard_error'] < 0.05


def test_nees_sees_too_small_a_covariance():
    errors = np.random.default_rng(0).normal(0.0, 2.0, (2000, 6))
    assert nees(errors, np.tile(np.eye(6), (2000, 1, 1))).mean() == pytest.approx(4.0, rel=0.05)


def test_a_jump_is_silent_only_where_nothing_told_it():
    truth = wander()
    trace = trace_of(truth)
    assert silent_jumps(trace, truth) == 0
    trace.position[50:55] += [0.3, 0.0, 0.0]
    assert silent_jumps(trace, truth) == 2
    told = np.zeros(len(trace.stamps), dtype=int)
    told[50:] = 1
    counted = trace_of(truth, told=told)
    counted.position[50:55] += [0.3, 0.0, 0.0]
    assert silent_jumps(counted, truth) == 1  # the way there was counted, the way back not
    unsure = trace_of(truth, sd=0.1)
    unsure.position[50:55] += [0.3, 0.0, 0.0]
    assert silent_jumps(unsure, truth) == 0


def test_a_turn_jump_and_a_number_that_is_not_finite_are_seen():
    truth = wander()
    trace = trace_of(truth)
    trace.quaternion[60:] = (Rotation.from_euler('z', 2.1) * Rotation.from_quat(trace.quaternion[60:])).as_quat()
    assert silent_jumps(trace, truth) == 1
    trace.velocity[3, 1] = np.nan
    assert non_finite(trace) == 1


def test_recovery_is_counted_from_the_end_of_each_event():
    truth = wander()
    clean = errors_of(trace_of(truth, noise=1e-3), truth, PERIOD)
    trace = trace_of(truth, noise=1e-3)
    trace.velocity[50:74] += 1.0  # control times 5.1 .. 7.4 s
    events = Events(np.array([5.05, 12.0]), np.array([7.0, 12.5]), run_end=20.0)
    row = fault_row(errors_of(trace, truth, PERIOD), clean, events)
    assert row['recover_worst_s'] == pytest.approx(0.5)  # good again at 7.5 s
    assert row['not_recovered'] == 0
    assert row['during']['velocity_rmse'] > 0.5
    assert row['events'] == 2
    trace.velocity[75:120] += 1.0
    assert fault_row(errors_of(trace, truth, PERIOD), clean, events)['not_recovered'] == 1


def test_the_same_stream_meets_every_fault():
    stream = record(ROBOT, Condition(), 12.0, 0)
    for name, faults in FAULTS.items():
        poses = spoil_poses(stream.poses, faults, generator(0, 1))
        events = events_of(faults, stream, poses, ROBOT.dt)
        assert (events is None) == (name == 'none')
        trace = trace_estimator(make_estimator(EstimatorConfig(), ROBOT), poses, stream.telemetry)
        assert non_finite(trace) == 0
        assert silent_jumps(trace, stream.truth) == 0
    again = record(ROBOT, Condition(), 3.0, 0).truth.positions
    np.testing.assert_array_equal(stream.truth.positions[: len(again)], again)


def test_the_filter_halves_the_errors_of_finite_differences_without_delay():
    runs = {'filter': [], 'finite_difference': []}
    for seed, terrain in enumerate(FLOORS):
        stream = record(ROBOT, Condition(terrain=terrain), 8.0, seed)
        for method, judged in runs.items():
            trace = trace_estimator(
                make_estimator(EstimatorConfig(method=method), ROBOT), stream.poses, stream.telemetry
            )
            judged.append(judge(trace, stream.truth, ROBOT.dt))
    found, baseline = summary(runs['filter']), summary(runs['finite_difference'])
    assert found['velocity_rmse'] <= 0.5 * baseline['velocity_rmse']
    assert found['yaw_rate_rmse'] <= 0.5 * baseline['yaw_rate_rmse']
    assert abs(found['delay_ms']) < 10.0


@pytest.fixture
def idle_node(monkeypatch):
    """Measure nothing of the real process, which is measured only where ROS is installed."""
    if find_spec('rclpy'):
        from millirobot_adapt.benchmarks.estimation import node

        monkeypatch.setattr(node, 'measure_node', lambda *_: node.NodeLoad(seconds=1.0, cpu_percent=10.0))


@pytest.mark.usefixtures('idle_node')
def test_the_command_prints_every_floor_and_fault(capsys):
    options = ['--terrain', 'turf', '--runs', '2', '--fault-seconds', '10', '--jobs', '1', '--json']
    assert main(['bench', 'estimation', *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(row['terrain'], row['fault']) for row in report['rows']] == [('turf', name) for name in FAULTS]
    for row in report['rows']:
        assert {'velocity_rmse', 'yaw_rate_rmse', 'baseline', 'delay_ms', 'recover_s'} <= set(row)
        assert {'velocity_rmse', 'yaw_rate_rmse', 'recover_s'} <= set(row['baseline'])
    printed = layout(report)
    assert 'Mean NEES over 2 runs' in printed
    assert all(name in printed for name in FAULTS if name != 'none')


@pytest.mark.usefixtures('idle_node')
def test_a_silent_jump_fails_the_command(monkeypatch):
    report = {'rows': [], 'nees': {}, 'failures': ['turf, jumps: 1 silent jumps']}
    monkeypatch.setattr('millirobot_adapt.benchmarks.estimation.estimation_bench.bench', lambda *_: report)
    assert main(['bench', 'estimation', '--json']) == 1


@pytest.mark.parametrize(
    ('option', 'value', 'complaint'),
    [('--terrain', 'ice', 'known are carpet'), ('--jobs', '0', 'at least 1'), ('--runs', '0', 'runs')],
)
def test_bad_options_give_one_line(option, value, complaint, capsys):
    assert main(['bench', 'estimation', option, value]) == 2
    assert complaint in capsys.readouterr().err
