"""The rover's mock: it drives, skids, weakens, repeats itself, and refuses what only legs can suffer."""

import dataclasses

import numpy as np
import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.robot.layout import POSITION, YAW_RATE
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.sim.conditions import Condition, Fault, Payload, load_condition
from millirobot_adapt.sim.lockstep_robots import make_stepped, training_conditions
from millirobot_adapt.sim.rover_mock import RoverMock
from millirobot_adapt.sim.rover_world import RoverWorld
from millirobot_adapt.sim.world import World

ROVER = load_robot('rover')
QUIET = Condition(step_noise=0.0)


def drive(condition, action, periods=20, seed=0):
    robot = make_stepped(ROVER, condition, make_estimator(EstimatorConfig(), ROVER), seed)
    seen = [robot.reset()]
    seen += [robot.step(np.array(action)) for _ in range(periods)]
    return robot, seen


def test_it_drives_as_far_as_it_is_told():
    _, seen = drive(QUIET, (0.4, 0.0))
    assert seen[-1].true_position[0] == pytest.approx(0.8, abs=0.1)
    assert seen[-1].state.shape == (15,)
    np.testing.assert_allclose(seen[-1].state[POSITION], seen[-1].true_position, atol=5e-3)


def test_the_estimator_knows_speed_and_yaw_rate_from_poses_alone():
    _, seen = drive(QUIET, (0.3, 0.8), periods=30)
    yaw = np.unwrap([each.true_rpy[2] for each in seen[-11:]])
    turned = (yaw[-1] - yaw[0]) / (10 * ROVER.dt)
    assert 0.4 < turned < 1.0
    rates = [float(each.state[YAW_RATE][0]) for each in seen[-10:]]
    assert np.mean(rates) == pytest.approx(turned, abs=0.1)
    assert np.linalg.norm(StateView(seen[-1].state).velocity[:2]) == pytest.approx(0.3, abs=0.05)


def test_equal_seeds_give_equal_runs():
    first, again, other = (drive(Condition(), (0.3, 0.5), seed=seed)[1][-1].state for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    'change',
    [
        {'wheel_gain': (1.0, 1.0, 0.5, 1.0)}, {'payload': Payload(mass=1.5)}, {'terrain': 'turf'},
        {'pose_offset': (0.0, 0.0, 0.0, 0.0, 0.0, 0.3)}, {'grip_drift': 0.5},
    ],
)  # fmt: skip
def test_each_condition_changes_the_run(change):
    plain, changed = (
        drive(condition, (0.3, 0.8))[1][-1] for condition in (QUIET, dataclasses.replace(QUIET, **change))
    )
    assert np.abs(plain.state - changed.state).max() > 1e-3


def test_a_weak_wheel_pulls_to_its_side_from_its_time_on():
    condition = dataclasses.replace(QUIET, faults=(Fault('wheel_gain', (1.0, 1.0, 0.5, 0.5), 1.0),))
    _, seen = drive(condition, (0.4, 0.0), periods=25)
    assert abs(seen[10].true_rpy[2]) < 0.02
    assert seen[-1].true_rpy[2] < -0.1, 'weak wheels on the right turn it to the right'
    assert seen[-1].faults == ('wheel_gain',)


def test_without_commands_it_stops_by_itself():
    world = RoverWorld(ROVER, QUIET, 0)
    world.command(np.array([0.4, 0.0]))
    world.advance(1.5)
    before = world.rover.pose()[0]
    world.advance(2.5)
    assert np.linalg.norm(world.rover.pose()[0] - before) < 0.02


@pytest.mark.parametrize('key', [{'missing_legs': ('front_left',)}, {'wear': (0.5,) * 6}, {'motor_gain': (0.5, 1.0)}])
def test_what_only_legs_can_suffer_is_refused(key):
    with pytest.raises(UserError, match=next(iter(key))):
        RoverWorld(ROVER, Condition(**key), 0)


def test_what_only_wheels_can_suffer_is_refused_for_legs():
    with pytest.raises(UserError, match='wheel_gain is of robots with wheels'):
        World(RobotConfig(), load_condition('weak_wheel').after(Fault('wheel_gain', (1.0, 1.0, 0.5, 1.0))), 0)
    with pytest.raises(UserError, match=r'payload\.mass is 1\.5 kg'):
        World(RobotConfig(), Condition(payload=Payload(mass=1.5)), 0)


def test_training_conditions_are_of_the_robot():
    condition = training_conditions(ROVER)(np.random.default_rng(0))
    RoverWorld(ROVER, condition, 0)
    assert condition.wheel_gain != (1.0,) * 4


EPOCH = 1_700_000_000.0


class RealTime:
    """A rover's mock on a fake clock, which waiting moves."""

    def __init__(self, **condition):
        self.now = 50.0
        self.mock = RoverMock(
            RoverWorld(ROVER, dataclasses.replace(QUIET, **condition), 0), clock=lambda: self.now,
            host_clock=lambda: EPOCH + self.now, sleep=self.sleep,
        )  # fmt: skip

    def sleep(self, seconds):
        self.now += seconds

    def run(self, seconds, action=None):
        poses, end = [], self.now + seconds
        while self.now < end:
            if action is not None:
                self.mock.command(np.array(action))
            poses += self.mock.turn()
        return poses


def test_in_real_time_it_drives_by_the_clock_and_poses_carry_host_time():
    real = RealTime()
    poses = real.run(1.0, (0.4, 0.0))
    assert real.mock.world.time == pytest.approx(1.0, abs=0.01)
    assert 95 <= len(poses) <= 101
    assert poses[-1].stamp == pytest.approx(EPOCH + real.now, abs=0.03)
    assert poses[-1].position[0] > 0.25
    real.now += 2.0
    real.run(0.1)
    assert real.mock.time.lost_time == pytest.approx(2.0, abs=0.01)


def test_the_mock_says_since_when_it_is_told_to_move_or_to_stand():
    real = RealTime()
    real.run(0.2)
    assert not real.mock.motors[1].any()
    real.run(0.3, (0.4, 0.0))
    since, told = real.mock.motors
    assert (since, told[0]) == (pytest.approx(0.2, abs=0.01), 0.4)
    real.run(0.2, (0.2, 0.5))
    assert real.mock.motors[0] == since, 'it moves on'
    real.run(0.1, (0.0, 0.0))
    assert real.mock.motors[0] == pytest.approx(0.7, abs=0.01)
    real.run(0.1, (0.3, 0.0))
    real.run(0.8)
    assert real.mock.motors[0] == pytest.approx(1.4, abs=0.02), 'its own timeout, half a second after the last command'


def test_the_clock_of_motion_capture_steps_and_a_clock_of_its_own_it_has_none():
    real = RealTime()
    before = real.run(0.2)[-1].stamp
    real.mock.world.inject(Fault('clock.mocap', 5.0))
    assert real.run(0.2)[-1].stamp - before == pytest.approx(5.2, abs=0.02)
    with pytest.raises(UserError, match='reports no time of its own'):
        real.mock.world.inject(Fault('clock.robot', 1.0))
    with pytest.raises(UserError, match='this mock has no bus'):
        real.mock.world.inject(Fault('bus.loss', 1.0))
