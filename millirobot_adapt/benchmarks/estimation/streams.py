"""Record the mock once: what its sensors said, in the order of arrival, and what was true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from firmware_bridge import packet_codec, packets
from firmware_bridge.telemetry import TelemetryDecoder, setpoint_to_counts
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.measure import random_commands
from millirobot_adapt.sim.mocap_faults import PoseArrival
from millirobot_adapt.sim.world import TICK, World

HOLD = 5
"""Control periods for which a random setpoint is held."""


@dataclass(frozen=True)
class Truth:
    """The true motion on a grid of `TICK`, from t = 0."""

    positions: FloatArray
    """[m; world], shape (N, 3)."""
    quaternions: FloatArray
    """Orientations xyzw, body in world, shape (N, 4)."""

    def pose(self, times: FloatArray) -> tuple[FloatArray, Rotation]:
        """Return positions, shape (T, 3) [m; world], and orientations at the times [s], shape (T,)."""
        index = np.rint(times / TICK).astype(int)
        return self.positions[index], Rotation.from_quat(self.quaternions[index])

    def mean_twist(self, times: FloatArray, period: float) -> tuple[FloatArray, FloatArray]:
        """Average the motion over the period that ends at each time: what a control period did to the robot.

        Returns:
            Displacement / period [m/s; world] and rotation vector / period [rad/s; body], both of shape (T, 3).
        """
        before, turned_from = self.pose(times - period)
        after, turned_to = self.pose(times)
        return (after - before) / period, (turned_from.inv() * turned_to).as_rotvec() / period


@dataclass(frozen=True)
class Stream:
    """One run of the mock."""

    poses: list[PoseArrival]
    """In the order of their arrival."""
    telemetry: list[Telemetry]
    """One reply at the end of each control period."""
    truth: Truth


def record(robot: RobotConfig, condition: Condition, seconds: float, seed: int) -> Stream:
    """Walk the mock under random setpoints for this long [s]; equal arguments give equal streams.

    A pose counts as arrived at the millisecond in which motion capture hands it out.
    """
    world = World(robot, condition, seed)
    decoder = TelemetryDecoder(robot)
    for packet in packets.start_sequence(robot.imageproc.pid_gains):
        _obey(world, packet)
    arrivals: list[PoseArrival] = []
    telemetry: list[Telemetry] = []
    true_poses = [world.hexapod.pose()]
    steps = round(robot.dt / TICK)
    for period, command in enumerate(random_commands(robot, seconds, HOLD, seed)):
        counts = setpoint_to_counts(robot, command * RADIANS_PER_REVOLUTION)
        _obey(world, packets.SetVelocity(counts))
        for step in range(1, steps + 1):
            now = (period * steps + step) * TICK
            world.advance(now)
            true_poses.append(world.hexapod.pose())
            arrivals += [PoseArrival(now, pose) for pose in world.mocap.due(now)]
        telemetry.append(_reply(world, decoder, counts, robot.imageproc.index_before_timestamp))
    positions, quaternions = (np.array(column) for column in zip(*true_poses, strict=True))
    return Stream(arrivals, telemetry, Truth(positions, quaternions))


def _obey(world: World, packet: packets.CommandPacket) -> None:
    world.microcontroller.obey(packet_codec.decode_command(packet_codec.encode(packet)))


def _reply(world: World, decoder: TelemetryDecoder, counts: packets.Pair, index_first: bool) -> Telemetry:
    """Sample telemetry now and send it through its packet, quantised as on the wire."""
    payload = packet_codec.encode(world.microcontroller.telemetry(counts), index_first)
    reply = packet_codec.decode_reply(payload, index_first)
    assert isinstance(reply, packets.TelemetryReply)
    return decoder.decode(reply, world.time)
