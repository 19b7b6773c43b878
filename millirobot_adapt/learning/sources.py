"""Gather what a model is trained on: files of rollouts, bags and run folders, one or many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.bag_rollouts import read_bag
from millirobot_adapt.learning.rollouts import Rollouts, load_rollouts

COMMON = ('robot', 'dt', 'origin')
"""What all data of one model must share: a model of a mixture would be one of neither."""


def load_data(paths: Sequence[Path]) -> Rollouts:
    """Read and join npz files that `collect` wrote, bags and run folders.

    Raises:
        UserError: one of them cannot be read; they are of different robots, or of robot and mock.
    """
    parts = [load_rollouts(path) if path.suffix == '.npz' else read_bag(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        for key in COMMON:
            first, own = parts[0].metadata.get(key), part.metadata.get(key)
            if own != first:
                raise UserError(f'{path}: {key} is {own!r}, but {first!r} in {paths[0]}; train on one kind of data')
    return join(parts)


def join(parts: Sequence[Rollouts]) -> Rollouts:
    """Put rollouts of one robot one after the other; shorter ones are filled up with transitions that are not valid."""
    if len(parts) == 1:
        return parts[0]
    length = max(part.valid.shape[1] for part in parts)
    common: dict[str, Any] = {key: parts[0].metadata.get(key) for key in COMMON}
    sources = [{**part.metadata, 'sha256': part.digest()} for part in parts]
    estimators = {str(part.metadata.get('estimator')) for part in parts}
    return Rollouts(
        np.concatenate([_longer(part.states, length + 1, np.nan) for part in parts]),
        np.concatenate([_longer(part.actions, length, np.nan) for part in parts]),
        np.concatenate([_longer(part.stamps, length + 1, np.nan) for part in parts]),
        np.concatenate([_longer(part.valid, length, False) for part in parts]),
        {**common, 'version': __version__, 'estimator': ', '.join(sorted(estimators)), 'sources': sources},
    )


def _longer(array: np.ndarray, length: int, filling: float) -> np.ndarray:
    """Make the rollouts of an array (N, L, ...) `length` long."""
    more = [(0, 0)] * array.ndim
    more[1] = (0, length - array.shape[1])
    return np.pad(array, more, constant_values=filling)
