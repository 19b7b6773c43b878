"""The driver, stepped cycle by cycle in the time of a manual clock."""

import dataclasses
import math
import threading
import time

import numpy as np
import pytest
from noting_guardian import NotingGuardian
from robot_peer import RobotPeer

from firmware_bridge.bridge_config import BridgeConfig, LinkConfig
from firmware_bridge.bridge_loop import SHORT_WAIT, BridgeLoop
from firmware_bridge.channel import SLICE
from firmware_bridge.clock import ManualClock, SystemClock
from firmware_bridge.link import Link
from firmware_bridge.packets import SetVelocity, StopMotors
from firmware_bridge.permission import ALIVE, Permission
from firmware_bridge.transports.memory import MemoryTransport
from millirobot_adapt.contract.states import ControllerState, LinkState
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender
from millirobot_adapt.core.safety.causes import HoldCause, StopCause
from millirobot_adapt.core.safety.gate import Gate, GateConfig

WALK = np.array([4.0, 5.0]) * 2 * math.pi
CONTROLLER = Sender(ActionSource.CONTROLLER, 'one')
TELEOP = Sender(ActionSource.TELEOP, 'pad')
GOOD = StateQuality(pose_age=0.02, position_sd=0.001, heading_sd=0.01, coasting=False)


def state_at(stamp, position=(0.0, 0.0, 0.0), quality=GOOD):
    """A robot that stands upright."""
    state = np.zeros(24)
    state[:3] = position
    state[[6, 8, 10]] = 1.0
    return StateSample(0, stamp, state, quality)


class WatchedTransport(MemoryTransport):
    def fileno(self):
        return 99


class Lab:
    """A driver with a robot behind it and somebody who sends poses and setpoints."""

    def __init__(self, everything=True, **config):
        self.guards = []
        self.clock = ManualClock()
        self.robot = RobotPeer(self.clock)
        self.plugged = True
        self.opened = []
        self.transport = None
        self.exchanges = []
        self.events = []
        self.report = self.exchanges.append
        robot = RobotConfig()
        config = BridgeConfig(**config)
        self.link = Link(self.opener, robot, config.link, self.clock, self.guard)
        self.link.connect()
        gate = Gate(config.gate, robot)
        self.driver = BridgeLoop(
            self.link,
            gate,
            config,
            self.clock,
            lambda exchange: self.report(exchange),
            self.events.append,
            Permission(everything),
        )

    def opener(self):
        self.opened.append(self.clock.steady())
        if not self.plugged:
            raise UserError('port x: no such port')
        self.transport = WatchedTransport(self.robot, self.clock)
        return self.transport

    def guard(self, descriptor, words):
        assert descriptor == 99
        self.guards.append(NotingGuardian(words))
        return self.guards[-1]

    def after(self, seconds, act):
        """Let somebody act once so much time has passed while the driver waits."""
        beat, begun = self.guards[-1].beat, self.clock.steady()

        def beat_and_act(motors_on):
            beat(motors_on)
            if self.clock.steady() - begun >= seconds:
                self.guards[-1].beat = beat
                act()

        self.guards[-1].beat = beat_and_act

    def see(self, position=(0.0, 0.0, 0.0), quality=GOOD):
        """Let a state come."""
        self.driver.on_state(state_at(self.clock.host(), position, quality))

    def say(self, setpoint=WALK, sender=CONTROLLER):
        """Let a setpoint come."""
        self.driver.on_setpoint(sender, np.asarray(setpoint, dtype=float), self.clock.host())

    def tick(self, setpoint=WALK, position=(0.0, 0.0, 0.0), sender=CONTROLLER):
        """Let a setpoint come and be dealt with; ends 0.1 s after it began."""
        start = self.clock.steady()
        self.see(position)
        self.say(setpoint, sender)
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
    assert lab.driver.status().link is LinkState.UP
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.motors
    assert lab.robot.velocity == (262, 328)


def test_arming_before_the_world_is_seen_is_refused():
    lab = Lab()
    assert lab.driver.arm() == 'the link is not up'
    lab.driver.cycle()
    lab.driver.cycle()
    assert lab.driver.arm() == 'no state from the estimator yet'


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


