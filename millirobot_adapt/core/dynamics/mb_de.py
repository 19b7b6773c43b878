"""MB+DE, dynamic evaluation: MB's network follows the robot by one gradient step at every tick, and never goes back.

The baseline of the GrBAL paper (arXiv 1803.11347; Krause et al., arXiv 1709.07432): a network not trained to be
adapted, a fixed rate, weights carried from tick to tick through the whole run.
"""

from __future__ import annotations

import logging
import math

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, run, to_engine
from millirobot_adapt.core.dynamics.engines import make_engine
from millirobot_adapt.core.dynamics.interface import Adaptation, AdaptedModel, Window
from millirobot_adapt.core.dynamics.window import WINDOW_INPUTS, NewRows, window_loss, window_values

EXPLODED = 100.0
"""Loss over the window [squared standard deviations of the targets] at which the carried weights are given up."""


class DynamicEvaluation:
    """Carry weights from tick to tick by the graph adapt.onnx, which holds the rate and, where it helped, a guard."""

    carries = True

    def __init__(self, bundle: Bundle, config: EngineConfig):
        self.window_length = bundle.window
        self._engine = make_engine(bundle, config)
        self._start = {name: to_engine(array) for name, array in bundle.theta.items()}
        self.prior: AdaptedModel = self._engine.load(self._start)
        self._session = bundle.session('adapt.onnx', {*bundle.theta, *WINDOW_INPUTS})
        self._scale = bundle.target_scale
        self._new_rows = NewRows()
        self.reset()

    def reset(self) -> None:
        """Go back to theta*."""
        self._theta = self._start
        self._model = self.prior
        self._new_rows.reset()

    def adapt(self, window: Window) -> Adaptation:
        """Take one step from the carried weights; none where no transition came since the last one.

        Weights that are not finite, or whose loss explodes, are given up for theta*: the step is then 0 and the loss
        after it is that of theta*.
        """
        before = window_loss(self.prior, window, self._scale)
        if not self._new_rows.count(window):
            return Adaptation(self._model, before, window_loss(self._model, window, self._scale), 0.0, 0.0)
        *stepped, _, after, norm, step = run(self._session, {**self._theta, **window_values(window)})
        loss = float(after.numpy())
        if not (math.isfinite(loss) and loss < EXPLODED):
            logging.getLogger(__name__).warning('mb_de: the carried weights diverged; starting again from theta*')
            self._theta, self._model = self._start, self.prior
            return Adaptation(self.prior, before, before, float(norm.numpy()), 0.0)
        self._theta = dict(zip(self._theta, stepped, strict=True))
        self._model = self._engine.load(self._theta)
        return Adaptation(self._model, before, loss, float(norm.numpy()), float(step.numpy()))
