"""Pauses, takeovers by hand, collector runs, stops and arming in any order: who moves the robot, against a model.

The real controller (over a loop that plans one constant action), collector, teleop and driver in the time of a
simulated clock; between them the news of the bridge travels as slowly as it may.
"""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from robot_peer import RobotPeer
from robots import LAYOUT, NX

from firmware_bridge.bridge_config import BridgeConfig
from firmware_bridge.bridge_loop import BridgeLoop
from firmware_bridge.link import Link
from firmware_bridge.permission import Permission
from firmware_bridge.transports.memory import MemoryTransport
from millirobot_adapt.benchmarks.link.simulated_link import SimulatedClock
from millirobot_adapt.contract.states import LinkState, announced, news_for
from millirobot_adapt.core.control.collector import Collector, CollectorConfig
from millirobot_adapt.core.control.controller import Controller
from millirobot_adapt.core.control.run_state import NotReadyError, RunPhase
from millirobot_adapt.core.control.teleop import Teleop, TeleopConfig
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.estimation.quality import StateQuality, StateSample
from millirobot_adapt.core.planning.planner_interface import Plan
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.core.safety.gate import Gate, GateConfig

CONTROLLER = Sender(ActionSource.CONTROLLER, 'one')
COLLECTOR = Sender(ActionSource.COLLECTOR, 'two')
TELEOP = Sender(ActionSource.TELEOP, 'pad')
DT, JOY_PERIOD = 0.1, 0.05
FRESH = 0.2 + 0.05
"""A motion may be in effect so long after its setpoint was sent [s]: the gate's limit, and one exchange."""
STATE = np.zeros(NX)
STATE[[0, 1, 6, 8, 10]] = 0.5, 0.3, 1.0, 1.0, 1.0
WHILE = st.sampled_from([0.02, 0.1, 0.3, 0.5])
"""Time that passes after something was done [s]."""
QUALITY = StateQuality(0.01, 0.001, 0.01, coasting=False)
PLANNED = np.array([31.0, 32.0])


class ConstantLoop:
    """Plan the same action at every tick."""

    samples = 400

    def restart(self, path):
        pass

    def step(self, tick, stamp, state, sent, executing, *_):
        plan = Plan(np.tile(PLANNED, (5, 1)), np.zeros((6, NX)), 0.0, (0.0, 0.0), 1.0, 8, 8, 1)
        return SimpleNamespace(
            plan=plan,
            cut_short=False,
            tracking=SimpleNamespace(finished=False, failed=''),
            record=lambda **given: TickRecord.without_state(tick, given['stamp'], given['seed'], executing, nx=NX),
        )


class System:
    """Everything that may drive, the bridge, and a note of every motion that was sent."""

    def __init__(self, latency):
        self.clock, self.latency, robot = SimulatedClock(), latency, RobotConfig()
        config = BridgeConfig(gate=GateConfig(fence=(-9.0, -9.0, 9.0, 9.0)))
        # The robot's encoders are not tied to what it is told, so that its legs never seem to stand still.
        self.peer = RobotPeer(self.clock)
        self.peer.step = (20000, 20000)
        link = Link(lambda: MemoryTransport(self.peer, self.clock), robot, config.link, self.clock)
        link.connect()
        self.driver = BridgeLoop(
            link, Gate(config.gate, robot), config, self.clock, self.report, lambda _: None, Permission(everything=True)
        )
        self.controller = Controller(
            ConstantLoop(), lambda state: 'a path', dt=DT, seed=0, deadline=0.09, misses_allowed=3, stale_after=0.5,
            state_timeout=0.75,
            layout=LAYOUT,
            steady=self.clock.steady,
        )  # fmt: skip
        self.collector = Collector(CollectorConfig(minutes=10.0), robot, self.clock.steady)
        self.teleop = Teleop(TeleopConfig(), robot)
        self.held, self.stick = False, 0.0
        self.hanging = set()
        self.said = {}  # sender -> (time, setpoint)
        self.stood = {}  # sender -> when it last asked for standstill, or had been silent
        self.moved = {}  # sender -> when its motion was last sent
        self.told = None
        self.every(DT, 0.0, self.tick_controller)
        self.every(DT, 0.03, self.tick_collector)
        self.every(JOY_PERIOD, 0.01, self.joystick)
        self.every(DT, 0.05, self.see)

    def every(self, period, phase, do):
        def again():
            self.clock.at(self.clock.steady() + period, again)
            do()

        self.clock.at(self.clock.steady() + phase, again)

    def live(self, seconds):
        end = self.clock.steady() + seconds
        while self.clock.steady() < end:
            self.driver.cycle()

    # What the nodes do.

    def see(self):
        sample = StateSample(0, self.clock.host(), STATE, QUALITY)
        self.driver.on_state(sample)
        self.collector.on_state(sample)

    def tick_controller(self):
        if CONTROLLER in self.hanging:
            return
        setpoint = self.controller.begin_tick(self.clock.host())
        self.controller.on_state(StateSample(0, self.clock.host() + 0.001, STATE, QUALITY))
        if setpoint is not None:
            self.say(CONTROLLER, setpoint)
        if self.controller.status.phase is RunPhase.RUNNING:
            self.controller.work()

    def tick_collector(self):
        if COLLECTOR in self.hanging:
            return
        setpoint = self.collector.begin_tick()
        if setpoint is not None:
            self.say(COLLECTOR, setpoint)

    def joystick(self):
        if TELEOP in self.hanging:
            return
        self.teleop.on_joy([0.0, self.stick], [0, 0, 0, 0, int(self.held)], self.clock.steady())
        setpoint = self.teleop.setpoint(self.clock.steady())
        if setpoint is not None:
            self.say(TELEOP, setpoint)

    def say(self, sender, setpoint):
        now, before = self.clock.steady(), self.said.get(sender, (-np.inf, None))[0]
        if not setpoint.any() or now - before > 0.2:
            self.stood[sender] = now
        self.said[sender] = now, np.array(setpoint)
        self.driver.on_setpoint(sender, setpoint, self.clock.host())
        self.clock.wake()

    def report(self, exchange):
        state = self.driver.status()
        if exchange is not None:
            self.controller.on_sent(exchange.stamp, exchange.sent)
            if exchange.sent.any():
                self.judge(exchange.sent, state)
        news = announced({key: str(value) for key, value in state.values().items()})
        if news != self.told:
            self.told = news
            self.clock.at(self.clock.steady() + self.latency, lambda: self.deliver(state))

    def deliver(self, state):
        self.controller.on_bridge(news_for(CONTROLLER, state))
        self.collector.on_bridge(news_for(COLLECTOR, state))

    # The model: who may move the robot.

    def judge(self, sent, state):
        """Judge a motion that was sent, by what was said and when, and not by what the arbiter thinks."""
        now = self.clock.steady()
        authors = [
            sender
            for sender, (time, setpoint) in self.said.items()
            if now - time <= FRESH and np.allclose(sent, setpoint, rtol=0.02, atol=0.2)
        ]
        assert authors, f'nobody asked for {sent} of late'
        hand = self.said.get(TELEOP, (-np.inf, None))[0]
        if now - hand <= 0.19:
            assert TELEOP in authors, 'a program moves the robot while the hand is on it'
        (author,) = [TELEOP] if TELEOP in authors else authors[:1]
        if author is not TELEOP:
            others = [time for sender, time in self.moved.items() if sender != author]
            assert self.stood.get(author, -np.inf) >= max(others, default=-np.inf) - 0.25, (
                f'{author} walked on by itself'
            )
        assert state.armed or state.cause is not StopCause.NONE
        self.moved[author] = now