def test_the_motors_are_at_zero_within_300_ms_when_replies_cease_though_setpoints_go_on(lab):
    for _ in range(3):
        lab.tick()
    ceased = lab.clock.steady() - 0.09  # right after the last reply
    lab.robot.change = lambda reply: None
    setpoints = 0
    while lab.robot.turning:
        if lab.clock.steady() >= ceased + 0.09 + 0.1 * setpoints:
            setpoints += 1
            lab.say()
        lab.see()
        lab.driver.cycle()
    assert 0.2 <= lab.clock.steady() - ceased < 0.3
    assert lab.driver.status().reason == 'no telemetry for 0.22 s'
    lab.robot.change = lambda reply: reply
    for _ in range(3):
        lab.tick()
    assert lab.robot.turning, 'a hold ends with its cause'


def test_the_zero_that_ends_a_motion_is_repeated_in_haste_and_no_answer_is_taken_for_another(lab):
    lab.tick()
    lab.robot.delay = 0.025  # longer than the haste: each answer comes while the next zero is waited for
    lab.say(np.zeros(2))
    lab.exchanges.clear()
    start = lab.clock.steady()
    while lab.clock.steady() < start + 3 * SHORT_WAIT:
        lab.see()
        lab.driver.cycle()
    assert len(lab.exchanges) >= 3
    assert all(exchange.telemetry is None for exchange in lab.exchanges)
    lab.run(0.2)
    assert lab.exchanges[-1].telemetry is not None
    assert lab.exchanges[-1].round_trip == pytest.approx(0.025)


def test_one_missing_reply_does_not_halt_the_robot(lab):
    lab.tick()
    lab.robot.silent = True
    lab.tick()
    lab.robot.silent = False
    lab.tick()
    assert lab.robot.turning
    assert lab.exchanges[-1].sent.any()


def test_a_setpoint_that_came_late_is_not_obeyed_longer_for_that(lab):
    lab.see()
    lab.driver.on_setpoint(CONTROLLER, WALK, lab.clock.host() - 0.15)
    stamped = lab.clock.steady() - 0.15
    lab.driver.cycle()
    assert lab.robot.turning
    while lab.robot.turning:
        lab.see()
        lab.driver.cycle()
    assert lab.clock.steady() - stamped < 0.25


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
    lab.driver.stop('stopped by the operator', StopCause.OPERATOR)
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
    assert lab.driver.status().reason == 'battery below 3.51 V'


def test_a_port_that_vanishes_and_comes_back_leaves_the_bridge_alive_and_disarmed(lab):
    lab.tick()
    lab.transport.lost, lab.plugged = True, False
    lab.run(2.0)
    assert lab.driver.status().link is LinkState.LOST
    assert 'no such port' in lab.driver.status().reason
    lab.plugged = True
    lab.run(4.0)
    assert lab.driver.status().link is LinkState.UP
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
    lab.opened.clear()
    lab.run(30.0)
    waits = np.diff(lab.opened)
    assert waits[0] < waits[-1]
    assert waits[-1] == pytest.approx(waits[-2])
    lab.robot.tx_status = 0
    lab.run(4.0)
    assert lab.driver.status().link is LinkState.UP


def test_closing_stops_the_robot(lab):
    lab.tick()
    assert lab.robot.turning
    lab.driver.close()
    lab.driver.run()
    assert not lab.robot.motors
    assert lab.robot.velocity == (0, 0)
    assert lab.driver.status().link is LinkState.CLOSED


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
    lab.driver.stop('stopped by the operator', StopCause.OPERATOR)
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
    lab.report = lambda exchange: 1 / 0
    lab.say()
    with pytest.raises(ZeroDivisionError):
        lab.driver.run()
    assert not lab.robot.motors
    state = lab.driver.status()
    assert (state.armed, state.cause) == (False, StopCause.FAULT)
    assert state.last_stop == 'the thread of the link failed: ZeroDivisionError: division by zero'


