"""The lab's logs as bags of a live run."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from lab_log import lab_log
from robots import imageproc
from rosbags.highlevel import AnyReader

from millirobot_adapt.contract.messages import TelemetryGatherer, joint_values, pose_sample, seconds
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.recording.lab.import_log import REQUEST_TIME, ImportReport, import_log
from millirobot_adapt.recording.reader import open_bag

ROBOT = RobotConfig()


def sides(message, field='velocity'):
    return joint_values(message, ROBOT.layout.action_names, field)


RECORDS = 10
LOGS = Path(__file__).parents[3] / 'shared' / 'data' / 'velociroach_logs'


def make_log(modes=(3, 1, 2)) -> dict[str, np.ndarray]:
    """Make a log whose rollouts (ten records each, 100 s apart) stand in the file in the opposite order of time."""
    rollouts = len(modes)
    rollout, tick = np.divmod(np.arange(rollouts * RECORDS), RECORDS)
    return lab_log(
        position=np.column_stack([0.03 * tick, rollout]),
        quaternion=np.tile([0, 0, 0, 1], (len(tick), 1)),
        rates=np.column_stack([131.4 + tick, 262.0 + tick]),
        encoders=np.column_stack([tick, 2 * tick]) * 6554 - 40000,
        t_robot=1e9 + 100.0 * (rollouts - rollout) + 0.1 * tick,
        modes=modes,
        sessions=[f'carpet_{i}' for i in range(rollouts)],
    )


def convert(folder: Path, log: dict[str, np.ndarray]) -> tuple[ImportReport, list]:
    """Import a log; return the report and all messages as (topic, message, receive time)."""
    np.savez(folder / 'log.npz', **log)
    report = import_log(folder / 'log.npz', folder / 'bag', ROBOT, progress=False)
    return report, list(open_bag(folder / 'bag').messages())


def of(messages, topic):
    return [message for name, message, _ in messages if name == topic]


def test_report_counts_what_was_written_and_skipped(tmp_path):
    report, messages = convert(tmp_path, make_log())
    assert report == ImportReport(
        rollouts=2, skipped=1, stale=0, messages=len(messages), minutes=pytest.approx(2 * 0.9 / 60)
    )
    assert len(messages) == 2 * (1 + RECORDS * 7)


def test_a_plain_reader_opens_the_bag(tmp_path):
    report, _ = convert(tmp_path, make_log())
    with AnyReader([tmp_path / 'bag']) as reader:
        counts = {connection.topic: connection.msgcount for connection in reader.connections}
        stamps = [stamp for _, stamp, _ in reader.messages()]
    assert sum(counts.values()) == report.messages
    assert counts['/rollout'] == 2
    assert counts['/mocap/pose'] == counts['/sent'] == counts['/legs'] == counts['/back_emf'] == 2 * RECORDS
    assert stamps == sorted(stamps)


def test_rollouts_are_marked_in_the_order_of_time(tmp_path):
    _, messages = convert(tmp_path, make_log())
    marks = [{pair.key: pair.value for pair in mark.values} for mark in of(messages, 'rollout')]
    assert marks == [
        {'rollout': '2', 'mode': 'fast PID', 'session': 'carpet_2'},
        {'rollout': '1', 'mode': 'slow PID', 'session': 'carpet_1'},
    ]
    assert messages[0][0] == 'rollout'
    assert messages[1 + RECORDS * 7][0] == 'rollout'


def test_what_is_sent_precedes_its_reply_as_in_a_live_run(tmp_path):
    _, messages = convert(tmp_path, make_log(modes=(1,)))
    for sent, legs in zip(of(messages, 'sent'), of(messages, 'legs'), strict=True):
        assert seconds(legs.header.stamp) - seconds(sent.header.stamp) == pytest.approx(REQUEST_TIME, abs=2e-6)


def test_commands_become_leg_velocities_rounded_as_on_the_wire(tmp_path):
    log = make_log(modes=(1,))
    _, messages = convert(tmp_path, log)
    revolution = RADIANS_PER_REVOLUTION / 65.536
    wanted = [sides(message) for message in of(messages, 'setpoint')]
    sent = [sides(message) for message in of(messages, 'sent')]
    np.testing.assert_allclose(wanted, log['cmd'] * revolution, rtol=1e-6)
    np.testing.assert_allclose(sent, np.rint(log['cmd']) * revolution, rtol=1e-12)


def test_telemetry_is_in_si_units(tmp_path):
    log = make_log(modes=(1,))
    _, messages = convert(tmp_path, log)
    legs = of(messages, 'legs')
    np.testing.assert_allclose([sides(m) for m in legs[1:]], np.tile([1.0, 2.0], (9, 1)) * 6.2835, rtol=1e-3)
    np.testing.assert_allclose(np.diff([sides(m, 'position') for m in legs], axis=0)[:, 0], 0.62835, rtol=1e-3)
    imu = of(messages, 'imu/data_raw')[3]
    assert imu.angular_velocity.z == pytest.approx(log['gyro'][3, 2] * 1.0658e-3)
    assert imu.linear_acceleration_covariance[0] == -1.0
    assert of(messages, 'battery')[4].voltage == pytest.approx(log['vbat'][4] * ROBOT.imageproc.scales.battery)
    back_emf = of(messages, 'back_emf')[0].data
    assert back_emf[1] > 0
    assert back_emf[2] > 0


def test_a_stale_packet_is_no_reply_and_the_next_step_spans_both(tmp_path):
    log = make_log(modes=(1,))
    for key in ('enc', 'gyro', 'bemf', 'vbat'):
        log[key][5] = log[key][4]
    report, messages = convert(tmp_path, log)
    legs = of(messages, 'legs')
    assert (report.stale, len(legs), len(of(messages, 'sent'))) == (1, RECORDS - 1, RECORDS)
    np.testing.assert_allclose([sides(m)[0] for m in legs[1:]], 6.2835, rtol=1e-3)


def test_a_robot_that_started_anew_does_not_spin_its_legs(tmp_path):
    log = make_log(modes=(1,))
    log['enc'][5:] -= 95 * 65536
    legs = of(convert(tmp_path, log)[1], 'legs')
    np.testing.assert_array_equal(sides(legs[5]), [0.0, 0.0])
    np.testing.assert_array_equal(sides(legs[5], 'position'), sides(legs[4], 'position'))
    assert sides(legs[6])[0] == pytest.approx(6.2835, rel=1e-3)


def test_poses_come_before_the_telemetry_they_were_held_with(tmp_path):
    log = make_log(modes=(1,))
    log['t_mocap'][4] = log['t_robot'][4] + 0.0005
    log['mocap_valid'][0], log['t_mocap'][0] = False, 0.0
    _, messages = convert(tmp_path, log)
    order = [name for name, _, _ in messages if name in ('mocap/pose', 'legs')]
    assert order == ['legs'] + ['mocap/pose', 'legs'] * (RECORDS - 1)
    assert seconds(of(messages, 'mocap/pose')[3].header.stamp) == pytest.approx(log['t_mocap'][4], abs=1e-6)


def without(key):
    log = make_log()
    del log[key]
    return log


def changed(key, value):
    return make_log() | {key: value}


def poisoned(key):
    log = make_log()
    log[key].flat[7] = np.nan
    return log


@pytest.mark.parametrize(
    ('log', 'message'),
    [
        (without('enc'), 'keys enc are missing'),
        (changed('pos', np.zeros((5, 3))), 'pos has the shape'),
        (changed('cmd', np.array([['a', 'b']] * 30)), 'cmd has the type'),
        (changed('gyro', np.array([[None] * 3] * 30, dtype=object)), 'cannot be read'),
        (poisoned('quat'), 'quat holds values that are not finite'),
        (poisoned('t_robot'), 't_robot holds values that are not finite'),
        (changed('t_robot', np.zeros(30)), 'does not rise'),
        (changed('roll_start', np.array([0, 10, 25])), 'rollout 2 spans'),
        (changed('roll_mode', np.array([9, 9, 9])), 'no rollout with leg velocity setpoints'),
        (make_log(modes=(3, 3)), 'no rollout with leg velocity setpoints'),
    ],
)
def test_a_malformed_log_is_refused_in_one_line_and_leaves_nothing(tmp_path, log, message):
    with pytest.raises(UserError, match=message) as error:
        convert(tmp_path, log)
    assert '\n' not in str(error.value)
    assert not (tmp_path / 'bag').exists()


@pytest.mark.parametrize('content', [None, b'', b'no npz at all', b'PK\x03\x04 cut short'])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / 'log.npz'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match='no such file' if content is None else 'cannot be read'):
        import_log(path, tmp_path / 'bag', ROBOT, progress=False)


def test_a_bag_is_never_overwritten(tmp_path):
    convert(tmp_path, make_log())
    with pytest.raises(UserError, match='exists already'):
        import_log(tmp_path / 'log.npz', tmp_path / 'bag', ROBOT, progress=False)


def test_a_folder_in_place_of_the_log_is_refused(tmp_path):
    with pytest.raises(UserError, match='cannot be read'):
        import_log(tmp_path, tmp_path / 'bag', ROBOT, progress=False)


def test_the_scales_are_the_robots(tmp_path):
    np.savez(tmp_path / 'log.npz', **make_log())
    robot = imageproc(scales=dataclasses.replace(ROBOT.imageproc.scales, gyro=2 * ROBOT.imageproc.scales.gyro))
    for name, config in (('one', ROBOT), ('two', robot)):
        import_log(tmp_path / 'log.npz', tmp_path / name, config, progress=False)
    rates = [
        [m.angular_velocity.x for m in of(list(open_bag(tmp_path / name).messages()), 'imu/data_raw')]
        for name in ('one', 'two')
    ]
    np.testing.assert_allclose(2 * np.array(rates[0]), rates[1])


@pytest.mark.real_logs
@pytest.mark.skipif(not LOGS.is_dir(), reason='the lab logs are not on this machine')
@pytest.mark.parametrize(
    ('terrain', 'written', 'skipped', 'stale'),
    [
        pytest.param('carpet', 334, 10, 138, marks=pytest.mark.long),
        ('styrofoam', 219, 0, 147),
        pytest.param('turf', 193, 0, 57, marks=pytest.mark.long),
    ],
)
def test_the_real_logs_import_and_the_filter_follows_them(tmp_path, terrain, written, skipped, stale):
    """One pose a control period, jumps and pauses: an estimate nearly always, never one that runs away."""
    report = import_log(LOGS / f'{terrain}.npz', tmp_path / 'bag', ROBOT, progress=False)
    assert (report.rollouts, report.skipped, report.stale) == (written, skipped, stale)
    gatherer, rollouts, replies, speeds = TelemetryGatherer(), 0, 0, []
    for topic, message, _ in open_bag(tmp_path / 'bag').messages():
        if topic == 'rollout':
            rollouts += 1
            if rollouts > 60:
                break
            estimator = make_estimator(EstimatorConfig(), ROBOT)
        elif topic == 'mocap/pose':
            estimator.on_pose(pose_sample(message))
        elif topic not in ('sent', 'setpoint'):
            reply = gatherer.add(topic, message)
            if reply is not None:
                replies += 1
                estimator.on_telemetry(reply)
                found = estimator.estimate(reply.stamp)
                if found is not None:
                    speeds.append(np.linalg.norm(found.velocity))
    # On carpet, motion capture stands still for most of two rollouts: there the filter says that it is lost.
    assert len(speeds) > 0.98 * replies
    assert max(speeds) < 2.0
    assert np.median(speeds) < 0.4


def test_rollouts_of_an_unknown_mode_or_without_motion_capture_are_named_and_the_rest_goes_on(tmp_path, capsys):
    log = changed('roll_mode', np.array([1, 9, 1]))
    log['mocap_valid'] = np.array(log['mocap_valid'])
    log['mocap_valid'][-5:] = False
    np.savez(tmp_path / 'log.npz', **log)
    report = import_log(tmp_path / 'log.npz', tmp_path / 'bag', RobotConfig(), progress=False)
    assert report.rollouts == 2
    said = capsys.readouterr().err
    assert '1 rollouts of the unknown mode 9 left out (1)' in said
