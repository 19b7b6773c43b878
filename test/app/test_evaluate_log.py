"""The command `evaluate-log` before it trains: what it reads, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('torch')

from millirobot_adapt.app.main import main
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.learning.log_rollouts import read_log

RECORDS = 30
LOGS = Path(__file__).parents[3] / 'shared' / 'data' / 'velociroach_logs'

pytestmark = pytest.mark.train


def write_log(path, modes=(1, 1, 3, 1), period=0.1, **changed):
    """Write a log of rollouts straight ahead at 0.3 m/s, legs at 5 and 6 rev/s, all in sessions of their own."""
    count = len(modes)
    tick = np.tile(np.arange(RECORDS), count)
    t_robot = 1e9 + 100.0 * np.repeat(np.arange(count), RECORDS) + period * tick
    records = len(tick)
    log = {
        't_robot': t_robot,
        't_mocap': t_robot - 0.004,
        'mocap_valid': np.ones(records, dtype=bool),
        'pos': np.stack([0.03 * tick, 0 * tick, 0 * tick], axis=1).astype(np.float32),
        'quat': np.tile(np.array([0, 0, 0, 1], dtype=np.float32), (records, 1)),
        'cmd': np.tile(np.array([5.0, 6.0], dtype=np.float32) * 65.536, (records, 1)),
        'enc': np.stack([tick * 32768, tick * 39322], axis=1).astype(np.int32),
        'gyro': (np.stack([tick, tick, tick], axis=1) % 7 - 3).astype(np.int16),
        'bemf': np.tile(np.array([50, -60], dtype=np.int16), (records, 1)),
        'vbat': np.full(records, 880, dtype=np.int16),
        'roll_start': np.arange(count, dtype=np.int32) * RECORDS,
        'roll_len': np.full(count, RECORDS, dtype=np.int16),
        'roll_mode': np.array(modes, dtype=np.int8),
        'roll_session': np.array([f'{path.stem}_{number}' for number in range(count)]),
    }
    np.savez(path, **{**log, **changed})
    return path


def test_a_log_becomes_states_and_the_setpoints_that_led_from_one_to_the_next(tmp_path):
    log = read_log(write_log(tmp_path / 'grass.npz'), EstimatorConfig(), RobotConfig())
    assert log.sessions == ('grass_0', 'grass_1', 'grass_3'), 'open-loop PWM has no setpoints'
    rollouts = log.rollouts
    assert rollouts.states.shape == (3, RECORDS, 24)
    assert rollouts.actions.shape == (3, RECORDS - 1, 2)
    assert rollouts.valid[:, 2:].all()
    sent = np.broadcast_to(RADIANS_PER_REVOLUTION * np.array([5, 6]), rollouts.actions.shape)
    np.testing.assert_allclose(rollouts.actions, sent, rtol=1e-6)
    states = StateView(rollouts.states[:, 15:].astype(float))
    np.testing.assert_allclose(states.velocity[..., 0], 0.3, atol=0.03)
    legs = rollouts.states[:, 15:, RobotConfig().layout.joint_velocity]
    np.testing.assert_allclose(legs[..., 0], 5 * RADIANS_PER_REVOLUTION, rtol=1e-3)
    assert (rollouts.metadata['origin'], list(rollouts.metadata['logs'])) == ('real', ['grass'])


def test_a_pose_that_jumps_is_not_learned_from(tmp_path):
    tick = np.arange(RECORDS)
    position = np.stack([0.03 * tick + (tick >= 20), 0 * tick, 0 * tick], axis=1).astype(np.float32)
    log = read_log(write_log(tmp_path / 'grass.npz', (1,), pos=position), EstimatorConfig(), RobotConfig())
    moved = np.linalg.norm(np.diff(log.rollouts.states[0, :, :2], axis=0), axis=-1)
    assert moved[log.rollouts.valid[0]].max() < 0.15 < moved.max()


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (['--train', 'nowhere.npz'], 'nowhere.npz: no such file'),
        (['--train', 'other.npz'], 'other.npz: is no VelociRoACH log'),
        (['--train', 'pwm.npz'], 'pwm.npz: holds no rollout with leg velocity setpoints'),
        (['--train', 'slow.npz'], 'slow.npz: holds no two states a control period apart'),
        (['--train', 'short.npz'], 'short: has only one session'),
        (['--train', 'grass.npz', '--test', 'grass.npz'], 'grass: its session grass_0 is in grass, too'),
        (['--train', 'grass.npz', 'grass.npz'], 'its session'),
        (['--train', 'grass.npz', '--methods', 'mb,magic'], "'magic' is not one of mb, mb_aug, mb_de, grbal"),
        (['--train', 'grass.npz', '--seeds', '0'], 'seeds = 0 is below its lowest value 1'),
        (['--train', 'grass.npz', '--set', 'colour=red'], 'unknown parameter; known are methods, seeds'),
        (['--train', 'grass.npz', '--out', '.'], 'exists already'),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / 'grass.npz')
    write_log(tmp_path / 'pwm.npz', (3,))
    write_log(tmp_path / 'short.npz', (1,))
    write_log(tmp_path / 'slow.npz', period=1.0)
    np.savez(tmp_path / 'other.npz', states=np.zeros(3))
    assert main(['evaluate-log', *arguments]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if 'error' in line]
    assert complaint in line


@pytest.mark.real_logs
@pytest.mark.skipif(not LOGS.is_dir(), reason='the lab logs are not on this machine')
def test_the_real_logs_can_be_learned_from():
    log = read_log(LOGS / 'turf.npz', EstimatorConfig(), RobotConfig())
    assert len(log) == 193
    assert len(set(log.sessions)) == 22
    assert log.rollouts.valid.mean() > 0.98
