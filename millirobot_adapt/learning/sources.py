"""Gather what a model is trained on: files of rollouts, bags and run folders, one or many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from millirobot_adapt import __version__
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.bag_rollouts import read_bag
from millirobot_adapt.learning.rollouts import REQUIRED, Rollouts, concatenate, load_rollouts

COMMON = REQUIRED
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
    """Put rollouts of one robot one after the other (`rollouts.concatenate`), and say where each part comes from."""
    if len(parts) == 1:
        return parts[0]
    common: dict[str, Any] = {key: parts[0].metadata.get(key) for key in COMMON}
    sources = [{**part.metadata, 'sha256': part.digest()} for part in parts]
    estimators = {str(part.metadata.get('estimator')) for part in parts}
    return concatenate(
        parts, {**common, 'version': __version__, 'estimator': ', '.join(sorted(estimators)), 'sources': sources}
    )
