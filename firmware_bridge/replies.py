"""Decide which telemetry replies count: not stale, not foreign, not damaged.

The frame's checksum is an 8-bit sum, which passes one multi-byte error in 256. So a reply counts only when it also fits
the command it answers, the reply before it, the robot's clock, and the range of the robot's converters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from firmware_bridge.packets import Pair, TelemetryReply
from firmware_bridge.robot_clock import SLACK, RobotClock
from firmware_bridge.telemetry import encoder_step
from millirobot_adapt.core.robot.description import RobotConfig

RESTART_AFTER = 3
"""This many replies in a row that fit each other, but not the replies before, show that the robot restarted. If only
the time does not fit, its clock has jumped."""
_ADC_LIMIT = 1023
"""Back-EMF and battery come from a 10-bit converter [counts]."""
_FULL_DUTY = 4000
_MISMAPPED = 0.2
"""A reply that seems sampled after it came, by less than this, shows that the clock was mapped by a late reply [s]."""
_STEP_SLACK = 0.1
"""Added to the time between two replies when an encoder step is judged: sampling times are not known better [s]."""


class RobotRestarted(Exception):  # noqa: N818 - it names an event, not a mistake
    """The robot has restarted: its gains, its PID and its encoders are those after power-up."""


class RefusalKind(Enum):
    """What a refused reply does not fit."""

    COMMAND = 'command'
    """The command that it should echo, or whose answer it is cannot be known."""
    READING = 'reading'
    """The range of the robot's converters."""
    ORDER = 'order'
    """The index of the reply before."""
    STEP = 'step'
    """The fastest leg."""
    TIME = 'time'
    """The time of its request, by the robot's clock."""


@dataclass(frozen=True)
class Refusal:
    """Why a reply does not count."""

    kind: RefusalKind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Request:
    """A setpoint, as the reply to it is judged."""

    command: Pair
    """What the reply must echo."""
    number: int
    """Counts the setpoints sent; each should get one reply."""
    host: float
    """Time of sending [s, host clock]."""
    sent: float
    """The same [s, steady clock]."""
    reached: float
    """Earliest time at which it can have reached the robot [s, steady clock]."""
    ambiguous: bool = False
    """An equal request shortly before is unanswered: nobody can know whose answer comes."""


@dataclass(frozen=True)
class _Answer:
    reply: TelemetryReply
    request: Request
    arrived: float


