"""Action sequences: the bounds that they keep, where a search starts, and the noise that candidates are drawn with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.arrays import Array, beside, namespace
from millirobot_adapt.core.planning.planner_interface import Draws, Plan
from millirobot_adapt.core.robot.layout import FloatArray


@dataclass(frozen=True)
class Bounds:
    """The range of the actions in their units, shape (nu,) each, in arrays of numpy or of a device."""

    low: Array
    high: Array
    slew: Array
    """Largest change from one action to the next; starting from an executing action outside the range is exempt."""
    neutral: Array
    """Stands still; may lie outside the range."""

    @property
    def middle(self) -> Array:
        """The middle of the range."""
        return (self.low + self.high) / 2

    @property
    def range(self) -> Array:
        """Width of the range."""
        return self.high - self.low

    def keep(self, actions: Array) -> Array:
        """Return sequences (H, ..., nu) with each action clipped to what the one before allows; row 0 stays."""
        kept = actions.copy()
        # One row of numbers a step: arrays that end in so few actions are slow to walk through.
        rows = kept.reshape(len(kept), -1)
        count = rows.shape[1] // len(self.low)
        lowest, highest, slew = (np.tile(bound, count) for bound in (self.low, self.high, self.slew))
        before = np.clip(rows[0], lowest, highest)
        low, high = np.empty_like(before), np.empty_like(before)
        for row in rows[1:]:
            # Into the same memory: with so few numbers a row, what costs the time is to find some.
            np.subtract(before, slew, out=low)
            np.maximum(lowest, low, out=low)
            np.add(before, slew, out=high)
            np.minimum(highest, high, out=high)
            np.maximum(row, low, out=row)
            before = np.minimum(row, high, out=row)
        return kept

    def in_range(self, actions: FloatArray) -> bool:
        """Return whether all actions but row 0 of a sequence (H, nu) are inside the range."""
        return bool((actions[1:] >= self.low).all() and (actions[1:] <= self.high).all())


def first_guess(bounds: Bounds, previous: Plan | None, executing: FloatArray, horizon: int) -> FloatArray:
    """Return where a search starts, shape (H, nu), row 0 = executing.

    It is the previous plan one tick later, its last action repeated; without one, the middle of the range.
    """
    if previous is None:
        guess = np.repeat(bounds.middle[None], horizon, axis=0)
    else:
        guess = np.concatenate((previous.actions[1:], previous.actions[-1:]))
    guess[0] = executing
    return np.asarray(bounds.keep(guess))


def held(draws: Array, horizon: int, hold: int) -> Array:
    """Repeat each row of draws (ceil(horizon / hold), ...) for `hold` steps, to shape (horizon, ...)."""
    return namespace(draws).repeat(draws, hold, axis=0)[:horizon]


def coloured_noise(rng: Draws, colour: float, steps: int, shape: tuple[int, ...]) -> Array:
    """Draw sequences of unit variance whose power falls with frequency as 1 / f^colour.

    Colour 0 is white noise (every step is independent), 1 is pink, 2 is a random walk; a larger colour varies slower.

    Timmer and Koenig, "On generating power law noise", Astronomy and Astrophysics 300 (1995): every Fourier coefficient
    is normally distributed with the square root of the wanted power as its scale. The mean over the steps, of frequency
    0, gets the power of the lowest frequency.

    Returns:
        Shape (steps, *shape).
    """
    count = steps // 2 + 1
    frequencies = np.fft.rfftfreq(steps)
    frequencies[0] = 1.0 / steps
    scale = frequencies ** (-colour / 2)
    real, imaginary = rng.standard_normal((2, count, *shape))
    # A coefficient without phase (the mean, and the highest frequency of an even number of steps) is real.
    unpaired = [0, count - 1] if steps % 2 == 0 else [0]
    real[unpaired] *= np.sqrt(2.0)
    imaginary[unpaired] = 0.0
    pairs = np.full(count, 2.0)
    pairs[unpaired] = 1.0
    # Variance of the inverse transform: 2 scale^2 for each coefficient and its mirror image, over steps^2.
    deviation = np.sqrt(np.sum(2.0 * pairs * scale**2)) / steps
    coefficients = (real + 1j * imaginary) * beside(real, scale.reshape(-1, *(1,) * len(shape))) / deviation
    return namespace(real).fft.irfft(coefficients, n=steps, axis=0)
