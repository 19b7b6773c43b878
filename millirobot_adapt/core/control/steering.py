"""What drives and what turns a robot: its actions for a speed and a yaw rate, from the gains in its description."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.robot.layout import FloatArray, StateLayout


class Steering:
    """Turn forward speed and yaw rate into an action, by the nominal gains of the robot's actions.

    An action that neither drives nor turns rests at its neutral value, or in the middle of a range without that.
    """

    def __init__(self, layout: StateLayout) -> None:
        self._layout = layout
        self._low, self._high = layout.action_low, layout.action_high
        gains = np.stack([layout.speed_gains, layout.turn_gains])
        self._inverse = np.linalg.pinv(gains)
        self.drives = layout.speed_gains != 0.0
        """Whether each action drives, shape (nu,)."""
        self.turns = np.sign(layout.turn_gains)
        """1 where an action turns left, -1 where right, 0 where neither, shape (nu,)."""
        rest = np.clip(layout.neutral, self._low, self._high)
        outside = (layout.neutral < self._low) | (layout.neutral > self._high)
        self._rest = np.where(outside, (self._low + self._high) / 2, rest)
        ahead = np.where(layout.speed_gains > 0, self._high, self._low)
        begin = np.where(outside, np.where(layout.speed_gains > 0, self._low, self._high), rest)
        middle = np.where(self.drives, (begin + ahead) / 2, self._rest)
        self.cruise = (middle - self._low) / (self._high - self._low)
        """Straight on at a middling speed, as a share of the range, shape (nu,)."""

    @property
    def both(self) -> NDArray[np.bool_]:
        """Whether each action drives and turns, as the sides of a robot do, shape (nu,)."""
        return np.asarray(self.drives & (self.turns != 0.0))

    def action(self, speed: float, yaw_rate: float) -> FloatArray:
        """Return the action for a speed [m/s] and a yaw rate [rad/s], inside the range, shape (nu,)."""
        wanted = self._inverse @ np.array([speed, yaw_rate])
        idle = ~self.drives & (self.turns == 0.0)
        return np.clip(np.where(idle, self._rest, wanted), self._low, self._high)

    def by_stick(self, speed: float, turn: float) -> FloatArray:
        """Return the action for sticks from -1 to 1, forward and left positive: neutral, or inside the range.

        Where sides both drive and turn, speed sets their mean and turning their difference; where the range is too
        small for both, turning wins. An action whose neutral value is beside its range does not go backward: pulling
        back stands, or turns at the slowest mean.
        """
        low, high, neutral = self._low, self._high, self._layout.neutral
        only_forward = bool(self.both.any() and (neutral[self.both] < low[self.both]).all())
        if (speed <= 0.0 if only_forward else speed == 0.0) and turn == 0.0:
            return neutral
        action = self._rest.copy()
        if self.both.any():
            sides = self.both
            action[sides] = self._sides(sides, max(0.0, speed) if only_forward else speed, turn, only_forward)
        for stick, gains in ((speed, self._layout.speed_gains), (turn, self._layout.turn_gains)):
            ways = np.sign(gains) * stick
            end = np.where(ways > 0, high, low)
            moves = (gains != 0.0) & ~self.both
            action[moves] = (neutral + np.abs(ways) * (end - neutral))[moves]
        return action

    def _sides(self, sides: NDArray[np.bool_], speed: float, turn: float, only_forward: bool) -> FloatArray:
        low, high = self._low[sides], self._high[sides]
        span = high - low
        mean = low + speed * span if only_forward else (self._rest + speed * (self._high - self._rest))[sides]
        wanted = mean + turn / 2 * span * self.turns[sides]
        shift = max(0.0, float((low - wanted).max())) - max(0.0, float((wanted - high).max()))
        return np.asarray(np.clip(wanted + shift, low, high))


def turning_radius(layout: StateLayout) -> float:
    """Return the radius of the narrowest turn [m]: what turns at its most, what only drives at its slowest.

    Infinite for a robot that cannot turn.
    """
    low, high = layout.action_low, layout.action_high
    slowest = np.clip(0.0, low, high)
    action = np.where(layout.turn_gains > 0, high, np.where(layout.turn_gains < 0, low, slowest))
    turn, speed = float(layout.turn_gains @ action), abs(float(layout.speed_gains @ action))
    return speed / turn if turn > 0.0 else np.inf
