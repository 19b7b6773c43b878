"""Tell a true telemetry reply from a stale, foreign or damaged one.

The frame's checksum is an 8-bit sum, which passes one multi-byte error in 256, so a reply counts only when it also fits
the command it answers and the reply before it.
"""

from __future__ import annotations

import numpy as np

from firmware_bridge.packets import Pair, TelemetryReply
from firmware_bridge.telemetry import encoder_step
from millirobot_adapt.core.robot import RobotConfig

RESTART_AFTER = 3
"""So many replies in a row that fit each other, but not what came before, mean that the robot has started anew."""
_SLACK = 0.1
"""Added to the time between two replies when judging the encoder step: sampling times are not known to better [s]."""


class RobotRestarted(Exception):  # noqa: N818 - it names an event, not a mistake
    """The robot counts anew: its gains, its PID and its encoders are those of a fresh start."""


class ReplyChecker:
    """Check replies one by one: echoed command, rising index, plausible encoder step."""

    def __init__(self, robot: RobotConfig, highest_leg_rate: float) -> None:
        self._counts_per_second = highest_leg_rate * robot.scales.encoder_counts
        self._accepted: tuple[TelemetryReply, float] | None = None
        self._suspect: tuple[TelemetryReply, float] | None = None
        self._streak = 0

    def restart(self) -> None:
        """Forget earlier replies: the encoders were zeroed, or the robot has started anew."""
        self._accepted = self._suspect = None
        self._streak = 0

    def refusal(self, reply: TelemetryReply, expected: Pair, now: float) -> str | None:
        """Return why the reply does not count, or None when it does; `now` is its arrival, steady clock [s].

        Raises:
            RobotRestarted: the last few replies fit each other and nothing before.
        """
        if reply.command != expected:
            return f'it echoes {reply.command}, not {expected}'
        reason = self._misfit(self._accepted, reply, now)
        if reason is None:
            self._accepted, self._suspect, self._streak = (reply, now), None, 0
            return None
        follows = self._suspect is not None and self._misfit(self._suspect, reply, now) is None
        self._streak = self._streak + 1 if follows else 1
        self._suspect = (reply, now)
        if self._streak >= RESTART_AFTER:
            self.restart()
            raise RobotRestarted(f'the robot has started anew ({reason})')
        return reason

    def _misfit(self, earlier: tuple[TelemetryReply, float] | None, reply: TelemetryReply, now: float) -> str | None:
        if earlier is None:
            return None
        before, then = earlier
        if reply.index <= before.index:
            return f'its index {reply.index} does not follow {before.index}'
        if np.any(np.abs(encoder_step(before, reply)) > self._counts_per_second * (now - then + _SLACK)):
            return 'its encoder step is too large'
        return None