def test_the_guardian_hears_from_the_link_all_the_time_and_whether_the_motors_may_be_on():
    lab = Lab()
    beats = []
    lab.guards[0].beat = lambda motors_on: beats.append((lab.clock.steady(), motors_on))
    lab.run(3.0)  # the start-up with its hold-off, then idle
    assert np.diff([time for time, _ in beats]).max() <= SLICE + 1e-9
    assert beats[0][1], 'unknown until proven off'
    assert not beats[-1][1]
    lab.tick()
    assert lab.driver.arm() is None
    lab.tick()
    assert beats[-1][1]


def test_the_guardian_writes_zero_and_off(lab):
    lab.tick()
    assert lab.robot.turning
    lab.robot.receive(b'\x7e\x00\x0b\x01' + 3 * lab.guards[0].words)  # a frame cut in half swallows the first
    assert not lab.robot.motors
    assert lab.robot.velocity == (0, 0)


def test_a_guardian_that_has_spoken_disarms_for_good_and_the_motors_are_stopped_again(lab):
    lab.tick()
    lab.guards[0].said = 'the serial guardian has stopped the motors: the link was silent'
    lab.tick()
    assert not lab.robot.motors
    assert not lab.driver.status().armed
    assert 'guardian' in lab.driver.status().reason
    assert 'guardian' in lab.events[-1]
    lab.tick()
    assert not lab.robot.turning
    assert lab.guards[0].closed, 'a new one has taken over'
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.turning


def test_every_port_gets_a_guardian_of_its_own_which_leaves_with_it(lab):
    lab.transport.lost = True
    lab.run(3.0)
    assert lab.driver.status().link is LinkState.UP
    assert [guard.closed for guard in lab.guards] == [True, False]
    lab.driver.close()
    lab.driver.run()
    assert lab.guards[1].closed


def test_a_dry_run_decides_as_always_and_sends_zero():
    lab = Lab(dry_run=True)
    lab.driver.cycle()
    for _ in range(2):
        lab.tick()
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.velocity == (0, 0)
    assert not lab.exchanges[-1].sent.any()
    assert lab.driver.decided == pytest.approx(WALK)
    lab.tick(position=(2.6, 0.0, 0.0))
    assert lab.events[-1] == 'stopped: outside the fence'


def controller_state(origin, sender=CONTROLLER):
    details = {} if origin is None else {'model': 'some_model', 'model origin': origin}
    return ControllerState(sender, RunStatus(RunPhase.IDLE), details)


def ready_on_a_real_port(*origins):
    lab = Lab(everything=False)
    lab.driver.cycle()
    for origin in origins:
        lab.driver.on_controller(controller_state(origin))
    for _ in range(2):
        lab.tick(np.zeros(2))
    return lab


def test_a_controller_of_a_real_model_drives_on_a_real_port():
    lab = ready_on_a_real_port('real')
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.turning


@pytest.mark.parametrize('origin', ['mock', 'unknown', '', None])
def test_a_model_that_is_not_known_to_be_real_neither_arms_nor_moves_on_a_real_port(origin):
    lab = ready_on_a_real_port(origin)
    assert 'allow_mock_model' in lab.driver.arm()
    lab.clock.sleep(ALIVE + 0.1)  # the controller has gone; somebody arms for teleop
    lab.see()
    lab.driver.cycle()
    lab.see()
    assert lab.driver.arm() is None
    lab.tick()
    assert not lab.robot.turning, 'its setpoints move nothing even so'
    assert 'allow_mock_model' in lab.driver.status().reason


def test_a_controller_that_has_said_nothing_of_its_model_moves_nothing_on_a_real_port():
    lab = ready_on_a_real_port()
    assert lab.driver.arm() is None, 'teleop may want to drive'
    lab.tick()
    assert not lab.robot.turning
    assert 'has not said which model' in lab.driver.status().reason
    lab.tick(sender=TELEOP)
    assert lab.robot.turning


