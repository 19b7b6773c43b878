"""Ask the gyro whether the poses are those of the robot: another body turns otherwise, and so do wrong axes.

The readings of the last seconds are held against the turning that the poses show, all at one lag, the best one:

    (13)  left over = min over lags of  sum |gyro(t) - M seen(t + lag)|^2 / sum |gyro|^2

With M = 1 it is 0 for the robot's own poses and 1 for those of a body that does not turn with the robot. If another
exchange of axes and signs M leaves much less over, the axes of motion capture are not those of the robot.
"""

from __future__ import annotations

from collections import deque
from itertools import permutations, product

import numpy as np

from millirobot_adapt.core.estimation.gyro_watch import LAGS, Compared
from millirobot_adapt.core.robot.state import FloatArray

READINGS = 30
"""Readings that axes are judged by: three seconds."""
FEWEST, FEWEST_AXES = 5, 15
"""Fewer readings that turn tell nothing of another body, and fewer readings nothing of the axes."""
LEAST_TURNING = 0.5
"""A slower reading does not turn; with a lower root mean square, nothing is said about the axes [rad/s]."""
LARGEST_LEFT_OVER, LARGEST_OF_FEW = 0.75, 0.95
"""More left over of the turning is another body. Of `FEWEST` readings it must be as much as the second, of twice as
many as the first: two contacts that fell between the frames may be most of five readings, while a body that does not
turn leaves everything."""
IN_A_ROW = 2
"""So many readings in a row must say that the body is another one: while a robot rattles, one now and then does."""
LEAST_AXES_LEFT_OVER = 0.25
"""Axes that leave less are the right ones."""
AXES_RATIO, LARGEST_AXES_LEFT_OVER = 0.4, 0.3
"""Another exchange of axes must leave less than this share of what 1 leaves, and less than this of the turning."""
LARGEST_ERROR = 1.5
"""The error of one reading counts for no more than this, against its square."""
LAG_SPREAD = 3
"""Where the lag is known, this many places beside it are tried."""


def _exchanges() -> FloatArray:
    """Return every exchange of axes and signs, shape (48, 3, 3), the one that changes nothing first."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            found.append(matrix)
    return np.array(found)


EXCHANGES = _exchanges()


class BodyCheck:
    """Take compared readings; tell another body and wrong axes."""

    def __init__(self) -> None:
        self._readings: deque[Compared] = deque(maxlen=READINGS)
        self._since_axes = 0
        self._in_a_row = 0
        self.other_body = False
        """The poses do not turn as the gyro does."""
        self.wrong_axes = False
        """They turn so about other axes, or the other way round."""

    def clear(self) -> None:
        """Forget the readings: the poses to come are of another stretch."""
        self._readings.clear()
        self._in_a_row, self.other_body = 0, False

    def add(self, compared: Compared, lag: float | None, possible: slice) -> None:
        """Take a reading.

        Args:
            compared: The reading, and the turning around it.
            lag: Where gyro and poses are known to agree [s]; None while that is not known.
            possible: Places in `LAGS` where they may agree then.
        """
        self._readings.append(compared)
        places = possible if lag is None else _places(lag)
        gyro = np.array([each.gyro for each in self._readings])
        seen = np.array([each.seen for each in self._readings])
        newest = slice(-2 * FEWEST, None)
        # What a robot that stood, and has just begun to walk, shows is one or two contacts and noise.
        turning = np.sum(gyro[newest] ** 2, axis=1) >= LEAST_TURNING**2
        count = np.count_nonzero(turning)
        if count >= FEWEST:
            limit = float(np.interp(count, (FEWEST, 2 * FEWEST), (LARGEST_OF_FEW, LARGEST_LEFT_OVER)))
            differs = _left_over(gyro[newest], seen[newest][:, places]) > limit
            self._in_a_row = self._in_a_row + 1 if differs else 0
            self.other_body = self._in_a_row >= IN_A_ROW
        self._since_axes += 1
        often = self._since_axes >= FEWEST and len(gyro) >= FEWEST_AXES
        if (often or self.other_body) and _rms(gyro) >= LEAST_TURNING:
            self._since_axes = 0
            self.wrong_axes = self._axes_differ(gyro, seen[:, possible])
            self.other_body = self.other_body and not self.wrong_axes

    def _axes_differ(self, gyro: FloatArray, seen: FloatArray) -> bool:
        """Compare all exchanges of axes at their best lags."""
        # |g - M s|^2 = |g|^2 + |s|^2 - 2 sum(M * g s'): one 3 x 3 matrix of products a lag decides for all of them.
        squares = np.sum(gyro**2) + np.sum(seen**2, axis=(0, 2))
        products = np.einsum('na,nlb->lab', gyro, seen)
        left = (squares - 2.0 * np.einsum('mab,lab->ml', EXCHANGES, products)).min(axis=1) / np.sum(gyro**2)
        best = float(left[1:].min())
        return bool(left[0] > LEAST_AXES_LEFT_OVER and best < LARGEST_AXES_LEFT_OVER and best < AXES_RATIO * left[0])


def _places(lag: float) -> slice:
    place = int(np.argmin(np.abs(LAGS - lag)))
    return slice(max(0, place - LAG_SPREAD), place + LAG_SPREAD + 1)


def _left_over(gyro: FloatArray, seen: FloatArray) -> float:
    # A hard contact turns the body within less than a frame: no single reading may decide, however fast.
    squares = np.sum(gyro**2, axis=1)
    weight = 1.0 / np.maximum(squares, 1.0)
    errors = np.minimum(
        np.sum((gyro[:, None, :] - seen) ** 2, axis=2), LARGEST_ERROR * np.maximum(squares, 1.0)[:, None]
    )
    return float((weight @ errors).min() / (weight @ squares))


def _rms(gyro: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.sum(gyro**2, axis=1))))
