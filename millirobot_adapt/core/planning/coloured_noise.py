"""Draw noise that is correlated over time: random candidates that keep on doing what they do."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.robot.state import FloatArray


def coloured_noise(rng: np.random.Generator, colour: float, steps: int, shape: tuple[int, ...]) -> FloatArray:
    """Draw sequences of unit variance whose power falls with frequency as 1 / f^colour.

    Colour 0 is white noise (every step on its own), 1 pink, 2 a random walk's; the larger, the slower.

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
    # What has no phase (the mean, and the highest frequency of an even number of steps) is real.
    unpaired = [0, count - 1] if steps % 2 == 0 else [0]
    real[unpaired] *= np.sqrt(2.0)
    imaginary[unpaired] = 0.0
    pairs = np.full(count, 2.0)
    pairs[unpaired] = 1.0
    # Variance of the inverse transform: 2 scale^2 for each coefficient and its mirror image, over steps^2.
    deviation = np.sqrt(np.sum(2.0 * pairs * scale**2)) / steps
    coefficients = (real + 1j * imaginary) * scale.reshape(-1, *(1,) * len(shape)) / deviation
    return np.asarray(np.fft.irfft(coefficients, n=steps, axis=0))
