"""Two programs, each with a radio of its own, command one robot: it is noticed, and the robot ends up standing."""

import math

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.link import Link
from millirobot_adapt.benchmarks.link.simulated_link import RadioTransport, SimulatedClock
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.wireless_robot import WirelessRobot
from millirobot_adapt.sim.world import World

ROBOT = RobotConfig()
WALK = np.array([4.0, 4.0]) * 2 * math.pi
STILL = np.zeros(2)


class Masters:
    """Two links to one robot; each hears the answers to its own requests alone."""

    def __init__(self, **config):
        self.clock = SimulatedClock()
        self.world = World(ROBOT, Condition(), 0)
        self.first, self.second = (self.link(seed, **config) for seed in (1, 2))

    def link(self, seed, **config):
        radio = Radio(ROBOT.imageproc.radio, RadioFaults(), True, np.random.default_rng(seed))
        peer = WirelessRobot(self.world, radio)
        return Link(lambda: RadioTransport(peer, self.clock), ROBOT, LinkConfig(**config), self.clock)

    def lost_after(self, turns, walker, other):
        """Let both command in turn; return after how many turns the walker's link was lost, and why."""
        for turn in range(turns):
            try:
                walker.exchange(WALK)
                self.clock.sleep(0.04)
                if other.state is LinkState.UP:
                    other.exchange(STILL)
            except LinkLost as error:
                return turn, str(error)
            self.clock.sleep(0.04)
        return None


def test_both_notice_within_a_second():
    masters = Masters()
    masters.first.start()
    assert masters.first.exchange(WALK).telemetry is not None
    masters.second.start()
    turn, reason = masters.lost_after(30, masters.first, masters.second)
    assert turn <= 10
    assert 'not ours: stop the other program' in reason or 'restarted' in reason
    masters.clock.sleep(0.5)
    masters.second.stop()
    assert masters.world.microcontroller.command == (0, 0)


def test_a_master_that_is_alone_again_is_left_in_peace():
    masters = Masters()
    masters.first.start()
    masters.second.start()
    assert masters.lost_after(30, masters.first, masters.second) is not None
    for link in (masters.first, masters.second):
        link.close()
    masters.first.start()
    assert masters.lost_after(30, masters.first, masters.second) is None
