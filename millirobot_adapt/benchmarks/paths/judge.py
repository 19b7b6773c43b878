"""Judge a walk along a path from the true poses and the waypoints alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.experiments.episode import Episode

FAR = 1.0
"""This far from its place on the path [m] ..."""
FAR_SECONDS = 3.0
"""... a robot may be for this long at a time [s]."""
LEAST_WALKED = 0.9
"""A path is walked if the robot walked this part of its length, at least."""
AT_END = 0.35
"""A finished walk ends this near to the last waypoint [m]: the shipped `finish_tolerance` and a step."""
SAMPLED = 0.03
"""Path and track are compared at points this far apart [m]."""


@dataclass(frozen=True)
class JudgedWalk:
    """What came of one walk."""

    path: str
    points: int
    length_m: float
    seed: int
    ended: str
    """As `Episode.ended` says."""
    reason: str
    """As `Episode.reason` says."""
    seconds: float
    walked_m: float
    farthest_m: float
    """Largest distance between the robot and its place on the path."""
    far_s: float
    """Longest time without a break at a distance over `FAR`."""
    leash_m: float
    """Fréchet distance of track and path: how long a leash must be if one end walks the path and the other the track,
    and neither turns back. It is large where a part of the path was left out or taken in another order."""
    end_m: float
    """Distance between the robot and the last waypoint at the end of the walk."""

    @property
    def kind(self) -> str:
        """The kind of the path."""
        return self.path.rpartition('_')[0]

    @property
    def failures(self) -> list[str]:
        """What is wrong with this walk, in words; none if it is right."""
        failures = []
        if self.ended != 'finished':
            failures.append(f'not finished after {self.seconds:.1f} s' + (f': {self.reason}' if self.reason else ''))
        elif self.walked_m < LEAST_WALKED * self.length_m:
            failures.append(f'finished after {self.walked_m:.2f} of {self.length_m:.2f} m')
        elif self.end_m > AT_END:
            failures.append(f'finished {self.end_m:.2f} m from the last waypoint')
        elif self.leash_m > FAR:
            failures.append(f'a part of the path was left out: Fréchet distance {self.leash_m:.2f} m')
        if self.far_s > FAR_SECONDS:
            failures.append(f'farther than {FAR:g} m from the path for {self.far_s:.1f} s')
        return failures


def judge(episode: Episode, dt: float) -> JudgedWalk:
    """Judge an episode with control periods of `dt` [s]."""
    table, path = episode.table, episode.path
    track = np.column_stack((table['x'], table['y']))
    distances = np.abs(table['cross_track'])
    return JudgedWalk(
        path=path.name,
        points=len(path.waypoints),
        length_m=path.length,
        seed=episode.spec.seed,
        ended=episode.ended,
        reason=episode.reason,
        seconds=float(table['time'][-1]),
        walked_m=float(np.hypot(*np.diff(track, axis=0).T).sum()),
        farthest_m=float(distances.max()),
        far_s=dt * longest_run(distances > FAR),
        leash_m=frechet_distance(path.at(np.linspace(0.0, path.length, int(path.length / SAMPLED) + 2)), track),
        end_m=float(np.hypot(*(track[-1] - path.waypoints[-1]))),
    )


def longest_run(flags: np.ndarray) -> int:
    """Return the length of the longest run of true values, shape (N,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def frechet_distance(first: FloatArray, second: FloatArray) -> float:
    """Return the discrete Fréchet distance of two curves of points, shapes (N, 2) and (M, 2) [m].

    Eiter and Mannila, "Computing discrete Fréchet distance", 1994: the least c(N, M) of

        c(i, j) = max(min(c(i - 1, j), c(i - 1, j - 1), c(i, j - 1)), d(i, j))

    computed one antidiagonal after the other, with i along each of them.
    """
    n, m = len(first), len(second)
    older, old = np.full(n + 1, np.inf), np.full(n + 1, np.inf)  # c of the two antidiagonals before, by i + 1
    older[0] = -np.inf  # c(-1, -1)
    for total in range(n + m - 1):
        i = np.arange(max(0, total - m + 1), min(n, total + 1))
        distance = np.hypot(*(first[i] - second[total - i]).T)
        new = np.full(n + 1, np.inf)
        new[i + 1] = np.maximum(np.minimum(np.minimum(old[i], old[i + 1]), older[i]), distance)
        older, old = old, new
    return float(old[n])
