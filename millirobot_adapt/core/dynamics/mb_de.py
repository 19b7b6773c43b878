"""MB+DE, dynamic evaluation: one gradient step on MB's network at every tick, and the result is kept for the next.

The baseline of the GrBAL paper (arXiv 1803.11347; Krause et al., arXiv 1709.07432): a network not trained to be
adapted, a fixed rate, weights carried from tick to tick through the whole run.
"""

from __future__ import annotations

import logging
import math

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.graph_method import GraphMethod
from millirobot_adapt.core.dynamics.method_interface import Adaptation, Window
from millirobot_adapt.core.dynamics.window import NewRows, window_loss

EXPLODED = 100.0
"""Loss over the window [squared standard deviations of the targets] from which on the carried weights are dropped."""


class DynamicEvaluation(GraphMethod):
    """Carry weights from tick to tick. The graph holds the rate and, in bundles where it helped, a guard."""

    carries = True
    graph = 'adapt.onnx'

    def __init__(self, bundle: Bundle, config: EngineConfig):
        super().__init__(bundle, config)
        self._scale, self._layout = bundle.target_scale, bundle.layout
        self._new_rows = NewRows()
        self.reset()

    def reset(self) -> None:
        """Go back to theta*."""
        self._carried = self._theta
        self._model = self.prior
        self._new_rows.reset()

    def adapt(self, window: Window) -> Adaptation:
        """Take one step from the carried weights; none when no transition has come since the last step.

        When the new weights are not finite or their loss explodes, theta* takes their place: the step is then 0 and the
        loss after it is that of theta*.
        """
        before = window_loss(self.prior, window, self._scale, self._layout)
        if not self._new_rows.count(window):
            return Adaptation(
                self._model, before, window_loss(self._model, window, self._scale, self._layout), 0.0, 0.0
            )
        *stepped, _, after, norm, step = self._run(self._carried, window)
        loss = float(after.numpy())
        if not (math.isfinite(loss) and loss < EXPLODED):
            logging.getLogger(__name__).warning('mb_de: the carried weights diverged; starting again from theta*')
            self._carried, self._model = self._theta, self.prior
            return Adaptation(self.prior, before, before, float(norm.numpy()), 0.0)
        self._carried = dict(zip(self._theta, stepped, strict=True))
        self._model = self._engine.load(self._carried)
        return Adaptation(self._model, before, loss, float(norm.numpy()), float(step.numpy()))
