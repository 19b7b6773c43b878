"""Follow a path with the robot: where along it, how far off, what the step cost, and how the walk ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from millirobot_adapt.core.geometry import wrap
from millirobot_adapt.core.planning.projection import CREDIT, GAIN, PathPosition, PathWindow
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray, StateView

LONGEST_STEP = 0.3
"""A pose that is farther than this from the one before [m] is a jump: no more counts as walked."""
ALONGSIDE = 0.05
"""A run starts on the first part of the path that is at most this much farther away than the nearest one [m]."""
LOST = 0.5
"""A robot farther from its place on the path than this [m] ..."""
LOST_STEPS = 10
"""... for this many steps in a row is lost: it re-enters at the nearest point that it has not passed."""
AT_END = 0.05
"""The end is reached where so little of the path is left [m], or, of a path shorter than 1 m, so small a part of it."""
LEFT_OUT = 0.1
"""A run that left out more than this part of its path when it re-entered has not walked it."""


@dataclass(frozen=True)
class StepWeights:
    """Weights of the executed cost: distance [1/m], progress [1/m], heading [1/rad]."""

    distance: float = 50.0
    progress: float = 10.0
    heading: float = 5.0


STEP_WEIGHTS: dict[str, StepWeights] = {'zigzag': StepWeights(40.0, 10.0, 10.0)}
"""The paper's weights by shape; every other shape has the default ones."""


@dataclass(frozen=True)
class Ending:
    """When a run along a path is over."""

    tolerance: float = 0.3
    """A path is finished only this near to its end [m]."""
    patience: float = np.inf
    """Steps without `least_progress` after which the run is given up."""
    least_progress: float = 0.1
    """[m]"""


@dataclass(frozen=True)
class Tracking:
    """Where the robot stands on the path after one step."""

    position: PathPosition
    """Where the objective of the next plan begins."""
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
    left_out: float
    """What was left out of the path where a lost robot re-entered it, so far [m]."""
    finished: bool
    """The end of an open path is reached, and the path was walked."""
    failed: str
    """Why the run is over without that; '' otherwise."""


