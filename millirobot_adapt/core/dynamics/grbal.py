"""GrBAL: one gradient step from the meta-learned parameters at every tick (arXiv 1803.11347, equation 4)."""

from __future__ import annotations

from millirobot_adapt.core.dynamics.graph_method import GraphMethod
from millirobot_adapt.core.dynamics.method_interface import Adaptation, Window


class Grbal(GraphMethod):
    """Adapt theta* to the window. The graph holds the gradient, the learned step sizes and the guard."""

    graph = 'adapt.onnx'

    def adapt(self, window: Window) -> Adaptation:
        """Return theta' for the window; theta* where the window is empty or no step lowers its loss."""
        *adapted, before, after, norm, step = self._run(self._theta, window)
        theta = dict(zip(self._theta, adapted, strict=True))
        return Adaptation(self._engine.load(theta), *(float(value.numpy()) for value in (before, after, norm, step)))


class GrbalContext(Grbal):
    """Read the window with a recurrent unit, and take the step from the network that sees its context.

    The graph holds the unit, too, and refuses its context as rebal's does. The step that is reported is the gradient's:
    it can be 0 and theta' yet differ from theta*, by the context.
    """

    graph = 'context_adapt.onnx'
