"""The parameters of learning in one sitting; how the network is trained stands in `TrainConfig`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millirobot_adapt.core.config import Config, param

SITTING_TRAINING: Mapping[str, Any] = {
    'method': 'rebal', 'short_windows': 0.25, 'hidden': (128, 128), 'context': 64, 'batch': 32, 'learning_rate': 0.003,
    'averaging': 0.99,
}  # fmt: skip
"""What a sitting trains with where `--set train.NAME=VALUE` says nothing else.

A gradient step of ReBAL takes much less time than GrBAL's, and one of a small network less still: beside a robot that
walks, the trainer has little of a processor and little data. Training goes on for as
long as the robot walks. By the loss on whole windows alone, theta* drifts to where no more than the step from it is any
good, and the robot walks with theta* whenever a run begins.
"""


class LearnConfig(Config):
    """Who walks when, what is held out, and when a model is served."""

    minutes: float = param(20.0, 'Learning ends after this time, walking or not.', unit='min', low=0.1, high=600.0)
    random_minutes: float = param(
        2.0, 'Time walked at random before the first model is trained.', unit='min', low=0.1, high=600.0
    )
    random_share: float = param(
        0.25, 'Part of the time walked at random once there is a model; along paths for the rest.', low=0.0, high=1.0
    )
    leg_seconds: float = param(
        10.0, 'Length of one random walk, and of one path, which most often leaves the circle within this time.',
        unit='s', low=2.0, high=600.0,
    )  # fmt: skip
    shapes: tuple[str, ...] = param(
        ('figure8_small', 'left', 'zigzag', 'straight'), 'Paths to walk, one after the other.'
    )
    held_out: int = param(8, 'Of this many pieces of 10 s each, one is held out of training.', low=2, high=100)
    recent: int = param(
        12, 'Held-out pieces that judge a model: the newest ones. The fewer, the sooner it follows a change.', low=1
    )
    memory: int = param(0, 'Newest pieces of 10 s that are trained on; 0: all.', low=0)
    epochs: float = param(
        8.0, 'Training waits for data after it has drawn each segment so many times on average: more of it learns '
        'the walks so far by heart.',
        low=0.1,
    )  # fmt: skip
    smoothing: float = param(
        0.6,
        'Weight of the past in the exponential average of the held-out error, above which training waits for new data.',
        low=0.0, high=0.99,
    )  # fmt: skip
    better: float = param(
        0.03, 'A model is served if its held-out error is less than that of the one in use by this part.',
        low=0.0, high=1.0,
    )  # fmt: skip
    serve_every: float = param(0.5, 'Least time between two models.', unit='min', low=0.0, high=600.0)
    niceness: int = param(10, 'By how much the trainer gives way to the control loop (nice).', low=0, high=19)
    seed: int = param(0, 'Seed of everything random.', low=0)
