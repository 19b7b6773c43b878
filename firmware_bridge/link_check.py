"""Measure a real robot on the bench: who it is, how the link does, how a leg turns, whether it stops by itself.

What the measurements mean is decided in `link_verdict.py`. Only `jog` and `watchdog` turn a motor, and both leave the
motors off however they end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.channel import RadioChannel
from firmware_bridge.clock import Clock
from firmware_bridge.dialogue import STILL, Dialogue, Heard, Unconfirmed
from firmware_bridge.link_measurements import BRAKING, JOG_RATE, Jog, Live, Trip, Watchdog
from firmware_bridge.packets import (
    CommandPacket,
    GetPosition,
    Pair,
    PositionReply,
    TelemetryReply,
    WhoAmI,
    WhoAmIReply,
    gains_packet,
)
from firmware_bridge.receiver import Receiver
from firmware_bridge.replies import RefusalKind, RobotRestarted
from firmware_bridge.telemetry import encoder_step
from firmware_bridge.transports import TransportLost
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.state import FloatArray

SIDES = ('left', 'right')
ANSWER_TIMEOUT = 0.3
"""Longest wait for an answer [s]."""
GIVE_UP_AFTER = 20
"""Number of round trips without any telemetry after which none is expected."""
NAME_TRIES = 3
JOG_SECONDS = 1.0
JOG_PERIOD = 0.1
"""Time between two commands of a jog, as in the control loop [s]."""
WATCH_PERIOD = 0.1
"""Time between two samples of the live view [s]."""
SILENCE = 1.0
"""The watchdog is waited for this much longer than timeout and braking [s]."""
LOOK_AGAIN = 0.2
"""Time between two looks at the encoders after the silence [s]."""


class LinkCheck:
    """The measurements, each on its own; every method may raise TransportLost."""

    def __init__(self, channel: RadioChannel, robot: RobotConfig, config: LinkConfig, clock: Clock) -> None:
        """`channel` is open."""
        self._channel = channel
        self._dialogue = Dialogue(channel, robot, config, clock)
        self._robot = robot
        self._config = config
        self._clock = clock
        self._jog_counts = round(JOG_RATE * robot.imageproc.scales.encoder_counts / 1000)
        self.restarts = 0
        """Times the replies showed that the robot had restarted."""

    @property
    def motors_off(self) -> bool:
        """Return whether the robot has confirmed that its motors are off."""
        return not self._channel.motors_on

    @property
    def receiver(self) -> Receiver:
        """What came over the port besides the robot's packets."""
        return self._channel.receiver

    def name(self) -> str | None:
        """Return what the firmware calls itself, None if it does not answer."""
        for _ in range(NAME_TRIES):
            self._send(WhoAmI(), self._channel.next_frame_id())  # the TX status tells whether the radio is there
            for reply in self._channel.replies(self._clock.steady() + ANSWER_TIMEOUT):
                if isinstance(reply, WhoAmIReply):
                    return reply.text.strip()
        return None

    def gains_echoed(self) -> bool:
        """Send the PID gains of the robot's file; return whether the robot echoes them."""
        return self._dialogue.gains_echoed(gains_packet(self._robot.imageproc.pid_gains))

    def round_trips(self, count: int, tell: Callable[[], object]) -> list[Trip]:
        """Send zero `count` times with the motors off, fewer if no telemetry comes at all."""
        trips: list[Trip] = []
        for _ in range(count):
            trips.append(self._trip(STILL, ANSWER_TIMEOUT))
            tell()
            if len(trips) == GIVE_UP_AFTER and not any(trip.reply for trip in trips):
                break
        return trips

    def watch(self, seconds: float, show: Callable[[Live], object]) -> int:
        """Show encoders and gyro for some time while the legs are turned by hand; return the samples shown."""
        first: TelemetryReply | None = None
        shown = 0
        end = self._clock.steady() + seconds
        while self._clock.steady() < end:
            reply = self._trip(STILL, ANSWER_TIMEOUT).reply
            if reply is not None:
                first = first or reply
                show(
                    Live(
                        self._turned(first, reply),
                        np.array(reply.gyro) * self._robot.imageproc.scales.gyro,
                        reply.battery,
                    )
                )
                shown += 1
            self._channel.pause(WATCH_PERIOD)
        return shown

    def jog(self, side: str) -> Jog:
        """Turn one side for a second, then switch the motors off."""
        try:
            self._dialogue.switch_on()
            replies = [reply for reply, _ in _true(self._turn(side))]
        except Unconfirmed as error:
            return Jog(side, 0, 0.0, 0.0, str(error))
        finally:
            self._stand()
        if len(replies) < 2:
            return Jog(side, len(replies), 0.0, 0.0)
        middle = replies[(len(replies) - 1) // 2]
        elapsed = (replies[-1].timestamp - middle.timestamp) % 2**32 * self._robot.imageproc.scales.clock
        rates = self._turned(middle, replies[-1]) / elapsed if elapsed > 0 else np.zeros(2)
        place = SIDES.index(side)
        return Jog(side, len(replies), float(rates[place]), float(rates[1 - place]))

    def watchdog(self, side: str) -> Watchdog:
        """Set the robot's timeout, turn a side, fall silent, and see whether it stops; then switch the motors off.

        The encoders are asked for with 0x84, which commands nothing, and only after the silence: any packet may count
        as a sign of life.
        """
        place, timeout = SIDES.index(side), self._robot.imageproc.timeout
        try:
            self._dialogue.switch_on()
            heard = _true(self._turn(side))
            self._channel.pause(1e-3 * timeout + BRAKING + SILENCE)
            looks = []
            for _ in range(2):
                looks.append(self._position())
                self._channel.pause(LOOK_AGAIN)
            after = self._trip(STILL, ANSWER_TIMEOUT).reply
            trouble = self._channel.guardian_trouble()
        except Unconfirmed as error:
            return Watchdog(timeout, 0.0, None, None, False, str(error))
        finally:
            self._stand()
        if trouble is not None:
            raise TransportLost(trouble)  # perhaps the guardian, and not the robot, stopped the leg
        if not heard:
            return Watchdog(timeout, 0.0, None, None, False)
        last = heard[-1][0]
        answered = [look for look in looks if look is not None]
        turn = self._robot.imageproc.scales.encoder_counts
        travel = _wrapped(answered[0][place] - last.position[place]) / turn if answered else None
        step = _wrapped(answered[1][place] - answered[0][place]) / turn if len(answered) == 2 else None
        return Watchdog(
            timeout=timeout,
            rate_before=self._rate_before(heard, place),
            travel=travel,
            step=step,
            restarted=after is not None and (after.index - last.index) % 2**32 >= 2**31,
        )

    def _trip(self, counts: Pair, patience: float) -> Trip:
        """Send a setpoint; wait beyond what the bridge would wait only while nothing has come."""
        request = self._dialogue.ask(counts)
        last: Heard | None = None
        try:
            for wait in (min(self._config.reply_timeout, patience), patience):
                for heard in self._dialogue.hear(request, wait):
                    last = heard
                if last is not None:
                    break
        except RobotRestarted:
            self.restarts += 1
        if last is None:
            return Trip(request.sent, None, None, None)
        return Trip(request.sent, last.reply, last.arrived, last.refusal)

    def _turn(self, side: str) -> list[Trip]:
        """Tell one side to turn for `JOG_SECONDS`."""
        counts: Pair = (self._jog_counts, 0) if side == 'left' else (0, self._jog_counts)
        trips = []
        end = self._clock.steady() + JOG_SECONDS
        while (begin := self._clock.steady()) < end:
            trips.append(self._trip(counts, JOG_PERIOD))
            self._channel.pause(begin + JOG_PERIOD - self._clock.steady())
        return trips

    def _rate_before(self, heard: Sequence[tuple[TelemetryReply, float]], place: int) -> float:
        """Return the leg rate over the last three replies, by the host's clock [rev/s]; 0 with fewer."""
        if len(heard) < 3:
            return 0.0
        (first, begun), (last, ended) = heard[-3], heard[-1]
        return float(self._turned(first, last)[place]) / max(ended - begun, 1e-6)

    def _position(self) -> Pair | None:
        self._send(GetPosition())
        for reply in self._channel.replies(self._clock.steady() + ANSWER_TIMEOUT):
            if isinstance(reply, PositionReply):
                return reply.position
        return None

    def _send(self, packet: CommandPacket, frame_id: int = 0) -> None:
        """Send a packet; what came before it is dropped, so that it cannot pass for the answer."""
        for _ in self._channel.frames(self._clock.steady()):
            pass
        self._channel.send(packet, frame_id)

    def _stand(self) -> None:
        """Stop the motors; a robot that has restarted meanwhile is stopped as a new one."""
        for _ in range(2):
            with contextlib.suppress(Unconfirmed):
                self._dialogue.stop(self._config.stop_tries)
                return
            self._dialogue.begin()

    def _turned(self, earlier: TelemetryReply, later: TelemetryReply) -> FloatArray:
        """Return how far both legs turned between two replies [rev], shape (2,)."""
        return encoder_step(earlier, later) / self._robot.imageproc.scales.encoder_counts


def _true(trips: Sequence[Trip]) -> list[tuple[TelemetryReply, float]]:
    """Return the replies whose encoders can be believed, each with its arrival [s, steady clock]."""
    return [
        (trip.reply, trip.arrived)
        for trip in trips
        if trip.reply is not None
        and trip.arrived is not None
        and (trip.refusal is None or trip.refusal.kind not in (RefusalKind.ORDER, RefusalKind.READING))
    ]


def _wrapped(step: int) -> int:
    """Return the step of an int32 counter, which may wrap."""
    return (step + 2**31) % 2**32 - 2**31
