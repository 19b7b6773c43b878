"""The interface of a cost term, what a term may look at, and the register of all terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from millirobot_adapt.core.arrays import Array
from millirobot_adapt.core.config import Parameter, param
from millirobot_adapt.core.planning.projection import Projection
from millirobot_adapt.core.safety.polygon import Polygon


@dataclass(frozen=True)
class Candidates:
    """K candidates with all that the terms share about them.

    Arrays are numpy's where planning runs on the processor, and the device's where it runs there. A term that takes its
    functions from `core.arrays.namespace(candidates.x)` serves both.
    """

    x: Array
    """[m; world], shape (H + 1, K)."""
    y: Array
    """[m; world], shape (H + 1, K)."""
    cos_yaw: Array
    """Shape (H + 1, K)."""
    sin_yaw: Array
    """Shape (H + 1, K)."""
    actions: Array
    """[rad/s], shape (H, K, nu)."""
    on_path: Projection
    """Projection of all H + 1 points on the path."""
    turn_length: Array
    """Length of path in which the robot can turn [m]."""
    pace: Array | None
    """Progress wanted in a step [m]; None: as much as can be."""
    fence: Polygon
    """Where the robot may be."""
    fence_margin: Array
    """Distance to keep from the fence [m]."""


class CostTerm(Protocol):
    """One term of the objective."""

    @staticmethod
    def score(candidates: Candidates) -> Array:
        """Return the unweighted cost of each candidate, shape (K,)."""


@dataclass(frozen=True)
class Registered:
    """A term and the parameter that is its weight."""

    term: type[CostTerm]
    weight: Parameter
    """Field of the objective's configuration."""


TERMS: dict[str, Registered] = {}
"""Every term by the name of its weight, in the order of registration."""


_sealed = False


def seal() -> None:
    """Take no more terms: the objective has made a parameter of each."""
    global _sealed
    _sealed = True


def cost_term(name: str, *, weight: float, unit: str, doc: str) -> Callable[[type[CostTerm]], type[CostTerm]]:
    """Register a class as the term `name`.

    Args:
        name: Of the term, and of its weight under `objective`.
        weight: Default; 0 leaves the term out.
        unit: Of the weight: costs have no unit.
        doc: One sentence on the weight.

    Raises:
        ValueError: when the class is registered: there is a term of that name, or the objective exists already.
    """

    def register(term: type[CostTerm]) -> type[CostTerm]:
        if name in TERMS:
            raise ValueError(f'two cost terms are named {name}')
        if _sealed:
            raise ValueError(f'cost term {name}: register it before the first controller, plan or parameter is made')
        TERMS[name] = Registered(term, param(weight, doc, unit=unit, low=0.0, live='any'))
        return term

    return register
