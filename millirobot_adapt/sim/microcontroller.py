"""The robot's microcontroller: answers packets, runs the leg PIDs, samples the sensors.

What the public firmware leaves open is decided here, and only for the mock: a timeout switches the motors off until the
next motor command; a timed run stops them at its end; 0x80, 0x8D (velocity profiles) and 0x97 do nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from firmware_bridge import packet_codec, packets
from firmware_bridge.packets import CommandPacket, Pair, TelemetryReply, Triple
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.hexapod import Hexapod
from millirobot_adapt.sim.pid import FULL_DUTY, LARGEST_DUTY, Pid

FIRMWARE_NAME = 'millirobot_adapt mock ImageProc 2.5'
ENCODER_STEPS = 2**14
"""Steps per revolution that the encoder resolves."""
BACK_EMF_NOISE = 100.0
"""Standard deviation [counts]."""
BATTERY_NOISE = 12.0
"""Standard deviation [counts]."""
GYRO_NOISE = 0.01
"""Standard deviation [rad/s]."""
ACCELERATION_NOISE = 0.1
"""Standard deviation [m/s^2]."""
ADC_LIMIT = 1023


class Microcontroller:
    """Be the peer of the host: `receive` packets at any time, `tick` once a millisecond; pairs are left, right."""

    has_own_clock = False
    """It ticks by a clock of its own, in real time, and not by `tick`."""

    def __init__(self, robot: RobotConfig, hexapod: Hexapod, rng: np.random.Generator) -> None:
        self._robot = robot
        self._hexapod = hexapod
        self._rng = rng
        self._age = 0
        self.first_motion: float | None = None
        """Time of the first non-zero motor command that reached running motors [s], None before."""
        self.command_since = 0.0
        """Time at which `command` became what it is [s]."""
        self.ignored = 0
        """Payloads that were no command, or one that this firmware does not know."""
        self.frozen_encoders = 0.0
        """Share of replies that repeat the encoders of the one before."""
        self.stuck_encoders = (False, False)
        """Sides whose encoder stands still while the legs turn; the PID sees the same."""
        self.clock_step = 0.0
        """How far the robot's clock is ahead of the time since its power-up [s]."""
        self._heard_at = 0.0
        self._told: Pair = (0, 0)
        self.power_up()

    def power_up(self) -> None:
        """Restart, as after a brown-out: motors off, no gains, no timeout; index and clock count from zero.

        The encoders are absolute within a revolution and forget whole ones.
        """
        self._milliseconds = 0
        self.clock_step = 0.0
        self._index = 0
        self._pids = (Pid(), Pid())
        self._velocity: Pair = (0, 0)
        revolution = self._robot.imageproc.scales.encoder_counts
        self._zero = _pair(round(angle / math.tau) * revolution for angle in self._hexapod.leg_angle())
        self._position = self._reported = self._encoders()
        self._running = False
        self._thrust: Pair | None = None
        self._duty: Pair = (0, 0)
        self._timeout = 0
        self._last_command = 0
        self._run_until: int | None = None

    @property
    def time(self) -> float:
        """Time since the microcontroller was made [s]; its own clock starts again with every power-up."""
        return self._age / 1000.0

    @property
    def command(self) -> Pair:
        """Commands of the motors: leg velocity [counts/ms], or duty [counts] under 0x95; zero while they are off."""
        if not self._running:
            return 0, 0
        return self._velocity if self._thrust is None else self._thrust

    @property
    def commanded(self) -> FloatArray:
        """What the motors are commanded, as leg velocities [rad/s], shape (2,)."""
        return np.array(self.command) / self._robot.counts_per_ms

    @property
    def silence_before_command(self) -> float:
        """Time from the last packet that the robot heard to the last change of its command [s, by the robot's clock].

        It is negative where a packet came after that.
        """
        return self.command_since - self._heard_at

    def tick(self) -> tuple[float, float]:
        """Run the leg controllers for one millisecond; return the duty of the motors, -1..1."""
        self._age += 1
        self._milliseconds += 1
        earlier = self._position
        self._position = self._read_encoders(earlier)
        if self._timeout and self._milliseconds - self._last_command > self._timeout:
            self._halt()
        if self._run_until is not None and self._milliseconds > self._run_until:
            self._run_until = None
            self._running = False
        if self.command != self._told:
            self._told, self.command_since = self.command, self.time
        if not self._running:
            self._duty = (0, 0)
        elif self._thrust is not None:
            self._duty = self._thrust
        else:
            left, right = self._position
            self._duty = (
                self._pids[0].update(left, left - earlier[0]),
                self._pids[1].update(right, right - earlier[1]),
            )
        return self._duty[0] / FULL_DUTY, self._duty[1] / FULL_DUTY

    def receive(self, payload: bytes) -> bytes | None:
        """Take an RF payload from the host; return the payload of the answer, None where there is none."""
        try:
            packet = packet_codec.decode_command(payload)
        except packets.PacketError:
            self.ignored += 1
            return None
        self._last_command = self._milliseconds
        self._heard_at = self.time
        reply = self._answer(packet)
        self.obey(packet)
        return None if reply is None else packet_codec.encode(reply, self._robot.imageproc.index_before_timestamp)

    def answers(self) -> list[bytes]:
        """Return the payloads of answers that took time: none, `receive` returns them."""
        return []

    def synchronise(self, now: float) -> None:
        """Learn the present [s], from which `tick` may be a few milliseconds away: of no use here."""

    def close(self) -> None:
        """Let go of what it runs on: nothing here."""

    def telemetry(self, command: Pair) -> TelemetryReply:
        """Sample every sensor now; `command` is what the reply echoes."""
        self._index += 1
        scales = self._robot.imageproc.scales
        noise = self._rng.standard_normal(9)
        gyro = (self._hexapod.angular_velocity() + GYRO_NOISE * noise[0:3]) / scales.gyro
        accel = (self._hexapod.acceleration() + ACCELERATION_NOISE * noise[3:6]) / scales.accelerometer
        back_emf = self._hexapod.back_emf() / scales.back_emf * scales.back_emf_signs + BACK_EMF_NOISE * noise[6:8]
        battery = self._hexapod.battery / scales.battery + BATTERY_NOISE * noise[8]
        left, right = np.clip(np.rint(back_emf), -ADC_LIMIT, ADC_LIMIT)
        if not (self.frozen_encoders and self._rng.random() < self.frozen_encoders):
            self._reported = self._position
        return TelemetryReply(
            index=self._index,
            timestamp=round((self._milliseconds * 1e-3 + self.clock_step) / scales.clock) & 0xFFFFFFFF,
            position=_pair(_int32(count) for count in self._reported),
            command=command,
            duty=self._duty,
            gyro=_int16_triple(gyro),
            accel=_int16_triple(accel),
            back_emf=(int(left), int(right)),
            battery=int(np.clip(np.rint(battery), 0, ADC_LIMIT)),
        )

    def obey(self, packet: CommandPacket) -> None:
        """Act on a command, without an answer."""
        match packet:
            case packets.SetVelocity(velocity=velocity):
                self._thrust, self._velocity = None, velocity
                self._note_motion(velocity)
                for pid, speed, position in zip(self._pids, velocity, self._position, strict=True):
                    pid.aim(speed, position)
            case packets.SetThrust(duty=duty):
                self._thrust = _pair(max(-LARGEST_DUTY, min(LARGEST_DUTY, value)) for value in duty)
                self._note_motion(duty)
            case packets.StartMotors():
                self._start(None)
            case packets.StartTimedRun(milliseconds=duration):
                self._start(self._milliseconds + duration)
            case packets.StopMotors():
                self._halt()
                self._running = False
            case packets.PidGains(left=left, right=right):
                self._pids[0].configure(left)
                self._pids[1].configure(right)
            case packets.SetTimeout(milliseconds=timeout):
                self._timeout = max(0, timeout)
            case packets.ZeroPosition():
                self._zero_encoders()

    def _answer(self, packet: CommandPacket) -> packets.ReplyPacket | None:
        """Make the answer, before the command acts."""
        match packet:
            case packets.SetVelocity(velocity=command) | packets.SetThrust(duty=command):
                return self.telemetry(command)
            case packets.PidGains():
                return packet
            case packets.GetPosition():
                return packets.PositionReply(_pair(_int32(count) for count in self._position))
            case packets.WhoAmI():
                return packets.WhoAmIReply(FIRMWARE_NAME)
        return None

    def _start(self, run_until: int | None) -> None:
        self._running = True
        self._run_until = run_until
        self._velocity = (0, 0)
        for pid, position in zip(self._pids, self._position, strict=True):
            pid.aim(0, position)

    def _halt(self) -> None:
        """Let the motors go; the next motor command moves them again."""
        self._thrust = (0, 0)

    def _note_motion(self, command: Pair) -> None:
        if self._running and command != (0, 0) and self.first_motion is None:
            self.first_motion = self.time

    def _encoders(self) -> Pair:
        """Read both encoders: 2^16 counts per revolution in steps of the 14 bits they resolve."""
        left, right = self._hexapod.leg_angle()
        grain = self._robot.imageproc.scales.encoder_counts // ENCODER_STEPS
        return (
            math.floor(left * (ENCODER_STEPS / math.tau)) * grain - self._zero[0],
            math.floor(right * (ENCODER_STEPS / math.tau)) * grain - self._zero[1],
        )

    def _read_encoders(self, earlier: Pair) -> Pair:
        """Read both encoders; one that stands still continues from where it stood, less whole turns, once it works."""
        read = self._encoders()
        if not any(self.stuck_encoders):
            return read
        turn = self._robot.imageproc.scales.encoder_counts
        stuck = zip(self.stuck_encoders, read, earlier, strict=True)
        missed = _pair(round((now - before) / turn) * turn if still else 0 for still, now, before in stuck)
        self._zero = (self._zero[0] + missed[0], self._zero[1] + missed[1])
        stuck = zip(self.stuck_encoders, read, earlier, strict=True)
        return _pair(before if still else now for still, now, before in stuck)

    def _zero_encoders(self) -> None:
        self._zero = (self._zero[0] + self._position[0], self._zero[1] + self._position[1])
        self._position = (0, 0)
        for pid in self._pids:
            pid.aim(0, 0)


MakeMicrocontroller: TypeAlias = Callable[[RobotConfig, Hexapod, np.random.Generator], Microcontroller]
"""Makes what drives a body, with a generator for the noise of its sensors."""


def _pair(values: Iterable[int]) -> Pair:
    left, right = values
    return left, right


def _int32(count: int) -> int:
    """Wrap as the firmware's 32-bit counter does."""
    return (count + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def _int16_triple(values: FloatArray) -> Triple:
    """Round and saturate as the sensor does."""
    x, y, z = np.clip(np.rint(values), -0x8000, 0x7FFF)
    return int(x), int(y), int(z)
