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
