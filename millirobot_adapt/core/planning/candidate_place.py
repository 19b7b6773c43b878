"""Where candidates live: in arrays of numpy on the host, or on the device that rolls them out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from millirobot_adapt.core.arrays import Array
from millirobot_adapt.core.planning.planner_interface import Objective
from millirobot_adapt.core.planning.sequences import Bounds
from millirobot_adapt.core.robot.layout import FloatArray


class CandidatePlace(Protocol):
    """Bring what a search begins with to where candidates live."""

    def put(self, array: FloatArray) -> Array:
        """Return an array of the host."""

    def bounds(self, bounds: Bounds) -> Bounds:
        """Return the bounds of the actions."""

    def draws(self, generator: np.random.Generator) -> Any:
        """Return what draws random numbers: `standard_normal` and `random`, as numpy's generator."""

    def objective(self, objective: Objective) -> Objective:
        """Return the objective."""


class Host:
    """The host itself: everything stays as it is."""

    def put(self, array: FloatArray) -> FloatArray:
        """Return the array."""
        return array

    def bounds(self, bounds: Bounds) -> Bounds:
        """Return the bounds."""
        return bounds

    def draws(self, generator: np.random.Generator) -> np.random.Generator:
        """Return the generator."""
        return generator

    def objective(self, objective: Objective) -> Objective:
        """Return the objective."""
        return objective


HOST = Host()
