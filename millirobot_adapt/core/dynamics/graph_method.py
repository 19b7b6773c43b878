"""What methods share that adapt by one graph of their bundle: parameters and window in, adapted parameters out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from onnxruntime import OrtValue

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, run_graph, to_engine
from millirobot_adapt.core.dynamics.method_interface import AdaptedModel, Window
from millirobot_adapt.core.dynamics.rollout import make_engine

WINDOW_INPUTS = ('states', 'actions', 'next_states', 'mask')
"""The names of the graph's inputs for a window; the fields of `Window` have the same names."""


class GraphMethod:
    """Hold theta*, the engine that rolls it out, and the session of the graph that adapts it.

    Raises:
        UserError: the bundle lacks the graph, or the graph has other inputs.
    """

    carries = False
    graph: ClassVar[str]
    """File name of the graph in the bundle."""

    def __init__(self, bundle: Bundle, config: EngineConfig):
        self.window_length = bundle.window
        self._engine = make_engine(bundle, config)
        self._theta: dict[str, OrtValue] = {name: to_engine(array) for name, array in bundle.theta.items()}
        self.prior: AdaptedModel = self._engine.load(self._theta)
        self._session = bundle.session(self.graph, {*bundle.theta, *WINDOW_INPUTS})

    def reset(self) -> None:
        """Do nothing: every adaptation starts from theta*."""

    def _run(self, theta: Mapping[str, OrtValue], window: Window) -> Sequence[OrtValue]:
        """Return the outputs of the graph for these parameters and this window."""
        values = {name: to_engine(getattr(window, name)) for name in WINDOW_INPUTS}
        return run_graph(self._session, {**theta, **values})
