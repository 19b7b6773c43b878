"""What a sitting of learning has kept of its legs, for the sitting that goes on with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.online.sitting_folder import LEGS
from millirobot_adapt.learning.rollout_file import CollectedRollouts, cut_walks, load_rollouts
from millirobot_adapt.learning.sources import read_walks

RANDOM = 'random'
"""The shape of a leg that was walked at random."""
WORTH = 1.0
"""A leg that was not kept is worth keeping if the robot was told to walk for so long in it [s]."""


def kept_legs(folder: Path) -> list[tuple[str, float]]:
    """Return the legs of a sitting in the order of their walking: shape, '' for a random one, and length [s].

    Raises:
        UserError: a leg cannot be read.
    """
    legs = [load_rollouts(path) for path in sorted((folder / LEGS).glob('*.npz'))]
    return [(_shape(leg), float(leg.valid.sum()) * float(leg.metadata['dt'])) for leg in legs]


def save_unkept(run: Path, legs: Path) -> Path | None:
    """Save the leg that was being walked when everything died: its states are in the bag, up to the last second.

    Args:
        run: Run folder of the sitting.
        legs: Folder with the legs that it kept, in which this one is saved as the last.

    Returns:
        The file; None: everything was kept, or the bag cannot be read.

    Raises:
        UserError: a leg cannot be read.
        OSError: the disk does not take it.
    """
    there = sorted(legs.glob('*.npz'))
    kept = [load_rollouts(path) for path in there]
    until = max((float(np.nanmax(leg.stamps)) for leg in kept), default=-np.inf)
    try:
        found = read_walks(run)
    except UserError:
        return None
    later = []
    for stamps, states, actions in found.walks:
        rows = np.asarray(stamps) > until
        if rows.sum() > 1:
            later.append((stamps[rows], states[rows], actions[rows]))
    if not later:
        return None
    length = max(len(stamps) for stamps, _, _ in later) - 1
    leg = cut_walks(later, length, found.robot, {**found.metadata, 'estimator': 'live', 'shape': RANDOM})
    if leg.valid.sum() * found.robot.dt < WORTH:
        return None
    path = legs / f'{len(there) + 1:04}.npz'
    leg.save(path)
    return path


def _shape(leg: CollectedRollouts) -> str:
    shape = str(leg.metadata.get('shape', RANDOM))
    return '' if shape == RANDOM else shape
