"""A network with fixed parameters, ready to plan with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from millirobot_adapt.core.dynamics.engine import run, to_engine


@dataclass(frozen=True)
class RolloutModel:
    """The graph rollout.onnx with one set of parameters; holding it costs nothing beyond the parameters."""

    session: InferenceSession
    theta: Mapping[str, OrtValue]

    def rollout(self, state: NDArray[np.floating], actions: NDArray[np.floating]) -> NDArray[np.float32]:
        """Roll K sequences of H actions (H, K, nu) [rad/s] to states (H + 1, K, nx).

        `state` is one state for all, shape (nx,), or one for each sequence, shape (K, nx).
        """
        inputs = dict(self.theta)
        inputs['state'] = to_engine(np.atleast_2d(state))
        inputs['actions'] = to_engine(actions)
        states: NDArray[np.float32] = run(self.session, inputs)[0].numpy()
        return states
