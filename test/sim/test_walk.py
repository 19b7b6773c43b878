"""How the mock walks, against the figures measured on the real robot's carpet (within 30 %) and its own promises."""

import numpy as np
import pytest

from firmware_bridge import packets
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim import measure
from millirobot_adapt.sim.conditions import Condition, Fault
from millirobot_adapt.sim.terrain import Terrain
from millirobot_adapt.sim.world import World

ROBOT = load_robot('velociroach')


def straight(rate: float, seconds: float = 8.0, **condition) -> measure.Record:
    commands = np.full((round(seconds / ROBOT.dt), 2), rate)
    return measure.record(ROBOT, Condition(step_noise=0.0, **condition), commands, seed=0)


def yaw_rate(run: measure.Record) -> float:
    return float(run.rpy[-1, 2] - run.rpy[10, 2]) / ((len(run.rpy) - 11) * ROBOT.dt)


@pytest.fixture(scope='module')
def figures() -> dict[str, float]:
    # A single run of 50 s leaves the yaw gain uncertain by a third.
    commands = [measure.random_commands(ROBOT, 50.0, 1, seed) for seed in range(4)]
    return measure.figures(ROBOT, [measure.record(ROBOT, Condition(), c, seed) for seed, c in enumerate(commands)])


@pytest.mark.parametrize(
    ('name', 'real'), [('forward_2_3', 0.17), ('forward_4_5', 0.25), ('forward_6_7', 0.32), ('forward_8_9', 0.38)]
)
def test_forward_speed_by_leg_rate_is_near_the_real_robots(figures, name, real):
    assert figures[name] == pytest.approx(real, rel=0.3)


def test_turning_is_near_the_real_robots(figures):
    assert figures['yaw_gain'] == pytest.approx(0.205, rel=0.3)
    assert 0.5 * 0.38 < figures['yaw_residual_1s'] < 1.5 * 0.38  # half of the real noise by default


def test_the_legs_lag_behind_their_commands_as_the_real_ones(figures):
    assert figures['rate_ratio'] == pytest.approx(0.9, abs=0.05)
    assert figures['rate_now'] == pytest.approx(0.67, rel=0.3)
    assert figures['rate_before'] == pytest.approx(0.18, abs=0.1)


@pytest.mark.parametrize('rate', [2.5, 4.5, 6.5])
def test_a_lost_middle_leg_turns_and_slows_the_robot(rate):
    whole, broken = straight(rate), straight(rate, missing_legs=('middle_left',))
    assert yaw_rate(broken) - yaw_rate(whole) > 0.25
    assert broken.velocity[:, 0].mean() < 0.95 * whole.velocity[:, 0].mean()


def test_with_a_lost_middle_leg_the_robot_can_still_be_steered_both_ways():
    def turn(left: float, right: float) -> float:
        commands = np.tile([left, right], (60, 1))
        condition = Condition(step_noise=0.0, missing_legs=('middle_left',))
        return yaw_rate(measure.record(ROBOT, condition, commands, seed=0))

    assert turn(8.0, 2.0) < -0.3
    assert turn(2.0, 8.0) > 0.3


def test_the_legs_of_a_side_stay_half_a_turn_apart():
    world = World(ROBOT, Condition(), seed=0)
    world.microcontroller.obey(packets.PidGains(ROBOT.imageproc.pid_gains[:5], ROBOT.imageproc.pid_gains[5:]))
    world.microcontroller.obey(packets.StartMotors())
    world.microcontroller.obey(packets.SetVelocity((500, 200)))
    world.advance(1.0)
    data = world.hexapod.data
    for side in ('left', 'right'):
        # The middle foot is drawn half a turn away from the others, so equal joint angles are what is wanted.
        angles = [data.joint(f'{row}_{side}').qpos[0] for row in ('front', 'middle', 'rear')]
        assert np.ptp(angles) < 0.1


def test_a_fault_begins_at_its_time_after_the_first_motion_and_is_noted():
    world = World(ROBOT, Condition(faults=(Fault('missing_legs', ('middle_left',), 0.5),)), seed=0)
    world.advance(1.0)
    world.microcontroller.obey(packets.StartMotors())
    world.microcontroller.obey(packets.SetVelocity((0, 0)))
    world.advance(2.0)
    world.microcontroller.obey(packets.SetVelocity((300, 300)))
    world.advance(2.49)
    assert world.faults == []
    world.advance(3.0)
    ((time, fault),) = world.faults
    assert time == pytest.approx(2.5, abs=0.011)
    assert fault.name == 'missing_leg middle_left'


def test_the_battery_sags_under_load():
    world = World(ROBOT, Condition(), seed=0)
    idle = world.hexapod.battery
    world.microcontroller.obey(packets.PidGains(ROBOT.imageproc.pid_gains[:5], ROBOT.imageproc.pid_gains[5:]))
    world.microcontroller.obey(packets.StartMotors())
    world.microcontroller.obey(packets.SetVelocity((500, 500)))
    world.advance(0.02)
    assert world.hexapod.battery < idle - 0.02


def test_a_standing_robot_stays_where_it_is():
    world = World(ROBOT, Condition(step_noise=1.0), seed=0)
    position, _ = world.hexapod.pose()
    world.advance(2.0)
    assert np.linalg.norm(world.hexapod.pose()[0] - position) < 0.002


def test_a_robot_that_falls_over_ends_the_record():
    thrown = Condition(terrain=Terrain(side_push=3.0, yaw_push=3.0), step_noise=2.0)
    commands = measure.random_commands(ROBOT, 20.0, 1, seed=5, span=(8.0, 12.0))
    run = measure.record(ROBOT, thrown, commands, seed=5)
    assert 0 < len(run.command) == len(run.rate) == len(run.rpy) == len(run.pose_age) < len(commands)
    assert abs(run.rpy[-1, 0]) > measure.OVERTURNED
    assert (np.abs(run.rpy[:-1, 0]) <= measure.OVERTURNED).all()
