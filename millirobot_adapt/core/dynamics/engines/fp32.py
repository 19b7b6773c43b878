"""fp32: the network in 32-bit floating point."""

from __future__ import annotations

from collections.abc import Mapping

from onnxruntime import OrtValue

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.rollout import RolloutModel, ThreadPool


class Fp32Engine:
    """Run rollout.onnx, which takes the parameters as they are."""

    def __init__(self, bundle: Bundle, config: EngineConfig):
        session = bundle.session('rollout.onnx', {*bundle.theta, 'state', 'actions'}, config.provider)
        self._crew = ThreadPool(session, config.threads)

    def load(self, theta: Mapping[str, OrtValue]) -> RolloutModel:
        """Return the model with these parameters."""
        return RolloutModel(self._crew, theta)
