"""Move in the direction of the path, and back to it."""

from __future__ import annotations

from millirobot_adapt.core.arrays import Array, namespace
from millirobot_adapt.core.planning.costs.term import Candidates, cost_term

STANDSTILL = 0.01
"""A displacement shorter than this over half a horizon [m] has no course worth the name; yaw stands in."""
WAY_BACK = 0.5
"""This far from the path [m] the way back to it counts as much as its direction."""


@cost_term('course', weight=5.0, unit='1/rad', doc='Weight of the angle between course and path, summed.')
class Course:
    """Compare the course in the second half of the horizon with the direction to take there.

    The paper compares yaw; a pose that is miscalibrated in yaw would bias that, while the displacement shows where the
    robot really goes. On an arc the chord is parallel to the tangent half-way along it. The error counts once for each
    of the H predicted points, to keep the scale of the paper's sum.

    The direction to take at a point p at the distance d from its place s on the path is that of

        (path(s + d + L / 2) - path(s + d - L / 2)) / L + (path(s) - p) / W

    with L = `turn_length` and W = `WAY_BACK`: the tangent, smoothed over what the robot can turn in and looked up the
    farther ahead the farther off the robot is, and the way back to the path. The tangent at s alone, as the paper has
    it, jumps at a sharp turn: a robot that overshot then pays more for turning back than for going on for ever.
    Behind its end an open path has no tangent: a robot that missed the end turns back to it.
    """

    @staticmethod
    def score(candidates: Candidates) -> Array:
        """Return H times the absolute angle between course and direction to take [rad], shape (K,)."""
        xp = namespace(candidates.x)
        horizon = len(candidates.actions)
        half = horizon // 2
        middle = half + (horizon - half + 1) // 2
        dx, dy = candidates.x[-1] - candidates.x[half], candidates.y[-1] - candidates.y[half]
        still = xp.hypot(dx, dy) < STANDSTILL
        cos = xp.where(still, candidates.cos_yaw[middle], dx)
        sin = xp.where(still, candidates.sin_yaw[middle], dy)
        path_cos, path_sin = direction_to_take(candidates, middle)
        error = xp.arctan2(path_cos * sin - path_sin * cos, path_cos * cos + path_sin * sin)
        return horizon * xp.abs(error)


def direction_to_take(candidates: Candidates, row: int) -> tuple[Array, Array]:
    """Return x and y of the direction to take from row `row` of the predicted points, shape (K,) each; any length."""
    xp = namespace(candidates.x)
    on_path, length = candidates.on_path, candidates.turn_length
    place = on_path.arc_length[row] + on_path.distance[row]
    ends = xp.stack((place - 0.5 * length, place + 0.5 * length))
    if not on_path.path.closed:
        ends = xp.minimum(ends, on_path.path.length)
    before, after = on_path.path.at(ends)
    tangent = (after - before) / length
    back_x, back_y = on_path.x[row] - candidates.x[row], on_path.y[row] - candidates.y[row]
    return tangent[:, 0] + back_x / WAY_BACK, tangent[:, 1] + back_y / WAY_BACK
