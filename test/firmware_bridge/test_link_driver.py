"""The driver, stepped cycle by cycle in the time of a manual clock."""

import math
import threading
import time

import numpy as np
import pytest
from robot_peer import RobotPeer

from firmware_bridge.clock import ManualClock, SystemClock
from firmware_bridge.config import BridgeConfig, LinkConfig
from firmware_bridge.driver import Driver
from firmware_bridge.link import Link
from firmware_bridge.transports.memory import MemoryTransport
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot import RobotConfig
from millirobot_adapt.core.safety.gate import Gate, GateConfig

WALK = np.array([4.0, 5.0]) * 2 * math.pi
UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])


class Lab:
    """A driver with a robot behind it and somebody who sends poses and setpoints."""

    def __init__(self, **config):
        self.clock = ManualClock()
        self.robot = RobotPeer(self.clock)
        self.plugged = True
        self.transport = None
        self.exchanges = []
        self.events = []
        robot = RobotConfig()
        config = BridgeConfig(**config)
        self.link = Link(self.opener, robot, config.link, self.clock)
        self.link.connect()
        gate = Gate(config.gate, robot)
        self.driver = Driver(self.link, gate, config, self.clock, self.exchanges.append, self.events.append)

    def opener(self):
        if not self.plugged:
            raise UserError('port x: no such port')
        self.transport = MemoryTransport(self.robot, self.clock)
        return self.transport

    def see(self, position=(0.0, 0.0, 0.0)):
        """Let a pose and an odometry come."""
        self.driver.on_pose(self.clock.host())
        self.driver.on_odometry(np.array(position), UPRIGHT, self.clock.host())

    def tick(self, setpoint=WALK, position=(0.0, 0.0, 0.0)):
        """Let a setpoint come and be dealt with; ends 0.1 s after it began."""
        start = self.clock.steady()
        self.see(position)
        self.driver.on_setpoint(setpoint, self.clock.host())
        self.driver.cycle()
        self.clock.sleep(start + 0.1 - self.clock.steady())

    def run(self, seconds):
        """Let time pass in which only the driver acts."""
        end = self.clock.steady() + seconds
        while self.clock.steady() < end:
            self.driver.cycle()


@pytest.fixture
def lab():
    """A lab whose robot is up and armed."""
    lab = Lab()
    lab.driver.cycle()
    for _ in range(2):
        lab.tick()
    assert lab.driver.arm() is None
    return lab


def test_the_robot_stays_still_until_it_is_armed():
    lab = Lab()
    lab.driver.cycle()
    for _ in range(3):
        lab.tick()
    assert not lab.robot.motors
    assert lab.robot.velocity == (0, 0)
    assert lab.driver.status().link == 'up'
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.motors
    assert lab.robot.velocity == (262, 328)


def test_arming_before_the_world_is_seen_is_refused():
    lab = Lab()
    assert lab.driver.arm() == 'the link is not up'
    lab.driver.cycle()
    lab.driver.cycle()
    assert lab.driver.arm() == 'no mocap pose for 1 s'


def test_a_setpoint_is_sent_at_once_and_its_exchange_reported(lab):
    before = lab.clock.host()
    lab.tick()
    assert lab.exchanges[-1].sent == pytest.approx(WALK, rel=2e-3)
    assert lab.exchanges[-1].stamp - before < 0.005
    assert lab.exchanges[-1].telemetry is not None


def test_the_motors_are_at_zero_within_300_ms_of_the_last_setpoint(lab):
    for _ in range(3):
        lab.tick()
    last = lab.clock.steady() - 0.1
    while lab.robot.turning:
        lab.see()
        lab.driver.cycle()
    assert 0.2 <= lab.clock.steady() - last < 0.3
    assert lab.driver.status().armed


def test_without_setpoints_the_telemetry_goes_on_with_zeros(lab):
    lab.run(0.5)
    lab.exchanges.clear()
    for _ in range(10):
        lab.see()
        lab.driver.cycle()
    stamps = [exchange.stamp for exchange in lab.exchanges]
    assert np.diff(stamps) == pytest.approx(0.11, abs=0.02)
    assert all(exchange.telemetry is not None and not exchange.sent.any() for exchange in lab.exchanges)


def test_the_operators_stop_switches_the_motors_off_and_outlasts_setpoints(lab):
    lab.tick()
    lab.driver.stop('stopped by the operator')
    lab.driver.cycle()
    assert not lab.robot.motors
    lab.tick()
    assert not lab.robot.turning
    assert lab.driver.status().reason == 'stopped by the operator'


