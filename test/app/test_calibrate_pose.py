"""The command `calibrate-pose`, on bags of the mock with a known offset and on the lab's logs."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from firmware_bridge import packets
from firmware_bridge.telemetry import setpoint_to_counts
from millirobot_adapt.app.main import main
from millirobot_adapt.contract.topics import MOCAP_POSE, SENT
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, load_robot
from millirobot_adapt.recording.stored_messages import joint_state, pose_stamped
from millirobot_adapt.recording.writer import BagWriter, full_names
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.world import World

ROBOT = load_robot('velociroach')
LOGS = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'velociroach_logs'
OFFSET = (0.0, 0.0, 0.02, 0.04, -0.06, 0.30)
EPOCH = 1_700_000_000.0


def walk(bag: Path, offset=OFFSET, walks=6, seconds=8.0, difference=0.0) -> Path:
    """Start the mock again for each walk, the legs `difference` [rev/s] apart; write what calibrate-pose reads."""
    with BagWriter(bag, full_names([MOCAP_POSE, SENT])) as writer:
        for number in range(walks):
            world = World(ROBOT, Condition(pose_offset=offset, start_yaw=float(number)), seed=number)
            for packet in (
                packets.StartMotors(),
                packets.PidGains(ROBOT.imageproc.pid_gains[:5], ROBOT.imageproc.pid_gains[5:]),
            ):
                world.microcontroller.obey(packet)
            sent = (4.0 + number % 3 + difference * np.array([-0.5, 0.5])) * RADIANS_PER_REVOLUTION
            for period in range(round(seconds / ROBOT.dt)):
                now = period * ROBOT.dt
                begin = EPOCH + (seconds + 5.0) * number
                world.microcontroller.obey(packets.SetVelocity(setpoint_to_counts(ROBOT, sent)))
                writer.write_message(f'/{SENT.name}', joint_state(begin + now, sent), begin + now)
                world.advance(now + ROBOT.dt)
                for pose in world.mocap.due(now + ROBOT.dt):
                    message = pose_stamped(begin + pose.stamp, pose.position, pose.quaternion)
                    writer.write_message(f'/{MOCAP_POSE.name}', message, begin + pose.stamp)
    return bag


def calibrated(bag: Path, capsys) -> dict:
    capsys.readouterr()
    assert main(['calibrate-pose', str(bag), '--json']) == 0
    (result,) = json.loads(capsys.readouterr().out)
    return result


def test_poses_stamped_by_another_clock_are_brought_to_that_of_the_bag_and_said_so(tmp_path, capsys):
    bag = tmp_path / 'bag'
    with BagWriter(bag, full_names([MOCAP_POSE, SENT])) as writer:
        for period in range(50):
            now = EPOCH + 0.1 * period
            writer.write_message(f'/{SENT.name}', joint_state(now, [20.0, 20.0]), now)
            pose = pose_stamped(now - 3600.0, [0.03 * period, 0.0, 0.03], [0.0, 0.0, 0.0, 1.0])
            writer.write_message(f'/{MOCAP_POSE.name}', pose, now)
    assert main(['calibrate-pose', str(bag)]) == 0
    assert 'stamps are 3600.0 s behind' in capsys.readouterr().err


@pytest.fixture(scope='module')
def walked(tmp_path_factory):
    """A bag with the markers straight, and one with them askew."""
    home = tmp_path_factory.mktemp('walked')
    return walk(home / 'straight', offset=(0.0,) * 6), walk(home / 'askew')


def test_a_known_offset_comes_back_within_its_uncertainty(walked, capsys):
    straight, result = (calibrated(bag, capsys) for bag in walked)
    assert result['offset']['walks'] == 6
    value, error = result['offset']['yaw']
    sideways, its_error = straight['offset']['yaw']  # the gait carries the mock a little to one side
    assert max(error, its_error) < np.radians(2.0)
    assert abs(sideways) < np.radians(2.0)
    assert abs(value - sideways - OFFSET[5]) < 2.0 * np.hypot(error, its_error)
    assert result['marker_offset'][5] == pytest.approx(value, abs=1e-3)


def test_the_attitude_comes_back_relative_to_how_the_gait_carries_the_body(walked, capsys):
    straight, askew = (attitude(calibrated(bag, capsys)) for bag in walked)
    np.testing.assert_allclose((straight.inv() * askew).as_euler('ZYX')[::-1], OFFSET[3:], atol=0.02)


def attitude(result: dict) -> Rotation:
    return Rotation.from_euler('ZYX', result['marker_offset'][:2:-1])


def test_the_table_says_what_to_write_and_where_days_differ(tmp_path, capsys):
    first = walk(tmp_path / 'first', walks=2)
    second = walk(tmp_path / 'second', offset=(0.0,) * 6, walks=2)
    assert main(['calibrate-pose', str(first), str(second)]) == 0
    printed = capsys.readouterr().out
    assert 'differ by up to 1' in printed
    assert 'Fewer than 4 walks' in printed
    assert printed.count('marker_offset: [0.0, 0.0, 0.0, ') == 2
    assert main(['calibrate-pose', str(first), '--body-height', '0.03']) == 0
    printed = capsys.readouterr().out
    assert 'differ' not in printed
    assert 0.0 < float(printed.split('marker_offset: [')[1].split(',')[2]) < 0.05


def test_a_bag_without_straight_walking_gives_one_line(tmp_path, capsys):
    bag = walk(tmp_path / 'curves', walks=1, difference=3.0)
    assert main(['calibrate-pose', str(bag)]) == 2
    assert 'straight stretches' in capsys.readouterr().err
    assert main(['calibrate-pose', str(tmp_path / 'nothing')]) == 2
    assert 'no such bag' in capsys.readouterr().err


def test_a_bag_without_poses_gives_one_line(tmp_path, capsys):
    with BagWriter(tmp_path / 'bag', full_names([MOCAP_POSE, SENT])) as writer:
        writer.write_message(f'/{SENT.name}', joint_state(EPOCH, np.array([30.0, 30.0])), EPOCH)
    assert main(['calibrate-pose', str(tmp_path / 'bag')]) == 2
    assert 'mocap/pose' in capsys.readouterr().err


@pytest.mark.real_logs
@pytest.mark.skipif(not LOGS.is_dir(), reason="the lab's logs are not part of the repository")
def test_the_day_whose_body_axes_differ_by_17_degrees_is_found(tmp_path, capsys):
    bag = tmp_path / 'carpet'
    assert main(['import-log', str(LOGS / 'carpet.npz'), '--out', str(bag)]) == 0
    capsys.readouterr()
    assert main(['calibrate-pose', str(bag), '--json']) == 0
    yaw = {result['day'][:10]: result['offset']['yaw'] for result in json.loads(capsys.readouterr().out)}
    odd, error = yaw.pop('2018-02-15')
    for value, other_error in yaw.values():
        assert odd - value == pytest.approx(np.radians(17.0), abs=3.0 * np.hypot(error, other_error))
