"""RLS: a linear model, fitted at every tick to the run so far with exponentially decreasing weights.

Exponentially weighted least squares with the training data as a prior (Haykin, Adaptive Filter Theory, ch. "The RLS
algorithm"). The prior is not forgotten as transitions are: so nothing winds up while the robot repeats one motion,
and a run begins at theta*. With discount lambda, prior weight m, and features x that end in a 1:

    S_k = lambda S_{k-1} + x_k x_k^T,    T_k = lambda T_{k-1} + x_k y_k^T
    W_k = (S_k + m R)^{-1} (T_k + m R W*),    R = E[x x^T] over the training data
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnxruntime import OrtValue

from millirobot_adapt.core.dynamics.bundle import MANIFEST, Bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig, run_graph, to_engine
from millirobot_adapt.core.dynamics.graph_check import GraphTrial
from millirobot_adapt.core.dynamics.graph_method import standing_window
from millirobot_adapt.core.dynamics.method_interface import Adaptation, AdaptedModel, Window
from millirobot_adapt.core.dynamics.rollout import make_engine
from millirobot_adapt.core.dynamics.window import NewRows, window_loss
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.state import FloatArray


class DiscountedLeastSquares:
    """The recursion above, in double precision; W (features, outputs) has the biases as its last row."""

    def __init__(self, prior: FloatArray, information: FloatArray, discount: float, prior_weight: float):
        self._discount = discount
        self._kept = prior_weight * information
        self._kept_product = self._kept @ prior
        self.reset()

    def reset(self) -> None:
        """Go back to the prior."""
        self._squares = np.zeros_like(self._kept)
        self._products = np.zeros_like(self._kept_product)

    def add(self, features: FloatArray, targets: FloatArray) -> None:
        """Take one transition: features (features,), targets (targets,)."""
        x = np.append(features, 1.0)
        self._squares = self._discount * self._squares + np.outer(x, x)
        self._products = self._discount * self._products + np.outer(x, targets)

    def solve(self) -> FloatArray:
        """Return W."""
        return np.asarray(np.linalg.solve(self._squares + self._kept, self._products + self._kept_product))


class RecursiveLeastSquares:
    """Fit the linear model of theta.npz (w0, b0) to the run so far; features.onnx computes its features."""

    carries = True

    def __init__(self, bundle: Bundle, config: EngineConfig):
        self.window_length = bundle.window
        self._engine = make_engine(bundle, config)
        self.prior: AdaptedModel = self._engine.load({name: to_engine(array) for name, array in bundle.theta.items()})
        self._model = self.prior
        self._fit = _fit(bundle)
        window = {name: rows for name, rows in standing_window(bundle).items() if name != 'mask'}
        trial = GraphTrial(window, [(bundle.window, size) for size in bundle.theta['w0'].shape])
        self._session = bundle.session('features.onnx', [trial])
        self._scale, self._layout = bundle.target_scale, bundle.layout
        self._new_rows = NewRows()

    def reset(self) -> None:
        """Go back to theta*."""
        self._fit.reset()
        self._new_rows.reset()
        self._model = self.prior

    def adapt(self, window: Window) -> Adaptation:
        """Take the transitions that came since the last window and solve; `gradient_norm` has no meaning here: 0."""
        new = self._new_rows.count(window)
        if new:
            rows = (to_engine(part) for part in (window.states, window.actions, window.next_states))
            inputs = dict(zip(('states', 'actions', 'next_states'), rows, strict=True))
            features, targets = (value.numpy().astype(float) for value in run_graph(self._session, inputs))
            for x, y in zip(features[-new:], targets[-new:], strict=True):
                if np.isfinite(x).all() and np.isfinite(y).all():  # a NaN would stay in the sums
                    self._fit.add(x, y)
            self._model = self._engine.load(_theta(self._fit.solve()))
        before, after = (window_loss(model, window, self._scale, self._layout) for model in (self.prior, self._model))
        return Adaptation(self._model, before, after, 0.0, float(new > 0))


def _theta(weights: FloatArray) -> dict[str, OrtValue]:
    return {'w0': to_engine(weights[:-1]), 'b0': to_engine(weights[-1])}


def _fit(bundle: Bundle) -> DiscountedLeastSquares:
    """Read the fit's prior and settings from the bundle.

    Raises:
        UserError: the manifest does not hold them, or theta.npz no linear model.
    """
    where = f'{bundle.path / MANIFEST}: adaptation'
    settings = bundle.manifest.get('adaptation')
    if set(bundle.theta) != {'w0', 'b0'} or not isinstance(settings, dict):
        raise UserError(f'{where}: the bundle holds no model for rls; train one with `millirobot train --method rls`')
    prior = np.vstack([bundle.theta['w0'], bundle.theta['b0']]).astype(float)
    try:
        information = np.array(settings['information'], dtype=float)
        discount, weight = float(settings['discount']), float(settings['prior_weight'])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f'{where}: is incomplete ({error}); export the model again') from None
    _check(where, 'discount', discount, 0 < discount <= 1, 'in (0, 1]')
    _check(where, 'prior_weight', weight, weight > 0, 'positive')
    square = information.shape == (len(prior), len(prior)) and bool(np.isfinite(information).all())
    positive = square and bool((np.linalg.eigvalsh(information) > 0).all())
    _check(where, 'information', information.tolist(), positive, f'a positive definite {len(prior)} x {len(prior)}')
    return DiscountedLeastSquares(prior, information, discount, weight)


def _check(where: str, name: str, value: Any, good: bool, wanted: str) -> None:
    if not good:
        raise UserError(f'{where}: {name} = {value!r} must be {wanted}; export the model again')
