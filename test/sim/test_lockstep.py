import dataclasses

import numpy as np
import pytest
from robots import LAYOUT, NX

from firmware_bridge.telemetry import counts_to_setpoint, setpoint_to_counts
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.layout import POSITION
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.sim.conditions import Condition, Fault, load_condition
from millirobot_adapt.sim.lockstep import LockstepRobot, Observation

ROBOT = load_robot('velociroach')


def made(condition: Condition | None = None, seed: int = 0, robot=ROBOT) -> LockstepRobot:
    return LockstepRobot(robot, condition or Condition(), make_estimator(EstimatorConfig(), robot), seed)


def walk(mock: LockstepRobot, steps: int, seed: int = 5) -> list[Observation]:
    rng = np.random.default_rng(seed)
    return [mock.reset(), *(mock.step(rng.uniform(ROBOT.action_low, ROBOT.action_high)) for _ in range(steps))]


@pytest.fixture(scope='module')
def run() -> list[Observation]:
    return walk(made(), 100)


def test_equal_seeds_give_equal_runs_bit_for_bit_and_others_do_not(run):
    again, other = walk(made(), 100), walk(made(seed=1), 20)
    for one, two in zip(run, again, strict=True):
        assert one.state.tobytes() == two.state.tobytes()
        assert one.true_position.tobytes() == two.true_position.tobytes()
    assert run[20].state.tobytes() != other[20].state.tobytes()


def test_the_effect_of_an_action_shows_in_the_state_after_it(run):
    sent = np.array([after.sent for after in run[1:]])
    after = np.array([obs.state for obs in run[1:]])[:, LAYOUT.joint_velocity]
    before = np.array([obs.state for obs in run[:-1]])[:, LAYOUT.joint_velocity]
    for side in (0, 1):
        assert np.corrcoef(sent[:, side], after[:, side])[0, 1] > 0.8
        assert abs(np.corrcoef(sent[:, side], before[:, side])[0, 1]) < 0.3


def test_states_are_near_the_truth(run):
    states = np.array([obs.state for obs in run])
    assert states.shape == (101, NX)
    assert np.isfinite(states).all()
    error = states[:, POSITION] - [obs.true_position for obs in run]
    assert np.sqrt((error**2).mean(axis=0)).max() < 0.005
    yaw = np.array([obs.true_rpy[2] for obs in run])
    assert np.abs(np.angle(np.exp(1j * (StateView(states).yaw - yaw)))).max() < 0.1


def test_what_was_sent_is_the_setpoint_after_rounding():
    mock = made()
    assert mock.reset().sent.tolist() == [0.0, 0.0]
    setpoint = np.array([20.0, 30.3])
    sent = mock.step(setpoint).sent
    np.testing.assert_array_equal(sent, counts_to_setpoint(ROBOT, setpoint_to_counts(ROBOT, setpoint)))
    assert 0.0 < np.abs(sent - setpoint).max() < 1.0 / ROBOT.counts_per_ms


def test_one_step_is_one_control_period(run):
    np.testing.assert_allclose(np.diff([obs.stamp for obs in run]), ROBOT.dt)
    slow = made(robot=dataclasses.replace(ROBOT, dt=0.2))
    start = slow.reset().stamp
    assert slow.step(ROBOT.action_low).stamp - start == pytest.approx(0.2)


def test_the_fault_shows_in_the_observations():
    run = walk(made(Condition(faults=(Fault('missing_legs', ('middle_left',), 1.0),))), 20)
    began = [obs.faults for obs in run]
    assert began[8] == ()
    assert began[-1] == ('missing_leg middle_left',)


def test_the_start_pose_is_the_conditions():
    start = made(Condition(start_y=0.3, start_yaw=0.5)).reset()
    assert start.true_position[1] == pytest.approx(0.3, abs=0.01)
    assert StateView(start.state).yaw == pytest.approx(0.5, abs=0.05)


def test_a_worn_robot_walks_otherwise():
    fresh, worn = (walk(made(load_condition(name)), 30)[-1].true_position for name in ('flat', 'leg_loss_worn'))
    assert np.linalg.norm(fresh - worn) > 0.02


def test_a_run_is_begun_once_and_reset_first():
    mock = made()
    with pytest.raises(RuntimeError, match=r'reset\(\) must come before'):
        mock.step(ROBOT.action_low)
    mock.reset()
    with pytest.raises(RuntimeError, match='fresh estimator'):
        mock.reset()


def test_without_an_estimate_the_error_says_so():
    class Blind:
        def on_pose(self, sample) -> None: ...
        def on_telemetry(self, sample) -> None: ...
        def estimate(self, stamp: float) -> None: ...
        def counters(self) -> dict[str, int]:
            return {}

    with pytest.raises(RuntimeError, match=r'no estimate at 0\.50 s'):
        LockstepRobot(ROBOT, Condition(), Blind(), 0).reset()
