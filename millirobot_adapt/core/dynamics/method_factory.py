"""Choose an adaptation method by its name."""

from __future__ import annotations

from collections.abc import Callable

from millirobot_adapt.core.dynamics.bundle import Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.grbal import Grbal
from millirobot_adapt.core.dynamics.mb import ModelBased
from millirobot_adapt.core.dynamics.mb_de import DynamicEvaluation
from millirobot_adapt.core.dynamics.method_interface import Method
from millirobot_adapt.core.dynamics.rebal import Rebal
from millirobot_adapt.core.dynamics.rls import RecursiveLeastSquares
from millirobot_adapt.core.errors import UserError

METHODS: dict[str, Callable[[Bundle, EngineConfig], Method]] = {
    'mb': ModelBased,
    'mb_de': DynamicEvaluation,
    'grbal': Grbal,
    'grbal_literal': Grbal,  # the graphs differ
    'rebal': Rebal,
    'rls': RecursiveLeastSquares,
}


def make_method(bundle: Bundle, config: EngineConfig, method: str = '') -> Method:
    """Make the method the bundle was trained for, or another one by name (e.g. 'mb' on a grbal bundle: theta* alone).

    Raises:
        UserError: the method is unknown, or the bundle lacks a graph that it needs.
    """
    name = method or bundle.method
    if name not in METHODS:
        raise UserError(f'method {name!r} is not known; choose one of {", ".join(METHODS)}')
    return METHODS[name](bundle, config)
