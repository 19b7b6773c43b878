"""ReBAL: a recurrent unit reads the window, and the network sees what it made of it (arXiv 1803.11347, section 4.2)."""

from __future__ import annotations

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, run, to_engine
from millirobot_adapt.core.dynamics.engines import make_engine
from millirobot_adapt.core.dynamics.interface import Adaptation, AdaptedModel, Window
from millirobot_adapt.core.dynamics.window import WINDOW_INPUTS, window_values


class Rebal:
    """Read the window by the graph context.onnx, which holds the recurrent unit; the context then stays as it is.

    Without a context the network is theta*; with one, the bias of its first layer is another. The graph refuses a
    context that does not explain the window better than none.
    """

    carries = False

    def __init__(self, bundle: Bundle, config: EngineConfig):
        self.window_length = bundle.window
        self._engine = make_engine(bundle, config)
        self._theta = {name: to_engine(array) for name, array in bundle.theta.items()}
        self.prior: AdaptedModel = self._engine.load(self._theta)
        self._session = bundle.session('context.onnx', {*bundle.theta, *WINDOW_INPUTS})

    def reset(self) -> None:
        """Nothing is carried from tick to tick: each reads its whole window anew."""

    def adapt(self, window: Window) -> Adaptation:
        """Return the network under the window's context; theta* where the window is empty or the context refused."""
        bias, before, after, taken = run(self._session, {**self._theta, **window_values(window)})
        model = self._engine.load({**self._theta, 'b0': bias}) if taken.numpy() else self.prior
        loss_before, loss_after, step = (float(value.numpy()) for value in (before, after, taken))
        return Adaptation(model, loss_before, loss_after, gradient_norm=0.0, step=step)
