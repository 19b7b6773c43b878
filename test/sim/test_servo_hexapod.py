"""The six-servo hexapod of the mock walks, turns, and feels its conditions, driven by the real driver in lock-step."""

import math

import numpy as np
import pytest

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import ManualClock
from firmware_bridge.dynamixel.dynamixel_driver import DynamixelDriver
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.conditions import Condition, Fault, Payload, Slope
from millirobot_adapt.sim.firmware_microcontroller import microcontroller_of
from millirobot_adapt.sim.link_faults import BusTarget
from millirobot_adapt.sim.lockstep import LinePort
from millirobot_adapt.sim.world import World

ROBOT = load_robot('xl330_hexapod')


class Walker:
    def __init__(self, seed=0, **condition):
        self.clock = ManualClock()
        self.world = World(ROBOT, Condition(step_noise=0.0, **condition), seed)
        self.driver = DynamixelDriver(
            lambda: LinePort(self.world, self.clock), ROBOT.dynamixel, LinkConfig(), self.clock, own_thread=False
        )
        self.driver.start()
        self.driver.start_motors()

    def walk(self, left, right, seconds):
        """Return forward distance [m], to the left [m] and turn [rad]."""
        before, rpy = self.world.hexapod.pose()[0], roll_pitch_yaw(self.world.hexapod.pose()[1])
        for _ in range(round(seconds * 10)):
            self.driver.exchange(np.array([left, right]) * 2 * math.pi)
            for _ in range(9):
                self.clock.sleep(0.01)
                self.driver.cycle()
            self.clock.sleep(0.01)
        moved = self.world.hexapod.pose()[0] - before
        cos, sin = math.cos(rpy[2]), math.sin(rpy[2])
        turned = roll_pitch_yaw(self.world.hexapod.pose()[1])[2] - rpy[2]
        return (
            cos * moved[0] + sin * moved[1],
            cos * moved[1] - sin * moved[0],
            (turned + math.pi) % (2 * math.pi) - math.pi,
        )


def test_it_walks_straight_and_turns_to_the_side_of_the_slower_legs():
    walker = Walker()
    forward, _, turn = walker.walk(1.5, 1.5, 3.0)
    assert forward > 0.2
    assert abs(turn) < 0.4
    _, _, left = walker.walk(0.7, 1.8, 1.0)
    _, _, right = walker.walk(1.8, 0.7, 1.0)
    assert left > 0.15 > -0.15 > right
    assert abs(roll_pitch_yaw(walker.world.hexapod.pose()[1])[0]) < 0.3


def test_a_dead_servo_leaves_a_leg_that_drags():
    walker = Walker(faults=(Fault('robot.servo', 'middle_left', 0.2),))
    whole = Walker().walk(1.5, 1.5, 2.0)
    hurt = walker.walk(1.5, 1.5, 2.0)
    assert 'middle left' in walker.driver.counts()['legs_out']
    assert 0.2 * whole[0] < hurt[0]
    assert abs(hurt[2] - whole[2]) > 0.05


@pytest.mark.parametrize(
    'condition', [{'payload': Payload(mass=0.1)}, {'slope': Slope(angle=0.15)}, {'motor_gain': (0.4, 1.0)}]
)
def test_conditions_change_the_walk(condition):
    assert Walker(**condition).walk(1.5, 1.5, 1.0) != pytest.approx(Walker().walk(1.5, 1.5, 1.0), abs=1e-3)


def test_equal_seeds_give_equal_walks():
    assert Walker(seed=3).walk(1.0, 2.0, 0.5) == Walker(seed=3).walk(1.0, 2.0, 0.5)


def test_it_runs_no_firmware():
    with pytest.raises(UserError, match='run no firmware of ours'):
        World(ROBOT, Condition(), 0, microcontroller_of('host'))


@pytest.mark.parametrize(('robot', 'fault'), [('velociroach', 'robot.servo'), ('xl330_hexapod', 'robot.encoders')])
def test_a_fault_that_cannot_happen_to_a_robot_is_refused(robot, fault):
    world = World(load_robot(robot), Condition(), 0)
    with pytest.raises(UserError, match='cannot happen to this robot'):
        world.injector.inject(Fault(fault, 'middle_left'), 0.0)


def test_faults_of_the_bus_are_those_of_the_line():
    walker = Walker()
    line = walker.world.electronics.line
    target = BusTarget(line)
    target.begin('loss', 1.0)
    assert walker.driver.exchange(np.zeros(2)).telemetry is None
    target.end('loss')
    assert walker.driver.exchange(np.zeros(2)).telemetry is not None
    target.begin('corruption', 1.0)
    assert walker.driver.exchange(np.zeros(2)).telemetry is None
    target.end('corruption')
    assert (line.faults.lost, line.faults.corrupt) == (0.0, 0.0)
