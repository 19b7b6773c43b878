"""Choose an adaptation method by its name."""

from __future__ import annotations

from collections.abc import Callable

from millirobot_adapt.core.dynamics.bundle import MANIFEST, Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.grbal import Grbal, GrbalContext
from millirobot_adapt.core.dynamics.mb import ModelBased
from millirobot_adapt.core.dynamics.mb_de import DynamicEvaluation
from millirobot_adapt.core.dynamics.method_interface import Method
from millirobot_adapt.core.dynamics.rebal import Rebal
from millirobot_adapt.core.dynamics.rls import RecursiveLeastSquares
from millirobot_adapt.core.errors import UserError, did_you_mean
from millirobot_adapt.core.share import find, shipped_model
from millirobot_adapt.core.yaml_file import read_yaml

METHODS: dict[str, Callable[[Bundle, EngineConfig], Method]] = {
    'mb': ModelBased,
    'mb_aug': ModelBased,  # trained on disturbed segments
    'mb_de': DynamicEvaluation,
    'grbal': Grbal,
    'grbal_literal': Grbal,  # the graphs differ
    'rebal': Rebal,
    'snail': Rebal,  # attention reads the window
    'pearl': Rebal,  # a product of Gaussians does
    'grbal_context': GrbalContext,
    'rls': RecursiveLeastSquares,
}


def make_method(bundle: Bundle, config: EngineConfig, method: str = '') -> Method:
    """Make the method the bundle was trained for, or another one by name (e.g. 'mb' on a grbal bundle: theta* alone).

    Raises:
        UserError: the method is unknown, or the bundle lacks a graph that it needs.
    """
    return METHODS[check_method(method or bundle.method)](bundle, config)


def model_for_method(method: str, model: str, robot: str) -> str:
    """Return the model for a method that the user names without a model.

    It is `model`, the one in use, where that was trained for the method; else the one that ships for the method.

    Args:
        method: Name of the method.
        model: Name or folder of the bundle in use.
        robot: Name of the robot.

    Raises:
        UserError: no such method, no such model.
    """
    check_method(method)
    manifest = find('models', model) / MANIFEST
    if manifest.is_file() and read_yaml(manifest).get('method') == method:
        return model
    return shipped_model(robot, method)


def check_method(name: str) -> str:
    """Return the name of an adaptation method if there is one of that name.

    Raises:
        UserError: there is none; the message names the nearest.
    """
    if name not in METHODS:
        raise UserError(f'method {name!r} is not known{did_you_mean(name, METHODS)}')
    return name
