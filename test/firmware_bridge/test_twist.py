"""The driver of a robot that takes velocity commands: what it sends, and what the bridge's loop and gate make of it."""

from types import SimpleNamespace

import numpy as np
import pytest

from firmware_bridge.bridge_config import BridgeConfig
from firmware_bridge.clock import SystemClock
from firmware_bridge.driver_factory import make_driver, silence_promise
from firmware_bridge.driver_interface import Interrupted, LinkLost
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot

ROVER = load_robot('rover')


class Guardian:
    """Remembers what it is told."""

    def __init__(self):
        self.beats, self.closed, self.said, self.alive, self.looks = [], False, None, True, 0

    @property
    def ready(self):
        self.looks += 1
        return self.looks > 3

    def beat(self, motors_on):
        self.beats.append(motors_on)

    def trouble(self):
        return self.said

    def close(self):
        self.closed = True


@pytest.fixture
def bench():
    sent, guardians = [], []

    def start_guardian():
        guardians.append(Guardian())
        return guardians[-1]

    driver = make_driver(
        ROVER, BridgeConfig(), SystemClock(), SimpleNamespace(send=sent.append, start_guardian=start_guardian)
    )
    return driver, sent, guardians


def test_the_guardian_is_there_before_the_first_command(bench):
    driver, sent, guardians = bench
    driver.connect()
    assert (len(guardians), sent, driver.state) == (1, [], LinkState.CLOSED)
    driver.start()
    assert driver.state is LinkState.UP
    np.testing.assert_array_equal(sent[-1], np.zeros(2))


def test_an_action_goes_out_and_its_reply_says_when_and_nothing_else(bench):
    driver, sent, guardians = bench
    driver.start()
    driver.start_motors()
    exchange = driver.exchange(np.array([0.3, -0.5]))
    np.testing.assert_array_equal(sent[-1], [0.3, -0.5])
    np.testing.assert_array_equal(exchange.sent, [0.3, -0.5])
    reply = exchange.telemetry
    assert (len(reply.joint_velocity), len(reply.joint_effort), reply.index) == (0, 0, 1)
    assert reply.stamp == exchange.stamp
    assert np.isnan(reply.angular_velocity).all()
    assert guardians[0].beats[-1] is True
    assert driver.counts()['sent'] == 1


@pytest.mark.parametrize('end', ['stop', 'close'])
def test_every_end_commands_standstill_more_than_once(bench, end):
    driver, sent, guardians = bench
    driver.start()
    driver.start_motors()
    driver.exchange(np.array([0.3, -0.5]))
    before = len(sent)
    getattr(driver, end)()
    assert len(sent) - before >= 3
    assert not np.any(sent[before:])
    assert guardians[0].closed == (end == 'close')


def test_nothing_moves_before_the_guardian_is_ready(bench):
    driver, _, guardians = bench
    driver.start()
    assert guardians[0].looks == 4
    guardians[0].alive = False
    guardians[0].said = 'it has ended'
    with pytest.raises(LinkLost, match='it has ended'):
        driver.guardian_trouble()
    assert (driver.state, driver.motors_on, guardians[0].closed) == (LinkState.LOST, False, True)
    driver.start()
    assert (driver.state, len(guardians), guardians[1].looks) == (LinkState.UP, 2, 4)


def test_a_guardian_that_dies_while_it_starts_is_a_lost_link(bench, monkeypatch):
    driver, _, guardians = bench
    driver.connect()
    guardians[0].alive, guardians[0].looks = False, -100
    with pytest.raises(LinkLost, match='did not start'):
        driver.start()


def test_the_wait_for_the_guardian_can_be_ended(bench):
    driver, _, guardians = bench
    driver.connect()
    guardians[0].looks = -(10**6)
    driver.interrupt_when(lambda: True)
    with pytest.raises(Interrupted):
        driver.start()
    assert driver.state is not LinkState.UP


def test_a_guardian_that_acted_is_told_of_and_goes_on_guarding(bench):
    driver, _, guardians = bench
    driver.start()
    assert driver.guardian_trouble() is None
    guardians[0].said = 'it has stopped the robot'
    assert driver.guardian_trouble() == 'it has stopped the robot'
    assert (len(guardians), guardians[0].closed) == (1, False), 'another one would need seconds to start'


def test_what_the_robot_promises_is_in_its_file():
    promise = silence_promise(ROVER)
    assert (promise.after, promise.verified) == (0.5, False)
    assert 'has not been seen to stop by itself' in promise.warning


def test_without_a_node_there_is_nothing_to_send_through():
    with pytest.raises(UserError, match='takes velocity commands under ROS 2'):
        make_driver(ROVER, BridgeConfig(), SystemClock())
    assert make_driver(RobotConfig(), BridgeConfig(), SystemClock()).state is LinkState.CLOSED
