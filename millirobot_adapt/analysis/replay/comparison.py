"""Compare what was recorded with what came out again: bit for bit, or within a stated tolerance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class Tolerance:
    """Largest difference that another machine may make: absolute, plus relative to the recorded value."""

    absolute: float
    relative: float


TOLERANCES: dict[str, Tolerance] = {
    'odometry': Tolerance(1e-6, 1e-6),
    'state': Tolerance(1e-6, 1e-6),
    'setpoint': Tolerance(0.01, 0.0),
    'plan': Tolerance(0.01, 0.0),
    'number': Tolerance(1e-3, 1e-3),
}
"""By kind of value, in its own unit: setpoints and planned actions in rad/s, states and odometry in SI.

About thirty times what other kernels made of the mock's runs (the graph without optimisation; weights off by half a
unit in the last place: plans 4e-4, costs 1e-4); the estimator, plain floating point, differs in the last digits alone.
"""


def close(recorded: ArrayLike, replayed: ArrayLike, kind: str) -> bool:
    """Tell whether two arrays of one shape agree within the tolerance of their kind; NaN agrees with NaN."""
    allowed = TOLERANCES[kind]
    return bool(np.allclose(replayed, recorded, rtol=allowed.relative, atol=allowed.absolute, equal_nan=True))


@dataclass(frozen=True)
class Difference:
    """One value that did not come out as it was recorded."""

    what: str
    """The thing and its number: `tick 37`."""
    stamp: float
    """[s since the epoch]."""
    field: str
    recorded: FloatArray
    replayed: FloatArray

    def worst(self) -> tuple[str, float, float]:
        """Return the name, recorded and replayed value of the element that differs most."""
        recorded, replayed = np.atleast_1d(self.recorded), np.atleast_1d(self.replayed)
        if recorded.shape != replayed.shape:
            return f'{self.field}: length', float(recorded.size), float(replayed.size)
        gap = np.abs(replayed - recorded)
        # A number against NaN differs more than any two numbers do.
        gap = np.where(np.isnan(gap), np.where(np.isnan(recorded) & np.isnan(replayed), 0.0, np.inf), gap)
        place = np.unravel_index(int(gap.argmax()), gap.shape)
        index = ', '.join(map(str, place))
        name = self.field if recorded.size == 1 else f'{self.field}[{index}]'
        return name, float(recorded[place]), float(replayed[place])


class ReplayComparison:
    """Count what was compared and what could not be, and keep the first difference in time."""

    def __init__(self, exact: bool) -> None:
        """Compare bit for bit if `exact`, else within `TOLERANCES`."""
        self.exact = exact
        self.compared: Counter[str] = Counter()
        """By thing: ticks, setpoints, odometries."""
        self.left_out: Counter[tuple[str, str]] = Counter()
        """By thing and reason."""
        self.largest: dict[str, float] = {}
        """Largest difference seen of each kind of value."""
        self.first: Difference | None = None

    def leave_out(self, things: str, reason: str, count: int = 1) -> None:
        """Count things that cannot be compared."""
        if count:
            self.left_out[things, reason] += count

    def check(
        self, what: str, stamp: float, field: str, recorded: ArrayLike, replayed: ArrayLike, kind: str = 'number'
    ) -> bool:
        """Compare one value or array; returns whether it came out again."""
        old, new = np.asarray(recorded, dtype=float), np.asarray(replayed, dtype=float)
        same = old.shape == new.shape and old.tobytes() == new.tobytes()
        if not same and not self.exact and old.shape == new.shape:
            same = self._close(old, new, kind)
        if not same and (self.first is None or stamp < self.first.stamp):
            self.first = Difference(what, stamp, field, old, new)
        return same

    def _close(self, old: FloatArray, new: FloatArray, kind: str) -> bool:
        finite = np.isfinite(old) & np.isfinite(new)
        if finite.any():
            gap = float(np.abs(new - old)[finite].max())
            self.largest[kind] = max(gap, self.largest.get(kind, 0.0))
        return close(old, new, kind)

    def figures(self) -> dict[str, Any]:
        """Return counts, tolerance and difference as plain values."""
        return {
            'exact': self.exact,
            'tolerance': None if self.exact else {kind: vars(value) for kind, value in TOLERANCES.items()},
            'largest_difference': None if self.exact else dict(self.largest),
            'compared': dict(self.compared),
            'not_compared': [
                {'what': things, 'count': count, 'why': reason} for (things, reason), count in self.left_out.items()
            ],
            'difference': None if self.first is None else _plain(self.first),
        }


def _plain(difference: Difference) -> dict[str, Any]:
    name, recorded, replayed = difference.worst()
    return {
        'what': difference.what,
        'stamp': difference.stamp,
        'field': name,
        'recorded': _json(recorded),
        'replayed': _json(replayed),
    }


def _json(number: float) -> float | str:
    """Return a JSON number; one that is not finite in words."""
    return number if np.isfinite(number) else str(number)
