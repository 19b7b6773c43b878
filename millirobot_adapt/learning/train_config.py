"""The parameters of training; reading them needs no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.core.dynamics.method_factory import METHODS


class AugmentConfig(Config):
    """Standard deviations of the disturbances (all 0: no augmentation), and how many segments hold a change."""

    heading: float = param(0.2, 'Constant error of the measured heading.', unit='rad', low=0.0, high=1.5)
    forward: float = param(0.05, 'Constant forward velocity added.', unit='m/s', low=0.0, high=1.0)
    lateral: float = param(0.05, 'Constant lateral velocity added.', unit='m/s', low=0.0, high=1.0)
    speed_gain: float = param(0.15, 'Relative change of all velocity.', low=0.0, high=1.0)
    turn: float = param(0.5, 'Constant yaw rate added.', unit='rad/s', low=0.0, high=5.0)
    side: float = param(
        0.02,
        "Yaw rate added for each rad/s of a joint, such as a side's legs.",
        unit='(rad/s)/(rad/s)',
        low=0.0,
        high=1.0,
    )
    leg_gain: float = param(0.05, "Relative change of a joint's velocity.", low=0.0, high=1.0)
    change: float = param(
        0.0, 'Share of the segments whose disturbance is replaced by another one within the T1 past transitions.',
        low=0.0, high=1.0,
    )  # fmt: skip


class DynamicEvaluationConfig(Config):
    """What is tried for mb_de; the best is chosen on the validation part."""

    rates: tuple[float, ...] = param(
        (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3), 'Step sizes to try, each with and without the guard.', low=1e-9
    )


class LeastSquaresConfig(Config):
    """What is tried for rls; the best is chosen on the validation part."""

    discounts: tuple[float, ...] = param(
        (0.8, 0.9, 0.95, 0.98, 0.99, 1.0), 'Discounts to try: how much a transition counts after one more.',
        low=0.01, high=1.0,
    )  # fmt: skip
    prior_weights: tuple[float, ...] = param(
        (1.0, 3.0, 10.0, 30.0, 100.0), 'Weights of the prior to try, in transitions.', low=1e-3
    )
    ridge: float = param(1e-6, 'Added to the normalised second moments of the features.', low=0.0)


class TrainConfig(Config):
    """How a model is trained."""

    method: str = param('grbal', 'Method to train for.', choices=tuple(METHODS))
    seed: int = param(0, 'Seed of everything random.', low=0)
    threads: int = param(1, 'Threads of PyTorch; on a busy machine more than 1 is far slower.', low=1, high=64)
    hidden: tuple[int, ...] = param((256, 256, 256), 'Units of each hidden layer.', low=1, high=4096)
    window: int = param(24, 'T1: past transitions used to adapt.', low=1, high=500)
    horizon: int = param(15, 'T2: future transitions the loss looks at; the planning horizon.', low=1, high=100)
    batch: int = param(64, 'Segments in a batch.', low=1, high=10_000)
    steps: int = param(6000, 'Gradient steps at most.', low=1)
    check_every: int = param(100, 'Gradient steps between two looks at the validation part.', low=1)
    patience: int = param(12, 'Looks without a better result before training ends.', low=1)
    learning_rate: float = param(1e-3, "Adam's step size.", low=1e-6, high=1.0)
    averaging: float = param(
        0.0, 'Weight of the past in the moving average of the model over its gradient steps, which is what is looked '
        'at and kept; 0: the model of the last step.',
        low=0.0, high=0.9999,
    )  # fmt: skip
    gradient_clip: float = param(10.0, "Largest norm of a batch's gradient.", low=1e-3)
    inner_rate: float = param(0.1, 'Inner step size psi of every tensor at the start; learned.', low=1e-6)
    guard: bool = param(
        True, "Shorten an inner step that does not lower the window's loss, or leave it out; not for grbal_literal."
    )
    row_weights: bool = param(
        False, 'Learn how much each of the T1 past transitions counts in the inner step (grbal, grbal_context).'
    )
    clip: float = param(
        3.0, 'Normalised inputs are clipped here; 0: nowhere, as for grbal_literal.', unit='standard deviations',
        low=0.0,
    )  # fmt: skip
    context: int = param(128, 'Units of what reads the window (rebal, snail, pearl, grbal_context).', low=1, high=1024)
    short_windows: float = param(
        0.0, "Part of a batch whose windows miss rows, as in a run's first seconds (grbal; 0.3 for others if 0).",
        low=0.0, high=1.0,
    )  # fmt: skip
    open_loop: float = param(1.0, 'Weight of the open-loop loss, relative to the one-step loss.', low=0.0)
    augment: AugmentConfig = section(AugmentConfig, 'Disturbances in meta-training.')
    mb_de: DynamicEvaluationConfig = section(DynamicEvaluationConfig, 'What is tried for mb_de.')
    rls: LeastSquaresConfig = section(LeastSquaresConfig, 'What is tried for rls.')


FIXED = ('method', 'window', 'hidden', 'context', 'guard', 'row_weights', 'clip')
"""Parameters of training that an earlier model has fixed."""


def fixed_parameters(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `FIXED` that a model's record names: that of a training run, or a bundle's model.yaml."""
    trained = {'method': record['method'], **record.get('training', {}).get('parameters', {})}
    return {name: trained[name] for name in FIXED if name in trained}
