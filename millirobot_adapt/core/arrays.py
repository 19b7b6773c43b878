"""One code for arrays of numpy and of a device: find the library that an array belongs to.

Code that planning shares between processor and device takes its functions from `namespace(array)`, and uses the names
that numpy (from 1.26 on) and the array API's view of the device's library have in common. On numpy arrays it computes
the same bits as code that is written for numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = Any
"""An array of numpy, or one of the same meaning on a device."""


@dataclass(frozen=True)
class Library:
    """A library whose arrays live on a device."""

    functions: Any
    """Module that follows the array API."""
    to_host: Callable[[Array], NDArray[np.float64]]
    """Returns an array's numbers on the host."""
    to_device: Callable[[NDArray[np.floating], Array], Array]
    """Returns numbers of the host as an array on the device of another array."""


_LIBRARIES: dict[type, Library] = {}


def register(kind: type, library: Library) -> None:
    """Let the functions of this module know arrays of the type `kind`."""
    _LIBRARIES[kind] = library


def namespace(array: Array) -> Any:
    """Return the module that computes with this array; numpy for whatever no library is registered for."""
    known = None if isinstance(array, np.ndarray) else _LIBRARIES.get(type(array))
    return np if known is None else known.functions


def on_host(array: Array) -> NDArray[np.float64]:
    """Return an array's numbers in double precision as an array of numpy."""
    known = _LIBRARIES.get(type(array))
    return np.asarray(array, dtype=float) if known is None else known.to_host(array)


def beside(array: Array, numbers: NDArray[np.floating]) -> Array:
    """Return numbers of the host as an array of the library and on the device of `array`."""
    known = _LIBRARIES.get(type(array))
    return numbers if known is None else known.to_device(numbers, array)


def stable_order(values: Array) -> Array:
    """Return the indices that sort values (N,); of equal values the earlier one stays first."""
    xp = namespace(values)
    return xp.argsort(values, kind='stable') if xp is np else xp.argsort(values, stable=True)


def quantile(ascending: Array, share: float) -> float:
    """Return a quantile of sorted values (N,), interpolated as `np.quantile` does it, to the last bit."""
    place = share * (len(ascending) - 1)
    before = int(place)
    low, high = float(ascending[before]), float(ascending[min(before + 1, len(ascending) - 1)])
    part = place - before
    return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part