class WhoDrives(RuleBasedStateMachine):
    @initialize(latency=st.sampled_from([0.0, 0.02, 0.15, 0.7]))
    def begin(self, latency):
        self.system = System(latency)
        self.system.live(3.0)
        assert self.system.driver.status().link is LinkState.UP
        assert self.system.driver.arm() is None

    @rule(what=st.sampled_from(['start', 'start', 'pause', 'resume', 'resume', 'finish', 'stop']), seconds=WHILE)
    def controller(self, what, seconds):
        do = getattr(self.system.controller, what)
        given = {'finish': ('enough',), 'stop': ('by the operator', StopCause.OPERATOR)}.get(what, ())
        with suppress(NotReadyError):
            do(*given)
        self.system.live(seconds)

    @rule(starts=st.sampled_from([True, True, False]), seconds=WHILE)
    def collector(self, starts, seconds):
        with suppress(NotReadyError):
            if starts:
                self.system.collector.start()
            else:
                self.system.collector.stop('by the operator', StopCause.OPERATOR)
        self.system.live(seconds)

    @rule(held=st.booleans(), stick=st.sampled_from([0.0, 0.6]), seconds=WHILE)
    def hand(self, held, stick, seconds):
        self.system.held, self.system.stick = held, stick
        self.system.live(seconds)

    @rule(stops=st.sampled_from([False, False, True]), seconds=WHILE)
    def operator(self, stops, seconds):
        if stops:
            self.system.driver.stop('stopped by the operator', StopCause.OPERATOR)
            self.system.live(0.2)
            assert not self.system.peer.turning
        self.system.live(seconds)
        self.system.driver.arm()

    @rule(hanging=st.none() | st.sampled_from([CONTROLLER, COLLECTOR, TELEOP]), seconds=WHILE)
    def a_process_hangs(self, hanging, seconds):
        self.system.hanging = set() if hanging is None else {hanging}
        self.system.live(seconds)

    @invariant()
    def motion_has_an_owner(self):
        system = getattr(self, 'system', None)
        if system is not None and system.peer.turning:
            last = max(system.moved.values(), default=-np.inf)
            assert system.clock.steady() - last <= FRESH, 'the motors turn and nobody drives'

    def teardown(self):
        """Whatever came before, one source alone drives again."""
        system = getattr(self, 'system', None)
        if system is None:
            return
        system.held, system.stick, system.hanging = False, 0.6, set()
        for source in (system.controller, system.collector):
            source.stop('the end', StopCause.OPERATOR)
        system.live(1.5)
        assert not system.peer.turning
        system.driver.arm()
        system.live(1.0)
        system.controller.start()
        system.live(0.5)
        assert system.driver.status().owner == CONTROLLER
        assert system.peer.turning
        system.held = True
        system.live(1.0)
        assert system.driver.status().owner == TELEOP
        assert system.controller.status.phase is RunPhase.PAUSED
        system.held = False
        system.live(1.2)
        assert not system.peer.turning, 'the run stays paused when the hand lets go'
        system.controller.resume()
        system.live(0.5)
        assert system.driver.status().owner == CONTROLLER
        assert system.peer.turning


class TestWhoDrives(WhoDrives.TestCase):
    settings = settings(
        max_examples=12, stateful_step_count=100, deadline=None, derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip


@pytest.mark.long
class TestWhoDrivesForLong(WhoDrives.TestCase):
    settings = settings(
        max_examples=200, stateful_step_count=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
