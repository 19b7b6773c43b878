"""MB: the model as it was trained, never adapted."""

from __future__ import annotations

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, to_engine
from millirobot_adapt.core.dynamics.method_interface import Adaptation, AdaptedModel, Window
from millirobot_adapt.core.dynamics.rollout import make_engine
from millirobot_adapt.core.dynamics.window import window_loss


class ModelBased:
    """Plan with theta*; the window only shows how well it predicts."""

    carries = False

    def __init__(self, bundle: Bundle, config: EngineConfig):
        self.window_length = bundle.window
        theta = {name: to_engine(array) for name, array in bundle.theta.items()}
        self.prior: AdaptedModel = make_engine(bundle, config).load(theta)
        self._scale, self._layout = bundle.target_scale, bundle.layout

    def reset(self) -> None:
        """Nothing is carried from tick to tick."""

    def adapt(self, window: Window) -> Adaptation:
        """Return theta* and its loss over the window (0 for an empty one)."""
        loss = window_loss(self.prior, window, self._scale, self._layout)
        return Adaptation(self.prior, loss_before=loss, loss_after=loss, gradient_norm=0.0, step=0.0)
