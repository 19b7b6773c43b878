"""Rollout engines: one way each to evaluate the network on many candidates."""

from __future__ import annotations

from collections.abc import Callable

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.engines.fp32 import Fp32Engine
from millirobot_adapt.core.dynamics.engines.int8 import Int8Engine
from millirobot_adapt.core.dynamics.interface import Engine

ENGINES: dict[str, Callable[[Bundle, EngineConfig], Engine]] = {'fp32': Fp32Engine, 'int8': Int8Engine}


def make_engine(bundle: Bundle, config: EngineConfig) -> Engine:
    """Make the engine that the parameters name.

    Raises:
        UserError: the bundle lacks its graph, or onnxruntime its provider.
    """
    return ENGINES[config.name](bundle, config)
