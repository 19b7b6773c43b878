"""Build features.onnx: what a network sees of transitions, and what it should have predicted."""

from __future__ import annotations

import torch

from millirobot_adapt.core.robot.state import NU, NX
from millirobot_adapt.learning.graphs import FeaturesGraph
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.tracing import trace


def features_graph(normalisation: Normalisation, window: int) -> bytes:
    """Build the graph (learning/graphs.py: FeaturesGraph) for windows of any length T1."""
    rows = {'states': NX, 'actions': NU, 'next_states': NX}
    arguments = [torch.zeros(window, width) for width in rows.values()]
    dynamic = {name: {0: 'T1'} for name in rows}
    model = trace(FeaturesGraph(normalisation), arguments, list(rows), ['features', 'targets'], dynamic)
    return bytes(model.SerializeToString())
