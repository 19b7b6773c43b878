"""ReBAL: a recurrent unit reads the window, and its output conditions the network (arXiv 1803.11347, section 4.2)."""

from __future__ import annotations

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.graph_method import GraphMethod
from millirobot_adapt.core.dynamics.method_interface import Adaptation, Window


class Rebal(GraphMethod):
    """Read the window with the recurrent unit of the graph, and keep the resulting context for the whole horizon.

    Without a context the network is theta*; a context replaces the bias of its first layer. The graph refuses a context
    that does not explain the window better than none.
    """

    graph = 'context.onnx'

    @classmethod
    def outputs(cls, bundle: Bundle) -> list[tuple[int, ...]]:
        """Return the shapes that the graph gives: a context, both losses, whether it was taken."""
        return [bundle.theta['b0'].shape, (), (), ()]

    def adapt(self, window: Window) -> Adaptation:
        """Return the network under the window's context; theta* where the window is empty or the context refused."""
        bias, before, after, taken = self._run(self._theta, window)
        model = self._engine.load({**self._theta, 'b0': bias}) if taken.numpy() else self.prior
        loss_before, loss_after, step = (float(value.numpy()) for value in (before, after, taken))
        return Adaptation(model, loss_before, loss_after, gradient_norm=0.0, step=step)
