"""What an adaptation method takes and gives: a window of transitions in, a model to plan with out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.arrays import Array
from millirobot_adapt.core.dynamics.graph_check import GraphTrial
from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class Window:
    """The last T1 transitions, oldest first; rows that are not there yet have mask 0 and hold zeros.

    Row i says: in state states[i] the robot executed actions[i] for one control period and came to next_states[i].
    """

    states: FloatArray
    """Shape (T1, nx)."""
    actions: FloatArray
    """What was really sent [rad/s], shape (T1, nu)."""
    next_states: FloatArray
    """Shape (T1, nx)."""
    mask: FloatArray
    """1 where the row holds a transition, else 0, shape (T1,)."""


class AdaptedModel(Protocol):
    """A model with fixed parameters, ready to plan with."""

    def rollout(self, state: FloatArray, actions: Array) -> Array:
        """Roll K sequences of H actions, shape (H, K, nu), from one state, shape (nx,), to states (H + 1, K, nx).

        Row 0 of the result is `state` repeated K times; states[h + 1] follows actions[h]. Actions that are an array of
        the model's device give states that are; otherwise states are an array of numpy, in single precision.
        """


class Value(Protocol):
    """An array as graphs take and give it: it stays where it was computed until somebody reads it."""

    def numpy(self) -> NDArray[Any]:
        """Return the numbers, on the host."""


Graph: TypeAlias = Callable[[Mapping[str, Value]], Sequence[Value]]
"""A graph of a bundle: inputs by their names to all outputs in their order."""


class Engine(Protocol):
    """A way to evaluate the network on many candidates (fp32, int8, ...), and where it runs."""

    def load(self, theta: Mapping[str, Value]) -> AdaptedModel:
        """Return the model with these parameters, named as in theta.npz, ready to roll out."""

    def value(self, array: NDArray[np.floating]) -> Value:
        """Return an array, in single precision, as a value that this engine's graphs take."""

    def graph(self, name: str, trials: Sequence[GraphTrial]) -> Graph:
        """Return another graph of the bundle, ready to run where this engine runs.

        Raises:
            UserError: the bundle has no such graph, or one that does not fit the trials (`graph_check.py`).
        """


@dataclass(frozen=True)
class Adaptation:
    """What one adaptation did."""

    model: AdaptedModel
    """theta', ready to roll out."""
    loss_before: float
    """Mean squared normalised error over the window with theta*."""
    loss_after: float
    """The same with theta'."""
    gradient_norm: float
    """Norm of the gradient where the step began; 0 without one."""
    step: float
    """Fraction of the nominal inner step really taken (1 = whole, 0 = none: guard or no adaptation)."""


class Method(Protocol):
    """An adaptation method (mb, grbal, ...)."""

    window_length: int
    """T1."""
    prior: AdaptedModel
    """theta*, the model before adaptation."""
    carries: bool
    """Whether an adaptation depends on those before it since `reset`, and not on its window alone."""

    def reset(self) -> None:
        """Forget everything learned since the start (a new run)."""

    def adapt(self, window: Window) -> Adaptation:
        """Adapt to the window; the first of a run, with an empty window (all mask 0), gives theta* itself."""
