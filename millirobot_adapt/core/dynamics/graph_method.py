"""What methods share that adapt by one graph of their bundle: parameters and window in, adapted parameters out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.graph_check import GraphTrial
from millirobot_adapt.core.dynamics.method_interface import AdaptedModel, Value, Window
from millirobot_adapt.core.dynamics.rollout import make_engine

WINDOW_INPUTS = ('states', 'actions', 'next_states', 'mask')
"""The names of the graph's inputs for a window; the fields of `Window` have the same names."""


def standing_window(bundle: Bundle) -> dict[str, NDArray[np.float32]]:
    """Return `WINDOW_INPUTS` of a robot that stands at the origin for a whole window."""
    window, nx, nu = bundle.window, bundle.layout.nx, bundle.layout.nu
    rows = {'states': (window, nx), 'actions': (window, nu), 'next_states': (window, nx)}
    return {**{name: np.zeros(shape, np.float32) for name, shape in rows.items()}, 'mask': np.ones(window, np.float32)}


class GraphMethod:
    """Hold theta*, the engine that rolls it out, and the graph that adapts it.

    Raises:
        UserError: the bundle lacks the graph, or has another one of that name.
    """

    carries = False
    graph: ClassVar[str]
    """File name of the graph in the bundle."""

    def __init__(self, bundle: Bundle, config: EngineConfig):
        self.window_length = bundle.window
        self._engine = make_engine(bundle, config)
        self._theta: dict[str, Value] = {name: self._engine.value(array) for name, array in bundle.theta.items()}
        self.prior: AdaptedModel = self._engine.load(self._theta)
        trial = GraphTrial({**bundle.theta, **standing_window(bundle)}, self.outputs(bundle))
        self._adapt = self._engine.graph(self.graph, [trial])

    @classmethod
    def outputs(cls, bundle: Bundle) -> list[tuple[int, ...]]:
        """Return the shapes that the graph gives: here theta', both losses, the norm of the gradient, the step."""
        return [*(array.shape for array in bundle.theta.values()), (), (), (), ()]

    def reset(self) -> None:
        """Do nothing: every adaptation starts from theta*."""

    def _run(self, theta: Mapping[str, Value], window: Window) -> Sequence[Value]:
        """Return the outputs of the graph for these parameters and this window."""
        values = {name: self._engine.value(getattr(window, name)) for name in WINDOW_INPUTS}
        return self._adapt({**theta, **values})
