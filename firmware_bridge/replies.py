"""Tell a true telemetry reply from a stale, foreign or damaged one.

The frame's checksum is an 8-bit sum, which passes one multi-byte error in 256, so a reply counts only when it also fits
the command it answers, the reply before it, the robot's clock, and what the robot's electronics can say at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_bridge.packets import Pair, TelemetryReply
from firmware_bridge.robot_clock import SLACK, RobotClock
from firmware_bridge.telemetry import encoder_step
from millirobot_adapt.core.robot.description import RobotConfig

RESTART_AFTER = 3
"""So many replies in a row that fit each other, but not what came before, mean that the robot has started anew, or that
its clock has jumped if time alone is what does not fit."""
_ADC_LIMIT = 1023
"""Back-EMF and battery come from a 10-bit converter [counts]."""
_FULL_DUTY = 4000
_MISMAPPED = 0.2
"""What seems to be sampled after it came, but by less, tells of a late reply that was taken for a timely one [s]."""
_STEP_SLACK = 0.1
"""Added to the time between two replies when judging the encoder step: sampling times are not known to better [s]."""


class RobotRestarted(Exception):  # noqa: N818 - it names an event, not a mistake
    """The robot counts anew: its gains, its PID and its encoders are those of a fresh start."""


@dataclass(frozen=True)
class Request:
    """A setpoint as the reply to it is judged by."""

    command: Pair
    """What the reply must echo."""
    number: int
    """Counts the setpoints sent; one answered by every reply."""
    host: float
    """Time of sending [s, host clock]."""
    sent: float
    """The same [s, steady clock]."""
    reached: float
    """Earliest time at which it can have reached the robot [s, steady clock]."""
    ambiguous: bool = False
    """An equal one shortly before is unanswered: whose answer comes cannot be told."""


@dataclass(frozen=True)
class _Answer:
    reply: TelemetryReply
    request: Request
    arrived: float


class ReplyChecker:
    """Check replies one by one: echoed command, rising index, plausible encoder step and readings, robot time."""

    def __init__(self, robot: RobotConfig, highest_leg_rate: float) -> None:
        self._counts_per_second = highest_leg_rate * robot.scales.encoder_counts
        self.clock = RobotClock(robot.scales.clock)
        """Learns from every reply that counts."""
        self._accepted: _Answer | None = None
        self._suspect: _Answer | None = None
        self._streak = 0
        self._in_step = True  # nothing was missing before the last reply that counted
        self._jumped = 0  # replies in a row that should be right by their index and cannot be by the clock
        self.stale = 0
        """Replies refused by the robot's clock alone."""

    def restart(self) -> None:
        """Forget earlier replies: the encoders were zeroed, or the robot has started anew."""
        self._accepted = self._suspect = None
        self._streak = self._jumped = 0
        self._in_step = True
        self.clock.restart()

    def follows(self, reply: TelemetryReply) -> bool:
        """Tell whether a reply is newer than the last one that counted."""
        return self._accepted is None or _index_step(self._accepted.reply, reply) > 0

    def refusal(self, reply: TelemetryReply, request: Request, arrived: float) -> str | None:
        """Return why the reply does not count, or None when it does; `arrived` is on the steady clock [s].

        Raises:
            RobotRestarted: the last few replies fit each other and nothing before.
        """
        if reply.command != request.command:
            return f'it echoes {reply.command}, not {request.command}'
        reason = 'it may answer the request before' if request.ambiguous else _impossible(reply)
        if reason is not None:
            return reason
        answer = _Answer(reply, request, arrived)
        reason = self._misfit(self._accepted, answer)
        if reason is None:
            # Late is not restarted: should all replies stay late, the link is lost for want of any.
            complete = self._complete(answer)
            reason = self._untimely(answer, complete)
            if reason is None:
                self._in_step = complete
                self._accepted, self._suspect, self._streak, self._jumped = answer, None, 0, 0
                if complete:  # else it may belong to an earlier request, and would spoil the mapping
                    self.clock.observe(reply.timestamp, request.reached, arrived)
            return reason
        follows = self._suspect is not None and self._misfit(self._suspect, answer) is None
        self._streak = self._streak + 1 if follows else 1
        self._suspect = answer
        if self._streak >= RESTART_AFTER:
            self.restart()
            raise RobotRestarted(f'the robot has started anew ({reason})')
        return reason

    def _misfit(self, earlier: _Answer | None, answer: _Answer) -> str | None:
        if earlier is None:
            return None
        before, reply = earlier.reply, answer.reply
        if _index_step(before, reply) <= 0:
            return f'its index {reply.index} does not follow {before.index}'
        elapsed = answer.arrived - earlier.arrived + _STEP_SLACK
        if np.any(np.abs(encoder_step(before, reply)) > self._counts_per_second * elapsed):
            return 'its encoder step is too large'
        return None

    def _complete(self, answer: _Answer) -> bool:
        """Tell by the index whether the robot has answered every request since the last reply that counted."""
        if self._accepted is None:
            return True
        requests = answer.request.number - self._accepted.request.number
        return _index_step(self._accepted.reply, answer.reply) == requests

    def _untimely(self, answer: _Answer, complete: bool) -> str | None:
        """Return how a reply disagrees with the robot's clock; some in a row that should be right correct it."""
        reply, request = answer.reply, answer.request
        lead = self.clock.lead(reply.timestamp, answer.arrived)
        if SLACK < lead < _MISMAPPED:
            self.clock.restart()  # nothing comes before it is sampled: it is the mapping that is wrong
            return None
        # A line that is quicker than its baud rate says, a pty, brings answers before their request can have arrived.
        early = self.clock.head_start(reply.timestamp, min(request.reached, answer.arrived))
        if max(early, lead) <= SLACK:
            return None
        self._jumped = self._jumped + 1 if complete and self._in_step else 0
        if self._jumped >= RESTART_AFTER:
            self.clock.restart()
            return None
        self.stale += 1
        when = f'{1e3 * early:.0f} ms before it was asked' if early else f'{lead:.1f} s after it came'
        return f'the robot sampled it {when}'


def _index_step(earlier: TelemetryReply, later: TelemetryReply) -> int:
    """Return the step of the index (u32) between two replies; negative when the later one counts less."""
    return (later.index - earlier.index + 2**31) % 2**32 - 2**31


def _impossible(reply: TelemetryReply) -> str | None:
    """Return what in a reply no robot of this kind can have measured."""
    if not 0 <= reply.battery <= _ADC_LIMIT:
        return f'its battery reading {reply.battery} is no 10-bit number'
    if max(map(abs, reply.back_emf)) > _ADC_LIMIT:
        return f'its back-EMF {reply.back_emf} is no 10-bit number'
    if max(map(abs, reply.duty)) > _FULL_DUTY:
        return f'its duty {reply.duty} is beyond {_FULL_DUTY}'
    return None
