"""GrBAL: one gradient step from the meta-learned parameters at every tick (arXiv 1803.11347, equation 4)."""

from __future__ import annotations

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, run, to_engine
from millirobot_adapt.core.dynamics.engines import make_engine
from millirobot_adapt.core.dynamics.interface import Adaptation, AdaptedModel, Window
from millirobot_adapt.core.dynamics.window import WINDOW_INPUTS, window_values


class Grbal:
    """Adapt theta* to the window by the graph adapt.onnx: gradient, learned step sizes and the guard are inside."""

    carries = False

    def __init__(self, bundle: Bundle, config: EngineConfig):
        self.window_length = bundle.window
        self._engine = make_engine(bundle, config)
        self._theta = {name: to_engine(array) for name, array in bundle.theta.items()}
        self.prior: AdaptedModel = self._engine.load(self._theta)
        self._session = bundle.session('adapt.onnx', {*bundle.theta, *WINDOW_INPUTS})

    def reset(self) -> None:
        """Nothing is carried from tick to tick: every adaptation starts from theta*."""

    def adapt(self, window: Window) -> Adaptation:
        """Return theta' for the window; theta* where the window is empty or no step lowers its loss."""
        *adapted, before, after, norm, step = run(self._session, {**self._theta, **window_values(window)})
        theta = dict(zip(self._theta, adapted, strict=True))
        return Adaptation(self._engine.load(theta), *(float(value.numpy()) for value in (before, after, norm, step)))