def test_leaving_the_fence_stops_until_the_operator_arms_again(lab):
    lab.tick()
    assert lab.robot.turning
    lab.tick(position=(2.6, 0.0, 0.0))
    assert not lab.robot.motors
    lab.tick()
    assert not lab.robot.motors
    assert lab.events[-1] == 'stopped: outside the fence'
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.turning


def test_a_weak_battery_stops(lab):
    lab.robot.battery = 700
    for _ in range(7):
        lab.tick()
    assert not lab.robot.motors
    assert lab.driver.status().reason == 'battery below 780 counts'


def test_a_port_that_vanishes_and_comes_back_leaves_the_bridge_alive_and_disarmed(lab):
    lab.tick()
    lab.transport.lost, lab.plugged = True, False
    lab.run(2.0)
    assert lab.driver.status().link == 'lost'
    assert 'no such port' in lab.driver.status().reason
    lab.plugged = True
    lab.run(4.0)
    assert lab.driver.status().link == 'up'
    assert [event for event in lab.events if event.startswith('link lost')] == [lab.events[1]]
    for _ in range(3):
        lab.tick()
    assert not lab.robot.turning
    assert lab.driver.status().reason == 'the link is up; not armed'
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.turning


def test_a_robot_that_does_not_answer_is_tried_again_ever_more_seldom():
    lab = Lab(reconnect_first=0.2, reconnect_longest=1.0)
    lab.robot.tx_status = 1
    attempts = []
    connect = lab.opener
    lab.link._channel._opener = lambda: attempts.append(lab.clock.steady()) or connect()
    lab.run(30.0)
    waits = np.diff(attempts)
    assert waits[0] < waits[-1]
    assert waits[-1] == pytest.approx(waits[-2])
    lab.robot.tx_status = 0
    lab.run(4.0)
    assert lab.driver.status().link == 'up'


def test_closing_stops_the_robot(lab):
    lab.tick()
    assert lab.robot.turning
    lab.driver.close()
    lab.driver.run()
    assert not lab.robot.motors
    assert lab.robot.velocity == (0, 0)
    assert lab.driver.status().link == 'closed'


def test_closing_while_the_link_is_lost_tries_once_more_to_stop_the_robot(lab):
    lab.tick()
    lab.transport.lost, lab.plugged = True, False
    lab.run(0.5)
    assert lab.robot.turning
    lab.plugged = True
    lab.driver.close()
    lab.driver.run()
    assert not lab.robot.motors
    assert lab.events[-1] == 'motors off'


def test_a_setpoint_does_not_grow_old_while_the_motors_are_switched_on(lab):
    lab.driver.stop('stopped by the operator')
    lab.driver.cycle()
    assert not lab.robot.motors
    lab.see()
    assert lab.driver.arm() is None
    answer, silences = lab.robot.receive, iter(range(3))  # three acknowledgements are lost: 0.3 s
    lab.robot.receive = lambda data: answer(data) if next(silences, None) is None else []
    lab.tick()
    assert lab.robot.motors
    assert lab.robot.velocity == (0, 0)


def test_an_unforeseen_error_stops_the_robot_too(lab):
    lab.tick()
    lab.driver._report = lambda exchange: 1 / 0
    lab.driver.on_setpoint(WALK, lab.clock.host())
    with pytest.raises(ZeroDivisionError):
        lab.driver.run()
    assert not lab.robot.motors


def test_the_threads_meet_nowhere_but_in_the_driver():
    """On a real thread, in real time: setpoints go out as they come, and closing ends the thread."""
    clock = SystemClock()
    peer = RobotPeer(clock)
    exchanges = []
    robot = RobotConfig()
    config = BridgeConfig(link=LinkConfig(zero_hold_off=0.0))
    link = Link(lambda: MemoryTransport(peer, ManualClock()), robot, config.link, clock)
    link.connect()
    came = threading.Semaphore(0)

    def report(exchange):
        if exchange is not None:
            exchanges.append(exchange)
            came.release()

    driver = Driver(link, Gate(GateConfig(), robot), config, clock, report, lambda text: None)
    thread = threading.Thread(target=driver.run)
    thread.start()
    try:
        for _ in range(2):  # the first brings a battery reading, the second judges it
            assert came.acquire(timeout=5.0)
        driver.on_pose(time.time())
        driver.on_odometry(np.zeros(3), UPRIGHT, time.time())
        assert driver.arm() is None
        driver.on_setpoint(WALK, time.time())
        assert came.acquire(timeout=5.0)
        assert came.acquire(timeout=5.0)
        assert any(exchange.sent == pytest.approx(WALK, rel=2e-3) for exchange in exchanges)
    finally:
        driver.close()
        thread.join(5.0)
    assert not thread.is_alive()
    assert not peer.motors
