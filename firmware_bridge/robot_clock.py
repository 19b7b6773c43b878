"""The robot's clock, seen from the host's steady clock.

A reply tells when the robot sampled its sensors by its own clock; the host knows only when the request left and when
the reply was complete. Queues and radio retries can delay a request, never hasten it, so among the requests of the
last half minute the quickest ones show the true offset: it is the upper envelope of `reached - robot time`, where
`reached` is the earliest time at which a request can have arrived. Drift is the slope of that envelope: of all lines on
or above every point the one nearest to them (Moon, Skelly and Towsley, "Estimation and removal of clock skew from
network delay measurements", INFOCOM 1999), which is the edge of the convex hull over the mean of their times.
"""

from __future__ import annotations

from collections import deque

WINDOW = 300
"""Replies that the envelope rests on."""
SETTLED_AFTER = 20
"""Replies before the mapping is trusted with stamps."""
DRIFT_AFTER = 10.0
"""Time that the replies must span before a drift can be told from the noise [s]."""
DRIFT_LIMIT = 1e-3
"""A larger drift is not a crystal's: the clock's scale in the robot's file must be wrong [s/s]."""
SLACK = 0.006
"""A reply is out of time when the robot sampled it earlier than its request can have reached it, by more [s]: the grain
of the robot's clock, and the time that a request seems to take on a line quicker than its baud rate says (a pty).
A late or repeated reply is usually out by a control period."""


class RobotClock:
    """Map the robot's timestamps (u32 counts, wrapping) to the steady clock [s]."""

    def __init__(self, seconds_per_count: float) -> None:
        self._scale = seconds_per_count
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._last: tuple[int, float] | None = None
        self._offset = self._slope = 0.0
        self.drift: float | None = None
        """How much faster than the robot's clock the host's runs [s/s]; None while not known."""

    def restart(self) -> None:
        """Forget everything: the robot's clock has jumped, or is another one."""
        self._points.clear()
        self._last = self.drift = None
        self._offset = self._slope = 0.0

    @property
    def settled(self) -> bool:
        """Tell whether the mapping is good enough to stamp with."""
        return len(self._points) >= SETTLED_AFTER and abs(self.drift or 0.0) <= DRIFT_LIMIT

    def observe(self, timestamp: int, reached: float, arrived: float) -> None:
        """Take a reply that arrived then and answers a request that reached the robot not before [s, steady clock]."""
        robot = self._unwrap(timestamp)
        if self._points and robot <= self._points[-1][0]:
            return
        self._last = (timestamp, robot)
        self._points.append((robot, min(reached, arrived) - robot))
        if robot - self._points[0][0] < DRIFT_AFTER:
            self._slope = 0.0
            self._offset = max(lead for _, lead in self._points)
        else:
            self._offset, self._slope = _envelope(list(self._points))
            self.drift = self._slope

    def sampled(self, timestamp: int) -> float | None:
        """Return when the robot's clock showed `timestamp` [s, steady clock]; None before the first reply."""
        if self._last is None:
            return None
        robot = self._unwrap(timestamp)
        return robot + self._offset + self._slope * robot

    def head_start(self, timestamp: int, reached: float) -> float:
        """Return by how much the robot's sampling lies before the request can have reached it [s], 0 if it does not."""
        sampled = self.sampled(timestamp)
        return 0.0 if sampled is None else max(0.0, reached - sampled)

    def lead(self, timestamp: int, arrived: float) -> float:
        """Return by how much the robot's sampling seems to lie after the arrival of the reply [s], 0 if it does not."""
        sampled = self.sampled(timestamp)
        return 0.0 if sampled is None else max(0.0, sampled - arrived)

    def _unwrap(self, timestamp: int) -> float:
        """Return robot time [s], continuous with the last observation (0 at the first), forward or backward."""
        if self._last is None:
            return 0.0
        counts, robot = self._last
        step = (timestamp - counts + 2**31) % 2**32 - 2**31
        return robot + step * self._scale


def _envelope(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return intercept and slope of the line on or above all points (x rising) that lies nearest to them."""
    hull: list[tuple[float, float]] = []
    for x, y in points:
        while len(hull) >= 2 and _turns_up(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    mean = sum(x for x, _ in points) / len(points)
    right = next(place for place in range(1, len(hull)) if hull[place][0] >= mean or place == len(hull) - 1)
    (x1, y1), (x2, y2) = hull[right - 1], hull[right]
    slope = (y2 - y1) / (x2 - x1)
    return y1 - slope * x1, slope


def _turns_up(first: tuple[float, float], second: tuple[float, float], third: tuple[float, float]) -> bool:
    """Tell whether the middle one of three points lies on or below the line from the first to the third."""
    (x1, y1), (x2, y2), (x3, y3) = first, second, third
    return (y2 - y1) * (x3 - x1) <= (y3 - y1) * (x2 - x1)
