"""The firmware's leg controller: one side's PID in C's integers, once a millisecond."""

from __future__ import annotations

FULL_DUTY = 4000
LARGEST_DUTY = 3800


class Pid:
    """Follow a moving position setpoint; positions in encoder counts, velocities in counts/ms, output in duty counts.

    out = ff + (Kp e_pos >> 12) + ((Ki sum(e_pos >> 4) >> 12) >> 4) + (Kd e_vel >> 4), clamped to +-3800 of 4000, with
    anti-windup Kaw/100 (biomimetics/roach, biomimetics/imageproc-lib).

    The sources leave open, and here it is decided:
    - widths: products are kept in 32 bits and wrap as two's complement does; the sum of errors is not bounded;
    - rounding: `>>` of a negative number rounds down, as the compiler's arithmetic shift does;
    - anti-windup: what the clamp cuts off is taken back from the sum, Kaw hundredths of it, rounded towards zero;
    - feed-forward: Kff is added as it is, it does not multiply the commanded velocity.
    """

    def __init__(self) -> None:
        self._gains = (0, 0, 0, 0, 0)
        self._velocity = 0
        self._goal = 0
        self._sum = 0

    def configure(self, gains: tuple[int, int, int, int, int]) -> None:
        """Take Kp, Ki, Kd, Kaw, Kff."""
        self._gains = gains
        self._sum = 0

    def aim(self, velocity: int, position: int) -> None:
        """Move the setpoint at `velocity` from now on, starting at the present `position`.

        That a new command starts from the present position is assumed: it is what makes a real leg lag behind its
        command for good, at about 0.9 of it, where a setpoint that ran on would be caught up with.
        """
        self._velocity = velocity
        self._goal = position
        self._sum = 0

    def update(self, position: int, velocity: int) -> int:
        """Advance by one millisecond and return the duty, within +-LARGEST_DUTY."""
        kp, ki, kd, kaw, kff = self._gains
        self._goal += self._velocity
        error = self._goal - position
        self._sum += error >> 4
        out = (
            kff
            + (_int32(kp * error) >> 12)
            + ((_int32(ki * self._sum) >> 12) >> 4)
            + (_int32(kd * (self._velocity - velocity)) >> 4)
        )
        limited = max(-LARGEST_DUTY, min(LARGEST_DUTY, out))
        if kaw and limited != out:
            self._sum += int(kaw * (limited - out) / 100)
        return limited


def _int32(value: int) -> int:
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000
