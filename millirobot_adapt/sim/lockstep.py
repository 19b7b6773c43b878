"""The mock without ROS and without waiting: one call, one control period.

Everything a live run does to the data is done here too: packets are encoded and decoded, sensors quantised, poses
noisy and late, states estimated. Only the radio loses nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from firmware_bridge import packet_codec, packets
from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import ManualClock
from firmware_bridge.dynamixel.dynamixel_driver import DynamixelDriver
from firmware_bridge.telemetry import TelemetryDecoder, counts_to_setpoint, setpoint_to_counts
from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditioned_world import ConditionedWorld
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.microcontroller import Microcontroller
from millirobot_adapt.sim.servo_rig import ServoBoard
from millirobot_adapt.sim.wired_robot import LinePort
from millirobot_adapt.sim.world import World

WARM_UP_PERIODS = 5
"""Control periods at rest before the first observation, so that the estimator has seen poses and telemetry."""


class NoEstimateError(RuntimeError):
    """The estimator does not know where the robot is; a live run stops here."""

    def __init__(self, stamp: float) -> None:
        super().__init__(f'the estimator gives no estimate at {stamp:.2f} s')


@dataclass(frozen=True)
class Observation:
    """What is known at the end of a control period, and beside it the truth."""

    stamp: float
    """Time of sampling [simulated s since the start]."""
    state: FloatArray
    """The estimated state, shape (nx,)."""
    sent: FloatArray
    """The action that was in effect during the period that ends here, as the driver rounds it, shape (nu,)."""
    true_position: FloatArray
    """[m; world], shape (3,)."""
    true_rpy: FloatArray
    """Roll, pitch, yaw [rad], shape (3,)."""
    faults: tuple[str, ...]
    """Names of the faults that have begun."""


class LockstepRun(ABC):
    """Walk one run: `reset` once, then `step`; (before.state, after.sent, after.state) is a transition.

    A new run takes a new object with a fresh estimator.
    """

    def __init__(self, robot: RobotConfig, condition: Condition, estimator: Estimator, world: ConditionedWorld) -> None:
        """Take a world that stands under a condition.

        Raises:
            UserError: the condition holds a fault that cannot happen in lock-step.
        """
        self._robot = robot
        self._estimator = estimator
        self._begun = False
        world.injector.check(f'in lock-step (condition {condition.name})')

    def reset(self) -> Observation:
        """Switch the motors on, stand still for a moment and return the first observation.

        Raises:
            RuntimeError: the run has already begun.
            NoEstimateError: the estimator gives no estimate.
        """
        if self._begun:
            raise RuntimeError(f'this run has begun; a new run takes a new {type(self).__name__} and a fresh estimator')
        self._begun = True
        self._start()
        neutral = self._robot.layout.neutral
        for _ in range(WARM_UP_PERIODS - 1):
            self._period(neutral)
        return self._observe(neutral)

    def step(self, setpoint: FloatArray) -> Observation:
        """Send an action, shape (nu,), let one control period pass, and observe its end.

        Raises:
            RuntimeError: `reset` was not called.
            NoEstimateError: the estimator gives no estimate.
        """
        if not self._begun:
            raise RuntimeError('reset() must come before step()')
        return self._observe(setpoint)

    @abstractmethod
    def _start(self) -> None:
        """Switch the motors on."""

    @abstractmethod
    def _period(self, setpoint: FloatArray) -> object:
        """Send a setpoint, let its period pass, and give the estimator what arrived."""

    @abstractmethod
    def _observe(self, setpoint: FloatArray) -> Observation:
        """Run one control period and observe its end."""


class LockstepRobot(LockstepRun):
    """Walk one run of a robot with legs."""

    def __init__(self, robot: RobotConfig, condition: Condition, estimator: Estimator, seed: int) -> None:
        self.world = World(robot, condition, seed)
        self._exchange: _LockstepExchange
        board = self.world.electronics
        self._exchange = (
            _ServoExchange(robot, self.world)
            if isinstance(board, ServoBoard)
            else _ImageprocExchange(robot, self.world, board)
        )
        super().__init__(robot, condition, estimator, self.world)

    def _start(self) -> None:
        self._exchange.start()

    def _observe(self, setpoint: FloatArray) -> Observation:
        """Run one control period and observe its end."""
        sent, telemetry = self._period(setpoint)
        estimate = self._estimator.estimate(telemetry.stamp)
        if estimate is None:
            raise NoEstimateError(telemetry.stamp)
        position, quaternion = self.world.hexapod.pose()
        return Observation(
            stamp=telemetry.stamp,
            state=state_of(estimate, telemetry, self._robot),
            sent=sent,
            true_position=position,
            true_rpy=roll_pitch_yaw(quaternion),
            faults=tuple(fault.name for _, fault in self.world.faults),
        )

    def _period(self, setpoint: FloatArray) -> tuple[FloatArray, Telemetry]:
        """Send a setpoint, let its period pass, and give the estimator what arrived, the telemetry of its end last."""
        sent, telemetry = self._exchange.period(setpoint)
        for pose in self.world.mocap.due(telemetry.stamp):
            self._estimator.on_pose(pose)
        self._estimator.on_telemetry(telemetry)
        return sent, telemetry


class _LockstepExchange(Protocol):
    """How the mock of one kind of robot is told an action and heard."""

    def start(self) -> None:
        """Switch the motors on."""

    def period(self, setpoint: FloatArray) -> tuple[FloatArray, Telemetry]:
        """Let one control period pass; return what was sent, and the telemetry of the end of the period."""


class _ImageprocExchange:
    """Packets are encoded and decoded, and reach the microcontroller at once."""

    def __init__(self, robot: RobotConfig, world: World, microcontroller: Microcontroller) -> None:
        self._robot = robot
        self._world = world
        self._microcontroller = microcontroller
        self._decoder = TelemetryDecoder(robot)
        self._periods = 0

    def start(self) -> None:
        """Send the start sequence of the motors."""
        for packet in packets.start_sequence(self._robot.imageproc.pid_gains):
            self._send(packet)

    def period(self, setpoint: FloatArray) -> tuple[FloatArray, Telemetry]:
        """Let one control period pass; see `_LockstepExchange`."""
        counts = setpoint_to_counts(self._robot, setpoint)
        # What the robot answers to this packet was sampled before it acts: the caller has had that already.
        self._send(packets.SetVelocity(counts))
        self._periods += 1
        now = self._periods * self._robot.dt
        self._world.advance(now)
        index_first = self._robot.imageproc.index_before_timestamp
        payload = packet_codec.encode(self._microcontroller.telemetry(counts), index_first)
        reply = packet_codec.decode_reply(payload, index_first)
        assert isinstance(reply, packets.TelemetryReply)
        return counts_to_setpoint(self._robot, counts), self._decoder.decode(reply, now)

    def _send(self, packet: packets.CommandPacket) -> None:
        self._microcontroller.obey(packet_codec.decode_command(packet_codec.encode(packet)))


class _ServoExchange:
    """The driver `dynamixel` itself, its leg clock and the time of its bytes on the line included."""

    def __init__(self, robot: RobotConfig, world: World) -> None:
        self._robot = robot
        self._clock = ManualClock(epoch=0.0)
        self._driver = DynamixelDriver(
            lambda: LinePort(world, self._clock), robot.dynamixel, LinkConfig(), self._clock, own_thread=False
        )
        self._due = 0.0

    def start(self) -> None:
        """Set the servos up and switch their torque on."""
        self._driver.start()
        self._driver.start_motors()
        self._due = np.ceil(self._clock.steady() / self._robot.dt) * self._robot.dt

    def period(self, setpoint: FloatArray) -> tuple[FloatArray, Telemetry]:
        """Let one control period pass; see `_LockstepExchange`."""
        cycles = max(1, round(self._robot.dt * self._robot.dynamixel.rate))
        self._driver.act(setpoint)
        begun, self._due = self._due, self._due + self._robot.dt
        for number in range(1, cycles):
            self._clock.sleep(begun + number * self._robot.dt / cycles - self._clock.steady())
            self._driver.cycle()
        self._clock.sleep(self._due - self._clock.steady())
        exchange = self._driver.exchange(setpoint)
        if exchange.telemetry is None:
            raise RuntimeError('no servo of the mock answers')
        return exchange.sent, exchange.telemetry