class ReplyChecker:
    """Check replies one by one: echoed command, rising index, plausible encoder step and readings, robot time."""

    def __init__(self, robot: RobotConfig, highest_leg_rate: float) -> None:
        self._counts_per_second = highest_leg_rate * robot.imageproc.scales.encoder_counts
        self.clock = RobotClock(robot.imageproc.scales.clock)
        """Learns from every reply that counts."""
        self._accepted: _Answer | None = None
        self._suspect: _Answer | None = None
        self._streak = 0
        self._in_step = True  # nothing was missing before the last reply that counted
        self._jumped = 0  # replies in a row that are right by their index and wrong by the clock
        self.stale = 0
        """Replies refused by the robot's clock alone."""
        self.foreign_streak = 0
        """Replies in a row by whose index the robot has answered requests that were not ours."""
        self.foreign = 0
        """Requests of others that the robot has answered, by the index of the replies that counted."""

    def restart(self) -> None:
        """Forget earlier replies: the encoders were zeroed, or the robot has restarted."""
        self._accepted = self._suspect = None
        self._streak = self._jumped = self.foreign_streak = 0
        self._in_step = True
        self.clock.restart()

    def follows(self, reply: TelemetryReply) -> bool:
        """Return whether a reply is newer than the last one that counted."""
        return self._accepted is None or _index_step(self._accepted.reply, reply) > 0

    def refusal(self, reply: TelemetryReply, request: Request, arrived: float) -> Refusal | None:
        """Return why the reply does not count, or None when it does; `arrived` is on the steady clock [s].

        Raises:
            RobotRestarted: the last few replies fit each other and none before.
        """
        if reply.command != request.command:
            return Refusal(RefusalKind.COMMAND, f'it echoes {reply.command}, not {request.command}')
        if request.ambiguous:
            return Refusal(RefusalKind.COMMAND, 'it may answer the request before')
        reason = _impossible(reply)
        if reason is not None:
            return reason
        answer = _Answer(reply, request, arrived)
        reason = self._misfit(self._accepted, answer)
        if reason is None:
            # Late is not restarted: if all replies stay late, the link is lost because none counts.
            surplus = self._surplus(answer)
            reason = self._untimely(answer, complete=surplus == 0)
            if reason is None:
                self._accept(answer, surplus)
            return reason
        follows = self._suspect is not None and self._misfit(self._suspect, answer) is None
        self._streak = self._streak + 1 if follows else 1
        self._suspect = answer
        if self._streak >= RESTART_AFTER:
            self.restart()
            raise RobotRestarted(f'the robot has restarted ({reason})')
        return reason

    def _accept(self, answer: _Answer, surplus: int) -> None:
        self._in_step = surplus == 0
        self._accepted, self._suspect, self._streak, self._jumped = answer, None, 0, 0
        self.foreign += max(0, surplus)
        self.foreign_streak = self.foreign_streak + (surplus > 0) if surplus else 0
        if surplus == 0:  # else it may belong to an earlier request, and would spoil the mapping
            self.clock.observe(answer.reply.timestamp, answer.request.reached, answer.arrived)

    def _misfit(self, earlier: _Answer | None, answer: _Answer) -> Refusal | None:
        if earlier is None:
            return None
        before, reply = earlier.reply, answer.reply
        if _index_step(before, reply) <= 0:
            return Refusal(RefusalKind.ORDER, f'its index {reply.index} does not follow {before.index}')
        elapsed = answer.arrived - earlier.arrived + _STEP_SLACK
        if np.any(np.abs(encoder_step(before, reply)) > self._counts_per_second * elapsed):
            return Refusal(RefusalKind.STEP, 'its encoder step is too large')
        return None

    def _surplus(self, answer: _Answer) -> int:
        """Return by the index how many requests more than ours the robot has answered since the last that counted.

        Negative when it has missed some, 0 when it has answered every one of ours and no other.
        """
        if self._accepted is None:
            return 0
        requests = answer.request.number - self._accepted.request.number
        return _index_step(self._accepted.reply, answer.reply) - requests

    def _untimely(self, answer: _Answer, complete: bool) -> Refusal | None:
        """Return how a reply disagrees with the robot's clock; several in a row with the right index correct it."""
        reply, request = answer.reply, answer.request
        lead = self.clock.lead(reply.timestamp, answer.arrived)
        if SLACK < lead < _MISMAPPED:
            self.clock.restart()  # nothing comes before it is sampled: the mapping is wrong
            return None
        # A line quicker than its baud rate, a pty, brings answers before their request can have arrived.
        early = self.clock.head_start(reply.timestamp, min(request.reached, answer.arrived))
        if max(early, lead) <= SLACK:
            return None
        self._jumped = self._jumped + 1 if complete and self._in_step else 0
        if self._jumped >= RESTART_AFTER:
            self.clock.restart()
            return None
        self.stale += 1
        when = f'{1e3 * early:.0f} ms before it was asked' if early else f'{lead:.1f} s after it came'
        return Refusal(RefusalKind.TIME, f'the robot sampled it {when}')


def _index_step(earlier: TelemetryReply, later: TelemetryReply) -> int:
    """Return the step of the index (u32) between two replies; negative when the later one counts less."""
    return (later.index - earlier.index + 2**31) % 2**32 - 2**31


def _impossible(reply: TelemetryReply) -> Refusal | None:
    """Return which reading no robot of this kind can have measured."""
    text = None
    if not 0 <= reply.battery <= _ADC_LIMIT:
        text = f'its battery reading {reply.battery} is no 10-bit number'
    elif max(map(abs, reply.back_emf)) > _ADC_LIMIT:
        text = f'its back-EMF {reply.back_emf} is no 10-bit number'
    elif max(map(abs, reply.duty)) > _FULL_DUTY:
        text = f'its duty {reply.duty} is beyond {_FULL_DUTY}'
    return None if text is None else Refusal(RefusalKind.READING, text)