@pytest.mark.parametrize('other', [Sender(ActionSource.CONTROLLER, 'two'), Sender(ActionSource.COLLECTOR, 'three')])
def test_what_another_node_says_does_not_lift_an_objection(other):
    lab = ready_on_a_real_port('mock')
    lab.driver.on_controller(controller_state('real', other))
    lab.driver.on_controller(controller_state(None, Sender(ActionSource.COLLECTOR, 'four')))
    assert "origin 'mock'" in lab.driver.arm()
    lab.tick()
    assert not lab.robot.turning


def test_a_controller_that_drives_and_takes_another_model_is_stopped():
    lab = ready_on_a_real_port('real')
    assert lab.driver.arm() is None
    lab.tick()
    assert lab.robot.turning
    lab.driver.on_controller(controller_state('mock'))
    lab.tick()
    assert not lab.robot.motors
    assert "origin 'mock'" in lab.driver.status().last_stop


def test_the_hand_overrides_the_controller_which_does_not_fight_it_nor_walk_on_by_itself(lab):
    lab.tick()
    slow = np.full(2, 2.0 * 2 * math.pi)
    for _ in range(5):  # both speak in every tick, the controller last
        lab.say(slow, TELEOP)
        lab.say(WALK)
        lab.see()
        lab.driver.cycle()
        assert lab.exchanges[-1].sent == pytest.approx(slow, rel=2e-3)
        assert lab.driver.status().owner == TELEOP
        lab.clock.sleep(0.09)
    lab.say(np.zeros(2), TELEOP)  # the hand lets go
    for _ in range(5):
        lab.tick()
    assert not lab.robot.turning, 'the controller has not noticed yet'
    assert lab.driver.status().owner is None
    lab.tick(np.zeros(2))  # it pauses
    lab.tick()  # and is resumed
    assert lab.robot.turning
    assert lab.driver.status().owner == CONTROLLER


def test_a_paused_controller_does_not_fight_the_hand(lab):
    sent = []
    for _ in range(6):
        for sender, setpoint in ((TELEOP, WALK), (CONTROLLER, np.zeros(2))):
            lab.see()
            lab.say(setpoint, sender)
            if sender is TELEOP:
                lab.driver.cycle()
                sent.append(lab.exchanges[-1].sent.any())
            lab.clock.sleep(0.045)
    assert all(sent)


def test_a_setpoint_of_nobody_in_particular_moves_nothing_and_is_told_of(lab):
    lab.driver.on_unknown_setpoint('setpoint ignored: it is not signed')
    lab.see()
    lab.driver.cycle()
    assert not lab.robot.turning
    state = lab.driver.status()
    assert (state.owner, state.hold) == (None, HoldCause.SETPOINT)
    assert 'not signed' in state.reason
    assert 'not signed' in state.details['refused']


def test_the_robot_stands_within_350_ms_of_the_last_accepted_pose_though_states_and_setpoints_go_on(lab):
    lost = lab.clock.steady()
    last_motion = 0.0
    for number in range(60):
        age = lab.clock.steady() - lost
        quality = dataclasses.replace(GOOD, pose_age=age, coasting=True, fault=PoseFault.FROZEN)
        lab.see(quality=quality)
        if number % 2 == 0:
            lab.say()
        lab.driver.cycle()
        if lab.robot.turning:
            last_motion = lab.clock.steady() - lost
        lab.clock.sleep(0.03)
        if not lab.driver.status().armed:
            break
    assert 0.2 < last_motion < 0.35
    state = lab.driver.status()
    assert state.cause is StopCause.SAFETY, 'after a second it is stopped'
    assert state.last_stop == 'no accepted pose for 1 s: the pose stands still while the robot moves'


def test_legs_that_do_not_follow_are_held_with_the_reason_until_nobody_asks_them_to_turn(lab):
    lab.robot.step = (0, 0)
    begun = lab.clock.steady()
    while lab.driver.status().hold is not HoldCause.LEGS:
        lab.tick()
        assert lab.clock.steady() - begun < 2.0
    assert lab.clock.steady() - begun > 0.9
    assert 'leg does not follow' in lab.driver.status().reason
    for _ in range(20):
        lab.tick()
    assert not lab.robot.turning, 'it is not tried again and again'
    assert lab.driver.status().armed
    lab.robot.step = (1000, 1000)
    lab.tick(np.zeros(2))
    lab.tick()
    assert lab.robot.turning