class PathTracker:
    """Keep the place on the path and move it on by what the robot can have walked (`projection`).

    The cost of a step is the paper's (GrBAL, appendix; lower is better):

        w_p |cross-track| - w_b (progress gained) + w_h |heading error|

    The lab counts progress as the fraction of a waypoint segment and leaves it out on the step that enters a new one;
    its segments are about 1 m long, so fractions are metres there. Here progress is arc length in metres, which is the
    same on 1 m segments and does not depend on how densely a curve is sampled. The first step gains nothing, and no
    step loses progress.
    """

    def __init__(self, path: ReferencePath, shape_weights: bool = True, ending: Ending | None = None) -> None:
        """Start on `path`.

        Args:
            path: The path.
            shape_weights: Weights of the paper for the shape; False: the same for every shape, so that costs compare.
            ending: When the run is over; None: at the end of the path, without a time-out.
        """
        self.path = path
        self.weights = STEP_WEIGHTS.get(path.name, StepWeights()) if shape_weights else StepWeights()
        self._ending = ending or Ending()
        self._position: PathPosition | None = None
        self._last = np.zeros(2)
        self._lost = 0
        self._left_out = 0.0
        self._mark, self._waited = 0.0, 0

    def update(self, state: FloatArray) -> Tracking:
        """Take the robot's next state, shape (nx,)."""
        view = StateView(state)
        return self.update_pose(view.position, float(view.yaw))

    def update_pose(self, position: ArrayLike, yaw: float) -> Tracking:
        """Take the robot's next position [m; world], shape (2,) or more (x and y are used), and yaw [rad]."""
        point = np.asarray(position, dtype=float)[:2]
        before = self._position
        here = PathPosition(self._start(point), 0.0) if before is None else self._advanced(before, point)
        here = self._re_entered(here, point)
        self._position, self._last = here, point
        gained = 0.0 if before is None else here.arc_length - before.arc_length
        self._wait(here.arc_length)
        return self._tracking(here, point, yaw, gained)

    def _tracking(self, here: PathPosition, point: FloatArray, yaw: float, gained: float) -> Tracking:
        path, weights = self.path, self.weights
        segment = path.segment_at(here.arc_length)
        direction = path.segment_directions[segment]
        offset = point - path.at(np.array(here.arc_length))
        distance = float(np.hypot(*offset))
        left_of_path = direction[0] * offset[1] - direction[1] * offset[0] >= 0
        heading_error = float(wrap(yaw - np.arctan2(direction[1], direction[0])))
        at_end = self._near_end(here.arc_length) and distance <= self._ending.tolerance
        walked = self._left_out <= LEFT_OUT * path.length
        return Tracking(
            position=here,
            segment=segment,
            cross_track=distance if left_of_path else -distance,
            progress=here.arc_length,
            fraction=here.arc_length / path.length,
            heading_error=heading_error,
            step_cost=weights.distance * distance - weights.progress * gained + weights.heading * abs(heading_error),
            left_out=self._left_out,
            finished=at_end and walked,
            failed='' if at_end and walked else self._failure(here, distance, at_end),
        )

    def _failure(self, here: PathPosition, distance: float, at_end: bool) -> str:
        if at_end:
            return f'the end of the path is reached, but {self._left_out:.1f} m of it were left out'
        if self._waited > self._ending.patience:
            return (
                f'no progress along the path any more: {here.arc_length:.2f} of {self.path.length:.2f} m done, '
                f'{distance:.2f} m from the path'
            )
        return ''

    def _start(self, point: FloatArray) -> float:
        """Return where a run from `point` starts: the first part of the path that is about as near as the nearest one.

        A robot that stands at the end of an open path starts at its beginning.
        """
        ends, arc_lengths, distances = self._nearest_of_parts(point, 0.0)
        index = int(np.argmax(distances <= distances.min() + ALONGSIDE))
        # Go on to the nearest place of this pass: a bend is made of many parts.
        while (
            index + 1 < len(distances)
            and arc_lengths[index] >= ends[index + 1] - 1e-9
            and distances[index + 1] < distances[index]
        ):
            index += 1
        start = float(arc_lengths[index])
        return 0.0 if self._near_end(start) else start

    def _advanced(self, before: PathPosition, point: FloatArray) -> PathPosition:
        """Project the next point and keep as credit what was walked without progress."""
        walked = min(float(np.hypot(*(point - self._last))), LONGEST_STEP)
        window = PathWindow.ahead(self.path, before, CREDIT + GAIN * LONGEST_STEP)
        found = window.project(point[:1], point[1:], np.array([walked]))
        arc_length = self._up_to_end(float(found.arc_length[0]))
        gained = arc_length - before.arc_length
        return PathPosition(arc_length, float(np.clip(before.credit + GAIN * walked - gained, 0.0, CREDIT)))

    def _re_entered(self, here: PathPosition, point: FloatArray) -> PathPosition:
        """Let a robot that has been lost for long enough go on from the nearest point that it has not passed."""
        distance = float(np.hypot(*(point - self.path.at(np.array(here.arc_length)))))
        self._lost = self._lost + 1 if distance > LOST else 0
        if self._lost < LOST_STEPS:
            return here
        self._lost = 0
        _, arc_lengths, distances = self._nearest_of_parts(point, here.arc_length)
        nearest = int(distances.argmin())
        if distances[nearest] > distance - ALONGSIDE:
            return here
        self._left_out += float(arc_lengths[nearest]) - here.arc_length
        return PathPosition(float(arc_lengths[nearest]), 0.0)

    def _nearest_of_parts(self, point: FloatArray, start: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Divide the path from `start` on (one lap) into straight parts.

        Returns:
            Their ends (N + 1,), and of each part the place nearest to the point and its distance, (N,) each [m].
        """
        path = self.path
        knots = path.knots[0]
        ends = np.append(knots, knots[1:] + path.length) if path.closed else knots
        last = start + path.length if path.closed else path.length
        ends = np.concatenate(([start], ends[(ends > start + 1e-9) & (ends < last - 1e-9)], [max(last, start + 1e-9)]))
        points = path.at(ends)
        vectors = np.diff(points, axis=0)
        share = np.einsum('ij,ij->i', point - points[:-1], vectors) / np.maximum((vectors**2).sum(axis=1), 1e-18)
        share = np.clip(share, 0.0, 1.0)
        near = points[:-1] + share[:, None] * vectors
        return ends, ends[:-1] + share * np.diff(ends), np.hypot(*(point - near).T)

    def _near_end(self, arc_length: float) -> bool:
        length = self.path.length
        return not self.path.closed and arc_length >= length - min(AT_END, AT_END * length)

    def _up_to_end(self, arc_length: float) -> float:
        return arc_length if self.path.closed else min(arc_length, self.path.length)

    def _wait(self, arc_length: float) -> None:
        """Count the steps since the last progress."""
        if arc_length >= self._mark + self._ending.least_progress:
            self._mark, self._waited = arc_length, 0
        else:
            self._waited += 1
