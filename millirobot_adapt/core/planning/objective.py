"""The cost of candidates for following a path: a weighted sum of the terms in `costs/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from millirobot_adapt.core.arrays import Array, namespace
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
        self.window = PathWindow.ahead(path, position, config.reach)
        self.numbers = Numbers(
            weights=tuple(config.weight(name) for name in TERMS),
            pace=config.speed * dt if config.speed else None,
            turn_length=config.turn_length,
            fence_margin=config.fence_margin,
        )

    def __call__(self, states: Array, actions: Array) -> FloatArray:
        """Return the cost of each candidate, shape (K,), from states (H + 1, K, nx) and actions (H, K, nu) [rad/s]."""
        return np.asarray(total_cost(states, actions, self.window, self.config.polygon, self.numbers))


@dataclass(frozen=True)
class Numbers:
    """The numbers of an objective; on a device they are arrays without a dimension."""

    weights: tuple[Array, ...]
    """Of every registered term, in their order; a term whose weight is the number 0 is left out."""
    pace: Array | None
    """Progress wanted in a step [m]; None: as much as can be."""
    turn_length: Array
    """[m]"""
    fence_margin: Array
    """[m]"""


def total_cost(states: Array, actions: Array, window: PathWindow, fence: Polygon, numbers: Numbers) -> Array:
    """Return the cost of each candidate, shape (K,), in double precision, from arrays of numpy or of a device.

    Args:
        states: Predicted, shape (H + 1, K, nx).
        actions: Shape (H, K, nu).
        window: The path ahead.
        fence: Where the robot may be.
        numbers: Weights, and what the terms need to know.
    """
    xp = namespace(states)
    x, y, cos_yaw, sin_yaw = (xp.asarray(states[:, :, column], dtype=xp.float64) for column in (X, Y, COS_YAW, SIN_YAW))
    walked = xp.zeros_like(x)
    walked[1:] = xp.cumsum(xp.hypot(xp.diff(x, axis=0), xp.diff(y, axis=0)), axis=0)
    candidates = Candidates(
        x=x,
        y=y,
        cos_yaw=cos_yaw,
        sin_yaw=sin_yaw,
        actions=actions,
        on_path=window.project(x, y, walked),
        turn_length=numbers.turn_length,
        pace=numbers.pace,
        fence=fence,
        fence_margin=numbers.fence_margin,
    )
    cost = xp.zeros_like(x[0])
    for weight, each in zip(numbers.weights, TERMS.values(), strict=True):
        if not (isinstance(weight, float) and weight == 0.0):
            cost += weight * each.term.score(candidates)
    return cost