@pytest.mark.parametrize('when', [0.02, 0.3, 0.9])
def test_closing_during_the_start_up_takes_no_longer_than_a_slice(when):
    lab = Lab()
    ended = []
    lab.after(when, lambda: (lab.driver.close(), ended.append(lab.clock.steady())))
    lab.driver.run()
    assert lab.clock.steady() - ended[0] < 0.1
    assert not lab.robot.motors
    assert lab.events == ['motors off']


def test_a_stop_during_the_start_up_switches_the_motors_off_within_100_ms():
    lab = Lab()
    asked = []
    lab.after(
        0.5, lambda: (lab.driver.stop('stopped by the operator', StopCause.OPERATOR), asked.append(lab.clock.steady()))
    )
    lab.driver.cycle()
    assert lab.clock.steady() - asked[0] < 0.1
    assert lab.robot.heard[-1] == StopMotors()
    lab.run(3.0)
    assert lab.driver.status().link is LinkState.UP, 'then it starts up again'


def test_a_stop_while_a_reply_is_waited_for_is_taken_within_100_ms_and_what_was_sent_is_told(lab):
    lab.tick()
    lab.robot.silent = True
    lab.after(0.0, lambda: lab.driver.stop('stopped by the operator', StopCause.OPERATOR))
    lab.tick()
    assert lab.exchanges[-1].sent == pytest.approx(WALK, rel=2e-3)
    lab.robot.silent = False
    lab.driver.cycle()
    assert not lab.robot.motors


def test_a_robot_that_resets_in_mid_run_is_started_up_again_once_and_not_armed(lab):
    for _ in range(5):
        lab.tick()
    lab.robot.restart()
    for _ in range(5):
        lab.tick()
    assert not lab.robot.turning
    lab.run(3.0)
    assert lab.driver.status().link is LinkState.UP
    assert [event for event in lab.events if 'restarted' in event] == [event for event in lab.events if 'lost' in event]
    assert len([event for event in lab.events if 'restarted' in event]) == 1
    for _ in range(3):
        lab.tick()
    assert not lab.robot.turning
    assert lab.driver.status().details['start_ups'] == 2


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

    driver = BridgeLoop(link, Gate(GateConfig(), robot), config, clock, report, lambda text: None, Permission(True))
    thread = threading.Thread(target=driver.run)
    thread.start()
    try:
        for _ in range(2):  # the first brings a battery reading, the second judges it
            assert came.acquire(timeout=5.0)
        driver.on_state(state_at(time.time()))
        assert driver.arm() is None
        driver.on_setpoint(CONTROLLER, WALK, time.time())
        assert came.acquire(timeout=5.0)
        assert came.acquire(timeout=5.0)
        assert any(exchange.sent == pytest.approx(WALK, rel=2e-3) for exchange in exchanges)
    finally:
        driver.close()
        thread.join(5.0)
    assert not thread.is_alive()
    assert not peer.motors


def test_while_the_robot_is_silent_no_reconnect_switches_anything_on_whatever_the_operator_did(lab):
    lab.tick()
    lab.robot.change = lambda reply: None  # it hears everything and acknowledges it, but does not answer
    lab.run(3.0)
    assert lab.driver.status().link is not LinkState.UP
    lab.driver.stop('stopped by the operator', StopCause.OPERATOR)
    before = len(lab.robot.heard)
    lab.run(20.0)
    heard = lab.robot.heard[before:]
    assert heard, 'it is tried again'
    assert {type(packet) for packet in heard} <= {SetVelocity, StopMotors}
    assert all(packet.velocity == (0, 0) for packet in heard if isinstance(packet, SetVelocity))
    lab.robot.change = lambda reply: reply
    lab.run(5.0)
    assert lab.driver.status().link is LinkState.UP
    assert not lab.robot.motors
    assert not lab.driver.status().armed
