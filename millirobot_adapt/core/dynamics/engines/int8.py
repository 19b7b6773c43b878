"""int8: products of 8-bit integers between the hidden layers, where nearly all of the work is.

Weights are quantised anew after every adaptation, symmetrically, with a scale for each output; activations in the graph
(onnxruntime's DynamicQuantizeMatMul), with one scale for all candidates of a call. Results therefore depend on which
candidates share a call: the planner's chunk and the number of threads decide it. The network's clipped inputs bound how
far one wild candidate can stretch the scale of the others. First and last layer, small and touchy, stay in fp32.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnxruntime import OrtValue

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.cpu import has_int8_dot_products, saturates_int8_products
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.rollout import RolloutModel, ThreadPool

GRAPH = 'rollout_int8.onnx'
LEVELS = 127
"""Largest magnitude of a quantised weight."""
LEVELS_SATURATING = 63
"""The same where the CPU adds pairs of products in 16 bits: 2 * 255 * 127 would not fit, 2 * 255 * 63 does."""


class Int8Engine:
    """Run rollout_int8.onnx, whose products of hidden layers are of integers."""

    def __init__(self, bundle: Bundle, config: EngineConfig):
        layers = len(bundle.theta) // 2
        self._quantised = range(1, layers - 1)
        scales = {f's{layer}' for layer in self._quantised}
        session = bundle.session(GRAPH, {*bundle.theta, *scales, 'state', 'actions'}, config.provider)
        self._crew = ThreadPool(session, config.threads)
        self._levels = LEVELS_SATURATING if saturates_int8_products() else LEVELS
        if not has_int8_dot_products():
            logging.getLogger(__name__).warning(
                'engine.name = int8: this CPU has no 8-bit dot products (VNNI); fp32 may well be as fast here: compare '
                'them with `millirobot bench engine`'
            )

    def load(self, theta: Mapping[str, OrtValue]) -> RolloutModel:
        """Return the model with these parameters, quantised."""
        taken = dict(theta)
        for layer in self._quantised:
            weights, scales = quantise(theta[f'w{layer}'].numpy(), self._levels)
            taken[f'w{layer}'] = OrtValue.ortvalue_from_numpy(weights)
            taken[f's{layer}'] = OrtValue.ortvalue_from_numpy(scales)
        return RolloutModel(self._crew, taken)


def quantise(weights: NDArray[np.float32], levels: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return weights (inputs, outputs) as integers within +-levels, and each output's scale: weights ~ q * scale."""
    peak = np.maximum(weights.max(axis=0), -weights.min(axis=0))
    scales = np.maximum(peak / levels, np.finfo(np.float32).tiny).astype(np.float32)
    scaled = weights * (1 / scales)
    return np.rint(scaled, out=scaled).astype(np.int8), scales
