"""Build adapt.onnx: the inner update as one graph, for windows and hidden layers of any size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from millirobot_adapt.core.robot.state import NU, NX
from millirobot_adapt.learning.graphs import AdaptGraph
from millirobot_adapt.learning.network import Normalisation, Theta, theta_names
from millirobot_adapt.learning.tracing import trace


def adapt_graph(
    theta: Theta, normalisation: Normalisation, psi: Sequence[Tensor], window: int, *, guarded: bool = True
) -> bytes:
    """Build the graph of the update (learning/graphs.py: AdaptGraph); theta only lends its number of layers.

    Dimensions are named as in the rollout graphs; the window's length is T1.
    """
    names = theta_names(theta)
    rows = {'states': NX, 'actions': NU, 'next_states': NX}
    arguments = [*theta, *(torch.zeros(window, width) for width in rows.values()), torch.ones(window)]
    dynamic = {name: {0: 'T1'} for name in (*rows, 'mask')}
    last = len(theta) // 2 - 1
    for layer in range(last + 1):
        dynamic[f'w{layer}'] = {axis: f'width{layer + axis}' for axis in (0, 1) if 0 < layer + axis <= last}
        dynamic[f'b{layer}'] = {0: f'width{layer + 1}'} if layer < last else {}
    model = trace(
        AdaptGraph(normalisation, psi, guarded=guarded), arguments,
        [*names, *rows, 'mask'],
        [*(f'adapted_{name}' for name in names), 'loss_before', 'loss_after', 'gradient_norm', 'step'], dynamic,
    )  # fmt: skip
    return bytes(model.SerializeToString())
