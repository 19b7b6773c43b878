"""The bridge's loop and driver against the mock robot and its radio, in simulated time: nothing waits.

Everything is the real thing but the serial port and the clock: `BridgeLoop`, `Gate` and `Link` on one side, radio,
microcontroller and body on the other. A robot whose firmware runs elsewhere, on its own clock, makes it real time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from firmware_bridge.bridge_config import BridgeConfig
from firmware_bridge.bridge_loop import BridgeLoop
from firmware_bridge.clock import ManualClock
from firmware_bridge.driver_interface import Exchange
from firmware_bridge.link import Link
from firmware_bridge.packet_codec import decode_reply
from firmware_bridge.packets import TelemetryReply
from firmware_bridge.permission import Permission
from firmware_bridge.telemetry import setpoint_to_counts
from millirobot_adapt.benchmarks.link.paced_clock import PacedClock
from millirobot_adapt.benchmarks.link.simulated_clock import SimulatedClock
from millirobot_adapt.benchmarks.link.telemetry_truth import TelemetryTruth
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.estimation.quality import StateQuality, StateSample
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.safety.arbiter import ActionSource, Sender
from millirobot_adapt.core.safety.gate import Gate, GateConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.microcontroller import MakeMicrocontroller, Microcontroller
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.realtime import OWN_CLOCK_WAIT
from millirobot_adapt.sim.wireless_robot import WirelessRobot
from millirobot_adapt.sim.world import World

STATE_PERIOD = 0.05
"""Time between two states given to the driver [s]."""
STANDING = RobotConfig().layout.assemble(
    np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(2), np.zeros(2), battery=4.0
)
SENDER = Sender(ActionSource.CONTROLLER, 'simulated')
HELD_FOR = 5
"""Setpoints in a row that are equal: an old reply may then echo the right command."""
SHORTEST_STEP = 1e-6
"""Time moves at least this far while a reply is waited for [s]; rounding could otherwise make it stand still."""
STAMP_ERROR = 1e-5
"""Stamps of the host, seconds since the epoch as floats, are good to a quarter of a microsecond [s]."""
_SETPOINTS, _RADIO = 1, 2
"""Keys of the random generators."""


class RadioTransport:
    """The host's end of the mock's serial line, in the time of a clock; see `firmware_bridge.transports.Transport`."""

    def __init__(self, robot: WirelessRobot, clock: ManualClock) -> None:
        self._robot = robot
        self._clock = clock

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, moving the clock at most `timeout` [s]."""
        deadline = self._clock.steady() + max(0.0, timeout)
        while not (data := self._robot.advance(self._clock.steady())) and self._clock.steady() < deadline:
            due = self._robot.radio.next_due()
            until = deadline if due is None else min(due, deadline)
            if self._robot.world.microcontroller.has_own_clock:
                until = min(until, self._clock.steady() + OWN_CLOCK_WAIT)  # when it answers, nobody knows
            self._clock.sleep(max(until - self._clock.steady(), SHORTEST_STEP))
        return data

    def write(self, data: bytes) -> None:
        """Hand `data` to the radio."""
        self._robot.live(self._clock.steady())
        self._robot.radio.write(data, self._clock.steady())

    def fileno(self) -> None:
        """Return None: there is no descriptor."""

    def close(self) -> None:
        """Do nothing: the radio stays where it is."""


class SimulatedLink:
    """A bridge whose link is up, a robot at its other end, and a controller that can be started and stopped."""

    def __init__(
        self, robot: RobotConfig, seed: int, period: float, microcontroller: MakeMicrocontroller = Microcontroller
    ) -> None:
        """`period` is the time between two setpoints [s]; `microcontroller` makes what drives the robot."""
        self.world = World(robot, Condition(), seed, microcontroller)
        self.in_real_time = self.world.microcontroller.has_own_clock
        """The robot's firmware runs elsewhere on its own clock, and real time passes here too."""
        self.clock = PacedClock(lambda: self.world.time) if self.in_real_time else SimulatedClock()
        self.radio = Radio(robot.imageproc.radio, RadioFaults(), True, generator(seed, _RADIO))
        self.truth = TelemetryTruth(robot)
        self.speaking = False
        """The controller publishes setpoints."""
        self.last_setpoint = 0.0
        """When it last did [s]."""
        config = BridgeConfig(gate=GateConfig(fence=(-1e6, -1e6, 1e6, 1e6)))
        self._peer = WirelessRobot(self.world, self.radio, self._on_answer)
        self.link = Link(lambda: RadioTransport(self._peer, self.clock), robot, config.link, self.clock)
        self.driver = BridgeLoop(
            self.link, Gate(config.gate, robot), config, self.clock, self._on_exchange, lambda text: None,
            Permission(everything=True),
        )  # fmt: skip
        self._robot = robot
        self._period = period
        self._rng = generator(seed, _SETPOINTS)
        self._spoken = 0
        self._setpoint = robot.action_low
        self._answers: deque[tuple[float, TelemetryReply]] = deque(maxlen=100)
        self._give_state()
        self._speak()
        if self.in_real_time:
            self._keep_up()

    def close(self) -> None:
        """End the robot's firmware."""
        self.world.microcontroller.close()

    def live(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Let the driver cycle for `seconds` or until a condition holds; return the time that took [s]."""
        start = self.clock.steady()
        while not until() and self.clock.steady() < start + seconds:
            self.driver.cycle()
        self._peer.live(self.clock.steady())
        return self.clock.steady() - start

    def ready(self) -> bool:
        """Tell whether an operator's wish to arm is granted now; it then is armed."""
        return self.driver.status().link is LinkState.UP and self.driver.arm() is None

    def _give_state(self) -> None:
        quality = StateQuality(pose_age=0.0, position_sd=0.001, heading_sd=0.01, coasting=False)
        self.driver.on_state(StateSample(0, self.clock.host(), STANDING, quality))
        self.clock.at(self.clock.steady() + STATE_PERIOD, self._give_state)

    def _keep_up(self) -> None:
        self._peer.live(self.clock.steady())
        self.clock.at(self.clock.steady() + OWN_CLOCK_WAIT, self._keep_up)

    def _speak(self) -> None:
        if self.speaking:
            self.driver.on_setpoint(SENDER, self._next_setpoint(), self.clock.host())
            self.last_setpoint = self.clock.steady()
            self.clock.wake()
        self.clock.at(self.clock.steady() + self._period, self._speak)

    def _next_setpoint(self) -> FloatArray:
        if self._spoken % HELD_FOR == 0:
            self._setpoint = self._rng.uniform(self._robot.action_low, self._robot.action_high)
        self._spoken += 1
        return self._setpoint

    def _on_answer(self, time: float, payload: bytes) -> None:
        reply = decode_reply(payload, self._robot.imageproc.index_before_timestamp)
        if isinstance(reply, TelemetryReply):
            self._answers.append((time, reply))

    def _on_exchange(self, exchange: Exchange | None) -> None:
        if self.driver.status().link is not LinkState.UP:
            self.truth.restart()
        if exchange is None or exchange.telemetry is None:
            return
        sent_at = exchange.stamp - (self.clock.host() - self.clock.steady())
        since = [reply for time, reply in self._answers if time > sent_at - STAMP_ERROR]
        command = setpoint_to_counts(self._robot, exchange.sent)
        self.truth.check(exchange.telemetry, [reply for reply in since if reply.command == command])
