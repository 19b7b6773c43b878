"""The mock without ROS and without waiting: one call, one control period.

Everything a live run does to the data is done here too: packets are encoded and decoded, sensors quantised, poses
noisy and late, states estimated. Only the radio loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_bridge import packet_codec, packets
from firmware_bridge.telemetry import TelemetryDecoder, counts_to_setpoint, setpoint_to_counts
from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.world import World

WARM_UP_PERIODS = 5
"""Control periods at rest before the first observation, so that the estimator has seen poses and telemetry."""


@dataclass(frozen=True)
class Observation:
    """What is known at the end of a control period, and beside it the truth."""

    stamp: float
    """Time of sampling [simulated s since the start]."""
    state: FloatArray
    """The estimated state, shape (nx,)."""
    sent: FloatArray
    """The setpoint that was in force during the period that ends here, after int16 rounding [rad/s], shape (2,)."""
    true_position: FloatArray
    """[m; world], shape (3,)."""
    true_rpy: FloatArray
    """Roll, pitch, yaw [rad], shape (3,)."""
    faults: tuple[str, ...]
    """Names of the faults that have begun."""


class LockstepRobot:
    """Walk one run: `reset` once, then `step`; (before.state, after.sent, after.state) is a transition.

    A new run takes a new LockstepRobot with a fresh estimator.
    """

    def __init__(self, robot: RobotConfig, condition: Condition, estimator: Estimator, seed: int) -> None:
        self._robot = robot
        self._estimator = estimator
        self._decoder = TelemetryDecoder(robot)
        self._periods = 0
        self.world = World(robot, condition, seed)
        self.world.injector.check(f'in lock-step (condition {condition.name})')

    def reset(self) -> Observation:
        """Switch the motors on, stand still for a moment and return the first observation.

        Raises:
            RuntimeError: the run has already begun; the estimator gives no estimate.
        """
        if self._periods:
            raise RuntimeError('this run has begun; a new run takes a new LockstepRobot and a fresh estimator')
        for packet in packets.start_sequence(self._robot.imageproc.pid_gains):
            self._send(packet)
        for _ in range(WARM_UP_PERIODS - 1):
            self._period((0, 0))
        return self._observe((0, 0))

    def step(self, setpoint: FloatArray) -> Observation:
        """Send the leg velocities [rad/s], shape (2,), let one control period pass, and observe its end.

        Raises:
            RuntimeError: `reset` was not called; the estimator gives no estimate.
        """
        if not self._periods:
            raise RuntimeError('reset() must come before step()')
        return self._observe(setpoint_to_counts(self._robot, setpoint))

    def _observe(self, counts: packets.Pair) -> Observation:
        """Run one control period and observe its end."""
        telemetry = self._period(counts)
        estimate = self._estimator.estimate(telemetry.stamp)
        if estimate is None:
            raise RuntimeError(f'the estimator gives no estimate at {telemetry.stamp:.2f} s')
        position, quaternion = self.world.hexapod.pose()
        return Observation(
            stamp=telemetry.stamp,
            state=state_of(estimate, telemetry, self._robot),
            sent=counts_to_setpoint(self._robot, counts),
            true_position=position,
            true_rpy=roll_pitch_yaw(quaternion),
            faults=tuple(fault.name for _, fault in self.world.faults),
        )

    def _period(self, counts: packets.Pair) -> Telemetry:
        """Send a setpoint, let its period pass, and give the estimator what arrived, the telemetry of its end last."""
        # What the robot answers to this packet was sampled before it acts: the caller has had that already.
        self._send(packets.SetVelocity(counts))
        self._periods += 1
        now = self._periods * self._robot.dt
        self.world.advance(now)
        for pose in self.world.mocap.due(now):
            self._estimator.on_pose(pose)
        index_first = self._robot.imageproc.index_before_timestamp
        payload = packet_codec.encode(self.world.microcontroller.telemetry(counts), index_first)
        reply = packet_codec.decode_reply(payload, index_first)
        assert isinstance(reply, packets.TelemetryReply)
        telemetry = self._decoder.decode(reply, now)
        self._estimator.on_telemetry(telemetry)
        return telemetry

    def _send(self, packet: packets.CommandPacket) -> None:
        self.world.microcontroller.obey(packet_codec.decode_command(packet_codec.encode(packet)))
