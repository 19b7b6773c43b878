"""Draw, bound and score candidates on a device: what `core/planning/optimize.py` needs to search there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from millirobot_adapt.core.planning.costs.term import TERMS
from millirobot_adapt.core.planning.objective import Numbers, TrackingObjective, total_cost
from millirobot_adapt.core.planning.planner_interface import Objective
from millirobot_adapt.core.planning.projection import PathWindow
from millirobot_adapt.core.planning.reference_path import Polyline
from millirobot_adapt.core.planning.sequences import Bounds
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.safety.polygon import Polygon
from millirobot_adapt.device.captured import Captured

AHEAD = (32, 128)
"""Sizes to which the segments within reach are filled up, so that few shapes are captured."""
WHOLE = (1024, 16384)
"""The same for the segments of the whole path."""


def to_host(tensor: Tensor) -> FloatArray:
    """Return a tensor's numbers as an array of numpy, in double precision."""
    return np.asarray(tensor.detach().cpu().numpy(), dtype=float)


def to_device(numbers: NDArray[np.floating], beside: Tensor) -> Tensor:
    """Return numbers as a tensor on the device of another one."""
    return torch.tensor(numbers, device=beside.device)


class DevicePlace:
    """Candidates are tensors of `device`, in double precision but for the network's."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._scores: dict[Any, Captured] = {}
        self._bounds: dict[bytes, DeviceBounds] = {}

    def put(self, array: FloatArray) -> Tensor:
        """Return an array as a tensor."""
        return torch.tensor(array, device=self._device)

    def bounds(self, bounds: Bounds) -> Bounds:
        """Return the bounds of candidates that are tensors; equal bounds share what was captured."""
        numbers = (bounds.low, bounds.high, bounds.slew, bounds.neutral)
        key = np.concatenate(numbers).tobytes()
        if key not in self._bounds:
            self._bounds[key] = DeviceBounds(*map(self.put, numbers))
        return self._bounds[key]

    def draws(self, generator: np.random.Generator) -> DeviceDraws:
        """Return a source of random tensors that depends on the generator's next number alone."""
        return DeviceDraws(int(generator.integers(2**63)), self._device)

    def objective(self, objective: Objective) -> Objective:
        """Return the objective for candidates that are tensors.

        One that is no `TrackingObjective` gets its arrays on the host, and its costs are brought back.
        """
        if isinstance(objective, TrackingObjective):
            return self._tracking(objective)
        return lambda states, actions: self.put(objective(to_host(states), to_host(actions)))

    def _tracking(self, objective: TrackingObjective) -> Objective:
        window, numbers, fence = objective.window, objective.numbers, objective.config.polygon
        used = tuple(index for index, weight in enumerate(numbers.weights) if weight != 0.0)
        key = (used, numbers.pace is None, window.path.closed, fence.corners.tobytes())
        if key not in self._scores:
            closed, paced = window.path.closed, numbers.pace is not None

            def function(given: Mapping[str, Tensor]) -> list[Tensor]:
                return [total_cost(given['states'], given['actions'], *_scene(given, closed, used, paced, fence))]

            self._scores[key] = Captured(function, self._device)
        score, scene = self._scores[key], {name: self.put(array) for name, array in _arrays(objective).items()}
        return lambda states, actions: score(states=states, actions=actions, **scene)[0]


def _arrays(objective: TrackingObjective) -> dict[str, FloatArray]:
    """Return the numbers of an objective that may differ from tick to tick, filled up to sizes that are captured."""
    window, numbers = objective.window, objective.numbers
    path = window.path
    ahead, whole = _size(window.segments.shape[1], AHEAD), _size(len(path.starts), WHOLE)
    segments = np.zeros((len(window.segments), ahead))
    segments[2], segments[4], segments[5], segments[6] = 1.0, 1.0, np.inf, 1.0
    segments[:, : window.segments.shape[1]] = window.segments
    points, directions, starts = np.zeros((whole, 2)), np.zeros((whole, 2)), np.full(whole, np.inf)
    for filled, rows in ((points, path.points), (directions, path.directions), (starts, path.starts)):
        filled[: len(rows)] = rows
    pace = 0.0 if numbers.pace is None else numbers.pace
    single = [window.origin, window.credit, path.length, pace, numbers.turn_length, numbers.fence_margin]
    return {
        'segments': segments, 'points': points, 'directions': directions, 'starts': starts,
        'numbers': np.array([*single, *numbers.weights], dtype=float),
    }  # fmt: skip


def _scene(
    given: Mapping[str, Tensor], closed: bool, used: tuple[int, ...], paced: bool, fence: Polygon
) -> tuple[PathWindow, Polygon, Numbers]:
    """Return the arguments of `total_cost` behind states and actions."""
    origin, credit, length, pace, turn_length, fence_margin, *weights = given['numbers'].unbind()
    path = Polyline(given['points'], given['directions'], given['starts'], length, closed)
    window = PathWindow(path, given['segments'], origin, credit)
    taken = tuple(weights[index] if index in used else 0.0 for index in range(len(TERMS)))
    return window, fence, Numbers(taken, pace if paced else None, turn_length, fence_margin)


def _size(count: int, sizes: tuple[int, ...]) -> int:
    """Return the first size that is enough; beyond the last one, the count itself."""
    return next((size for size in sizes if size >= count), count)


class DeviceBounds(Bounds):
    """Bounds of candidates that are tensors."""

    _keep: Callable[..., list[Tensor]]

    def __init__(self, low: Tensor, high: Tensor, slew: Tensor, neutral: Tensor) -> None:
        super().__init__(low, high, slew, neutral)
        object.__setattr__(self, '_keep', Captured(self._kept, low.device))

    def keep(self, actions: Tensor) -> Tensor:
        """Return sequences with each action clipped to what the one before allows; see `Bounds.keep`."""
        return self._keep(actions=actions)[0]

    def _kept(self, given: Mapping[str, Tensor]) -> list[Tensor]:
        first, *rows = given['actions'].unbind()
        kept, before = [first], first.clamp(self.low, self.high)
        for row in rows:
            low, high = torch.maximum(self.low, before - self.slew), torch.minimum(self.high, before + self.slew)
            before = torch.minimum(torch.maximum(row, low), high)
            kept.append(before)
        return [torch.stack(kept)]


class DeviceDraws:
    """Random tensors, by the names of numpy's generator as far as samplers use them."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._device = device
        self._generator = torch.Generator(device).manual_seed(seed)

    def standard_normal(self, shape: tuple[int, ...]) -> Tensor:
        """Draw from the normal distribution of variance 1."""
        return torch.randn(shape, generator=self._generator, dtype=torch.float64, device=self._device)

    def random(self, shape: tuple[int, ...]) -> Tensor:
        """Draw evenly from [0, 1)."""
        return torch.rand(shape, generator=self._generator, dtype=torch.float64, device=self._device)
