"""Predict rollouts with networks that have not seen them: one network a fold, trained on the other folds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.learning.loss import open_loop, poses
from millirobot_adapt.learning.methods.mb import ModelBasedLearner
from millirobot_adapt.learning.rollout_file import CollectedRollouts
from millirobot_adapt.learning.segments import VALIDATION_PART, DataSet, cut, normalise
from millirobot_adapt.learning.train import Trainer
from millirobot_adapt.learning.train_config import TrainConfig


class HeldOutConfig(Config):
    """How the networks are trained."""

    folds: int = param(3, 'Parts into which the rollouts are divided.', low=2, high=20)
    horizon: int = param(5, 'H: steps that are predicted, and that the loss looks at.', low=1, high=50)
    hidden: tuple[int, ...] = param((64, 64), 'Units of each hidden layer.', low=1)
    steps: int = param(700, 'Gradient steps at most.', low=1)
    seed: int = param(0, 'Seed of folds, networks and batches.', low=0)


def predict_held_out(
    rollouts: CollectedRollouts, config: HeldOutConfig, dt: float, on_fold: Callable[[], object] = lambda: None
) -> np.ndarray:
    """Return where each state leads in `horizon` steps, seen from it: forward, left [m], turn [rad].

    Returns:
        Shape (N, L - H + 1, 3); NaN where one of the transitions is not valid. Row (n, k) was predicted, from state k
        under the executed actions, by a network that saw nothing of rollout n.
    """
    count, length = rollouts.valid.shape
    predicted = np.full((count, length - config.horizon + 1, 3), np.nan)
    order = generator(config.seed).permutation(count)
    for held_out in np.array_split(order, config.folds):
        others = np.setdiff1d(order, held_out, assume_unique=True)
        predicted[held_out] = _predict(rollouts, others, held_out, config, dt)
        on_fold()
    return predicted


def _predict(
    rollouts: CollectedRollouts, training: np.ndarray, held_out: np.ndarray, config: HeldOutConfig, dt: float
) -> np.ndarray:
    """Train on some rollouts and predict the others."""
    checked = max(1, round(VALIDATION_PART * len(training)))
    chosen = generator(config.seed, 1).permutation(training)
    length = 1 + config.horizon
    data = DataSet(
        training=cut(rollouts, chosen[checked:], length),
        validation=cut(rollouts, chosen[:checked], length),
        normalisation=normalise(rollouts, chosen[checked:]),
    )
    settings = TrainConfig(
        method='mb', hidden=config.hidden, window=1, horizon=config.horizon, steps=config.steps, seed=config.seed
    )
    model = Trainer(settings, data, dt).run(lambda step, line: None)
    assert isinstance(model, ModelBasedLearner)
    predicted = np.full((len(held_out), rollouts.valid.shape[1] - config.horizon + 1, 3), np.nan)
    for row, rollout in enumerate(held_out):
        segments = cut(rollouts, np.array([rollout]), config.horizon)
        keep = torch.from_numpy(rollouts.valid[rollout]).unfold(0, config.horizon, 1).all(-1).numpy()
        if keep.any():
            with torch.no_grad():
                moved = open_loop(model.theta, data.normalisation, segments.body[:, :1], segments.actions, None)
                predicted[row, keep] = poses(moved)[:, -1].numpy()
    return predicted
