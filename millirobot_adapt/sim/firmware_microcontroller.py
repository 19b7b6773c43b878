"""The mock with the reference firmware in its body: parser, leg controllers and telemetry are those of C code."""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import numpy as np

from firmware_bridge.packet_codec import decode_reply, encode
from firmware_bridge.packets import PacketError, Pair, TelemetryReply
from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, encode_frame
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.firmware_board import MOCK, FirmwareBoard
from millirobot_adapt.sim.hexapod import Hexapod
from millirobot_adapt.sim.microcontroller import ENCODER_STEPS, MakeMicrocontroller, Microcontroller
from millirobot_adapt.sim.pid import FULL_DUTY
from millirobot_adapt.sim.shared_body import ANGLE_STEPS, Driven

HOST_ADDRESS = 0x0010
"""Of the host's radio: the firmware answers to where a packet came from."""
RSSI = 40
SAMPLE_TICKS = 5
"""The slow sensors (all but the encoders) are sampled every so many ticks."""
CLOCK_TOLERANCE = 1e-3
"""The board's clock may be so much slower than the mock's."""
_STEPS_PER_RADIAN = ENCODER_STEPS * ANGLE_STEPS / math.tau
_COUNTS_PER_REVOLUTION = 65536


class FirmwareMicrocontroller(Microcontroller):
    """Couple the mock's body to a board that runs on its own clock; both are in real time, and neither waits.

    Sensors, their noise and their faults remain the mock's. The board's time is found as motion capture's is: its
    counter is never read ahead of time, so the largest difference to the mock's time is the true one.
    """

    has_own_clock = True

    def __init__(self, robot: RobotConfig, hexapod: Hexapod, rng: np.random.Generator, board: FirmwareBoard) -> None:
        """Take part in the shared memory of a running board.

        Raises:
            UserError: the robot's description is not that of the reference firmware.
        """
        if (
            robot.imageproc.scales.encoder_counts != _COUNTS_PER_REVOLUTION
            or not robot.imageproc.index_before_timestamp
        ):
            raise UserError(
                f'{robot.name}: the reference firmware counts 65536 a revolution and sends the index before the '
                'timestamp; give the mock such a robot, or the firmware python'
            )
        self._board = board
        self._parser = StreamParser()
        self._driven = Driven(0, 0, (0, 0), 0, (0, 0), 0, 0)
        self._ahead = -math.inf
        self._seen = list(hexapod.leg_angle())
        self._sample = TelemetryReply(0, 0, (0, 0), (0, 0), (0, 0), (0, 0, 0), (0, 0, 0), (0, 0), 0)
        self._spoken: Pair | None = None
        super().__init__(robot, hexapod, rng)
        board.wait_until_up()

    def power_up(self) -> None:
        """Let the board reset; see `Microcontroller.power_up`. Its motors are off until it is up again."""
        super().power_up()
        self._ahead = -math.inf
        self._driven = dataclasses.replace(self._driven, milliseconds=0, duty=(0, 0))
        self._sample = self.telemetry((0, 0))
        self._tell()
        self._board.body.reset()

    @property
    def command(self) -> Pair:
        """What the motors are told, see `Microcontroller.command`."""
        return self._driven.command

    @property
    def silence_before_command(self) -> float:
        """By the board's clock, see `Microcontroller.silence_before_command`."""
        return (self._driven.commanded_since - self._driven.last_packet) / 1e3

    def synchronise(self, now: float) -> None:
        """Find the board's time of the mock's present [s], and see what the firmware does."""
        driven = self._board.body.driven()
        if driven is None or driven.resets != self._board.body.resets:
            return
        ahead = driven.milliseconds - 1e3 * now
        restarted = driven.resets != self._driven.resets or driven.milliseconds < self._driven.milliseconds
        passed = 1e3 * max(0.0, now - self.time)
        self._ahead = ahead if restarted else max(ahead, self._ahead - CLOCK_TOLERANCE * passed)
        if driven.command != self._driven.command:
            since = (driven.commanded_since - self._ahead) / 1e3
            self.command_since = max(min(since, now), self.command_since + 1e-6)
            if self.first_motion is None and any(driven.command):
                self.first_motion = self.command_since
        self._driven = driven

    def tick(self) -> tuple[float, float]:
        """Tell the board how the body is; return the duty that it drives the motors with, -1..1."""
        if self._age % SAMPLE_TICKS == 0:
            self._sample = self.telemetry((0, 0))
        self._tell()
        self._age += 1
        driven = self._board.body.driven()
        if driven is not None and driven.resets == self._driven.resets == self._board.body.resets:
            self._driven = dataclasses.replace(driven, command=self._driven.command)  # `synchronise` dates changes
        left, right = self._driven.duty
        return left / FULL_DUTY, right / FULL_DUTY

    def receive(self, payload: bytes) -> None:
        """Hand a payload to the robot's own radio; the answer comes later."""
        self._board.write(encode_frame(RxPacket(HOST_ADDRESS, RSSI, 0, payload)))

    def answers(self) -> list[bytes]:
        """Return the payloads that the firmware has sent since the last call."""
        frames = self._parser.feed(self._board.read())
        return [self._spoil(frame.payload) for frame in frames if isinstance(frame, TxRequest)]

    def close(self) -> None:
        """End the board."""
        self._board.close()

    def _tell(self) -> None:
        """Write the sensors as they are now into the shared memory, legs at the full millisecond before."""
        present = self._age + self._ahead if math.isfinite(self._ahead) else float(self._driven.milliseconds)
        at = math.floor(present)
        angles, speeds = self._hexapod.leg_angle(), self._hexapod.leg_velocity()
        shown, turning = [], []
        for side, still in enumerate(self.stuck_encoders):
            if not still:
                self._seen[side] = angles[side]
            turning.append(0 if still else round(speeds[side] * 1e-3 * _STEPS_PER_RADIAN))
            shown.append(math.floor(self._seen[side] * _STEPS_PER_RADIAN - turning[side] * (present - at)))
        sample = self._sample
        self._board.body.measure(
            at, (shown[0], shown[1]), (turning[0], turning[1]), sample.gyro, sample.accel, sample.back_emf,
            sample.battery,
        )  # fmt: skip

    def _spoil(self, payload: bytes) -> bytes:
        """Apply the faults of a reply that no sensor has: encoders that repeat, a clock that has stepped."""
        if not self.frozen_encoders and not self.clock_step:
            return payload
        try:
            reply = decode_reply(payload)
        except PacketError:
            return payload
        if not isinstance(reply, TelemetryReply):
            return payload
        if self._spoken is None or not (self.frozen_encoders and self._rng.random() < self.frozen_encoders):
            self._spoken = reply.position
        ahead = round(self.clock_step / self._robot.imageproc.scales.clock)
        reply = dataclasses.replace(reply, position=self._spoken, timestamp=reply.timestamp + ahead & 0xFFFFFFFF)
        return encode(reply)


def microcontroller_of(firmware: str) -> MakeMicrocontroller:
    """Return what makes the microcontroller that runs `firmware`, one of `FIRMWARES`.

    It raises what `FirmwareBoard` and `FirmwareMicrocontroller` raise.
    """
    return Microcontroller if firmware == MOCK else partial(_on_a_board, firmware)


def _on_a_board(firmware: str, robot: RobotConfig, hexapod: Hexapod, rng: np.random.Generator) -> Microcontroller:
    board = FirmwareBoard(firmware)
    try:
        return FirmwareMicrocontroller(robot, hexapod, rng, board)
    except BaseException:
        board.close()
        raise
