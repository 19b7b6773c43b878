"""The cost of candidates for following a path: a weighted sum of the terms in `costs/`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.costs import load_terms
from millirobot_adapt.core.planning.costs.term import TERMS, Candidates, seal
from millirobot_adapt.core.planning.projection import PathPosition, PathWindow
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.layout import COS_YAW, SIN_YAW, FloatArray, X, Y
from millirobot_adapt.core.safety.polygon import Polygon

load_terms()
seal()

if TYPE_CHECKING:

    class TermWeights(Config):
        """The weight of every registered term."""
else:
    # One parameter a term: a new term needs no change here.
    _declared = {name: each.weight for name, each in TERMS.items()}
    TermWeights = type(Config)(
        'TermWeights', (Config,), {'__module__': __name__, '__annotations__': dict.fromkeys(TERMS, float), **_declared}
    )


class ObjectiveConfig(TermWeights):
    """The weight of every registered term (0 leaves it out) and what the terms need to know."""

    speed: float = param(
        0.0, 'Pace asked for: less and more progress both cost; 0: as fast as can be.', unit='m/s', low=0.0, high=5.0,
        live='any',
    )  # fmt: skip
    reach: float = param(1.0, 'Path ahead that candidates may be near.', unit='m', low=0.1, high=10.0)
    turn_length: float = param(
        0.3, 'Length of path over which the course term looks at its direction: what the robot can turn in.', unit='m',
        low=0.01, high=5.0,
    )  # fmt: skip
    fence_corners: tuple[float, ...] = param(
        (-1.4, -1.2, 2.5, 1.8), 'The fence, as in gate.fence of the bridge: a box, or corners (x, y, ...) in `world`.',
        unit='m',
    )  # fmt: skip
    fence_margin: float = param(
        0.2, "Distance to keep from the fence; more than the gate's, which stops the robot.", unit='m', low=0.0,
        high=2.0,
    )  # fmt: skip
    shape_weights: bool = param(True, 'Executed cost with the weights of the shape; false: equal for every shape.')

    def __post_init__(self) -> None:
        try:
            _ = self.polygon
        except UserError as error:
            raise UserError(f'fence_corners = {error}') from None

    def weight(self, term: str) -> float:
        """Return the weight of a cost term."""
        return float(getattr(self, term))

    @cached_property
    def polygon(self) -> Polygon:
        """What the fence encloses."""
        return Polygon(self.fence_corners)


class TrackingObjective:
    """Score candidates by how well they follow `path` from `position` on, with steps of `dt` [s]; lower is better.

    With weights path_distance 50, progress 10 and course 5 this is the lab's cost with course in place of yaw and
    metres in place of segment fractions.
    """

    def __init__(self, config: ObjectiveConfig, path: ReferencePath, position: PathPosition, dt: float) -> None:
        self.config = config
        self.pace = config.speed * dt if config.speed else None
        self.window = PathWindow(path, position, config.reach)
        self._terms = [(config.weight(name), each.term) for name, each in TERMS.items() if config.weight(name) > 0]

    def __call__(self, states: NDArray[np.floating], actions: FloatArray) -> FloatArray:
        """Return the cost of each candidate, shape (K,), from states (H + 1, K, nx) and actions (H, K, nu) [rad/s]."""
        x, y, cos_yaw, sin_yaw = (states[:, :, column].astype(float) for column in (X, Y, COS_YAW, SIN_YAW))
        walked = np.zeros_like(x)
        np.cumsum(np.hypot(np.diff(x, axis=0), np.diff(y, axis=0)), axis=0, out=walked[1:])
        candidates = Candidates(
            x=x,
            y=y,
            cos_yaw=cos_yaw,
            sin_yaw=sin_yaw,
            actions=actions,
            on_path=self.window.project(x, y, walked),
            turn_length=self.config.turn_length,
            pace=self.pace,
            fence=self.config.polygon,
            fence_margin=self.config.fence_margin,
        )
        cost = np.zeros(states.shape[1])
        for weight, term in self._terms:
            cost += weight * term.score(candidates)
        return cost
