"""Follow a path with the robot: where along it, how far off, and what the step cost by the paper's formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from millirobot_adapt.core.geometry import wrap
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray, StateView

SEARCH_AHEAD = 0.5
"""How far beyond the current segment a nearer one is looked for [m]; the next segment is always looked at."""


SAME = 1e-6
"""Distances this close [m] are equal."""


@dataclass(frozen=True)
class StepWeights:
    """Weights of the executed cost: distance [1/m], progress [1/m], heading [1/rad]."""

    distance: float = 50.0
    progress: float = 10.0
    heading: float = 5.0


STEP_WEIGHTS: dict[str, StepWeights] = {'zigzag': StepWeights(40.0, 10.0, 10.0)}
"""The paper's weights by shape; every other shape has the default ones."""


@dataclass(frozen=True)
class Tracking:
    """Where the robot stands on the path after one step."""

    segment: int
    cross_track: float
    """Signed distance to the path [m], positive to its left."""
    progress: float
    """Arc length walked along the path [m]; laps of a closed path add up."""
    fraction: float
    """Progress over the path's length; beyond 1 from the second lap on."""
    heading_error: float
    """Yaw minus direction of the path [rad], in [-pi, pi)."""
    step_cost: float
    """Executed cost of this step."""
    finished: bool
    """The end of an open path is reached."""


class PathTracker:
    """Keep the current segment and advance it monotonically, so a path may cross itself.

    The cost of a step is the paper's (GrBAL, appendix; lower is better):

        w_p |cross-track| - w_b (progress gained) + w_h |heading error|

    The lab counts progress as the fraction of a way-point segment and leaves it out on the step that enters a new one;
    its segments are about 1 m long, so fractions are metres there. Here progress is arc length in metres, which is the
    same on 1 m segments and does not depend on how densely a curve is sampled. The first step gains nothing.

    With `shape_weights` the weights are the paper's for the shape; without, the same for every shape, so that the costs
    of shapes compare.
    """

    def __init__(self, path: ReferencePath, shape_weights: bool = True) -> None:
        self.path = path
        self.segment = 0
        self.weights = STEP_WEIGHTS.get(path.name, StepWeights()) if shape_weights else StepWeights()
        self._lap = 0
        self._progress: float | None = None

    def update(self, state: FloatArray) -> Tracking:
        """Take the robot's next state, shape (nx,)."""
        view = StateView(state)
        return self.update_pose(view.position, float(view.yaw))

    def update_pose(self, position: ArrayLike, yaw: float) -> Tracking:
        """Take the robot's next position [m; world], shape (2,) or more (x and y are used), and yaw [rad]."""
        point = np.asarray(position, dtype=float)[:2]
        self._advance(point)
        path = self.path
        offset = point - path.waypoints[self.segment]
        direction = path.segment_directions[self.segment]
        along = float(offset @ direction)
        distance = self._distance(point, self.segment)
        left_of_path = direction[0] * offset[1] - direction[1] * offset[0] >= 0
        inside = min(max(along, 0.0), float(path.segment_lengths[self.segment]))
        progress = self._lap * path.length + float(path.segment_starts[self.segment]) + inside
        gained = 0.0 if self._progress is None else progress - self._progress
        self._progress = progress
        heading_error = float(wrap(yaw - np.arctan2(direction[1], direction[0])))
        weights = self.weights
        return Tracking(
            segment=self.segment,
            cross_track=distance if left_of_path else -distance,
            progress=progress,
            fraction=progress / path.length,
            heading_error=heading_error,
            step_cost=weights.distance * distance - weights.progress * gained + weights.heading * abs(heading_error),
            finished=not path.closed and progress >= path.length,
        )

    def _advance(self, point: np.ndarray) -> None:
        """Move to the nearest of the current and the next segments; of a tie (beyond a corner) to the later one."""
        path, nearest, ahead = self.path, 0, 0
        shortest, searched = self._distance(point, self.segment), 0.0
        while ahead == 0 or searched < SEARCH_AHEAD:
            ahead += 1
            following = self.segment + ahead
            if ahead >= path.segments or (not path.closed and following >= path.segments):
                break
            distance = self._distance(point, following % path.segments)
            searched += float(path.segment_lengths[following % path.segments])
            if distance <= shortest + SAME:
                nearest, shortest = ahead, distance
        laps, self.segment = divmod(self.segment + nearest, path.segments)
        self._lap += laps

    def _distance(self, point: np.ndarray, segment: int) -> float:
        """Return the distance of a point to a segment [m]."""
        direction = self.path.segment_directions[segment]
        offset = point - self.path.waypoints[segment]
        along = min(max(float(offset @ direction), 0.0), float(self.path.segment_lengths[segment]))
        return float(np.hypot(*(offset - along * direction)))
