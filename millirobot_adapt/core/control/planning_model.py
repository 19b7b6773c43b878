"""A model as the control loop uses it, and the check that a loaded one can be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.control.history import Transition
from millirobot_adapt.core.dynamics.bundle import Bundle, load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.dynamics.method_interface import AdaptedModel, Method, Window
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

PredictionError = Callable[[FloatArray, FloatArray, FloatArray], float]
"""Normalised error of (predicted next state, actual next state, state), each (nx,)."""


@dataclass(frozen=True, eq=False)
class PlanningModel:
    """An adaptation method with its model, and how errors of its predictions are measured."""

    method: Method
    prediction_error: PredictionError


@dataclass(frozen=True, eq=False)
class LoadedModel(PlanningModel):
    """A planning model that came from a bundle."""

    bundle: Bundle


def load_model(name: str, robot: RobotConfig, engine: EngineConfig, method: str = '') -> LoadedModel:
    """Load a bundle by its name or folder, with the method it was trained for or another one.

    Raises:
        UserError: it is not there, is damaged, does not fit the robot, or lacks a graph that the method needs.
    """
    bundle = load_bundle(name, robot)
    return LoadedModel(make_method(bundle, engine, method), bundle.prediction_error, bundle)


def error_of(measure: PredictionError, transition: Transition, model: AdaptedModel) -> float:
    """Return the normalised error of predicting one transition."""
    predicted = model.rollout(transition.state, transition.action.reshape(1, 1, -1))[1, 0]
    return measure(np.asarray(predicted, dtype=float), transition.next_state, transition.state)


def standing_state(layout: StateLayout) -> FloatArray:
    """Return the state of a robot that stands at the origin, shape (nx,)."""
    zeros, still = np.zeros(3), np.zeros(len(layout.joints))
    return layout.assemble(zeros, zeros, zeros, zeros, still, still, still, 4.0)


def try_model(model: LoadedModel, robot: RobotConfig, horizon: int, candidates: int) -> None:
    """Adapt to a window of a standing robot and roll out as many candidates as the planner will.

    What onnxruntime does on its first call at a size is done here, and not in a tick.

    Args:
        model: Is reset afterwards.
        robot: The robot.
        horizon: H.
        candidates: K, candidates in one rollout.

    Raises:
        UserError: an adaptation or a prediction is not finite.
    """
    layout, length = robot.layout, model.method.window_length
    state = standing_state(layout)
    low, high = layout.action_low, layout.action_high
    shares = np.linspace(0.0, 1.0, candidates)[:, None]
    actions = np.repeat((low + shares * (high - low))[None], horizon, axis=0)
    actions[0] = low
    states = np.tile(state, (length, 1))
    window = Window(states, np.tile(low, (length, 1)), states, np.ones(length))
    model.method.reset()
    adapted = model.method.adapt(window).model
    model.method.reset()
    for name, each in (('theta*', model.method.prior), ('the adapted model', adapted)):
        if not np.isfinite(each.rollout(state, actions)).all():
            raise UserError(
                f'{model.bundle.path}: {name} predicts nothing finite for a robot that stands; choose another model, '
                'or train this one again'
            )
