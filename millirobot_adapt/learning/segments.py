"""Cut rollouts into segments of T1 past and H future transitions, and normalise once, from the training part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.kinematics import body_state, change_of_state
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.rollout_file import CollectedRollouts

VALIDATION_PART = 0.1
_STRETCH, _STRETCHES = 96, 64
"""Further transitions before those of a segment in a stretch, and how many stretches are kept."""
_SMALLEST_SPREAD = 1e-6
"""A column that spreads over less, relative to its size where that is above 1, is constant."""
_NO_INFLUENCE = 1e9
"""Scale of an input that was constant in training: what it does is not known, so it must not matter."""


@dataclass(frozen=True)
class Segments:
    """B pieces of L consecutive transitions, seen from the robot."""

    body: Tensor
    """Body states (learning/kinematics.py), shape (B, L + 1, body)."""
    actions: Tensor
    """Actions, shape (B, L, nu)."""
    displacement: Tensor
    """Forward, lateral [m] and turn [rad] of each transition, shape (B, L, 3)."""

    def __len__(self) -> int:
        return len(self.body)

    @property
    def change(self) -> Tensor:
        """The targets (core/dynamics/targets.py) of each transition, shape (B, L, targets)."""
        return torch.cat([self.displacement, self.body.diff(dim=1)], dim=-1)

    def part(self, rows: Tensor | slice) -> Segments:
        """Take some of the segments."""
        return Segments(self.body[rows], self.actions[rows], self.displacement[rows])

    def divide(self, now: int) -> tuple[Segments, Segments]:
        """Divide each segment into its first `now` transitions and the rest; the state between belongs to both."""
        past = Segments(self.body[:, : now + 1], self.actions[:, :now], self.displacement[:, :now])
        return past, Segments(self.body[:, now:], self.actions[:, now:], self.displacement[:, now:])

    def joined(self, *others: Segments) -> Segments:
        """Return these segments followed by the others."""
        parts = (self, *others)
        return Segments(
            torch.cat([each.body for each in parts]),
            torch.cat([each.actions for each in parts]),
            torch.cat([each.displacement for each in parts]),
        )


@dataclass(frozen=True)
class DataSet:
    """Segments for training and for validation."""

    training: Segments
    validation: Segments
    normalisation: Normalisation
    stretches: Segments | None = None
    """Longer pieces of the validation part, for methods that carry what they learn; None: the validation segments."""


@dataclass(frozen=True)
class Split:
    """Which rollouts are for training and which for validation: whole rollouts, never parts of one."""

    training: np.ndarray
    validation: np.ndarray

    def extended(self, count: int, generator: np.random.Generator) -> Split:
        """Divide `count` more rollouts; a training rollout never becomes a validation rollout."""
        order = len(self.training) + len(self.validation) + generator.permutation(count)
        held_out = round(VALIDATION_PART * count)
        return Split(np.append(self.training, order[held_out:]), np.append(self.validation, order[:held_out]))


def split_rollouts(count: int, generator: np.random.Generator) -> Split:
    """Divide `count` rollouts 90/10; at least one is for validation."""
    order = generator.permutation(count)
    held_out = max(1, round(VALIDATION_PART * count))
    return Split(order[held_out:], order[:held_out])


def make_data_set(rollouts: CollectedRollouts, length: int, split: Split) -> DataSet:
    """Cut segments of `length` transitions, all valid.

    Raises:
        UserError: a part holds no segment of that length.
    """
    parts = (cut(rollouts, split.training, length), cut(rollouts, split.validation, length))
    if not any(len(part) for part in parts):
        raise UserError(f'the data hold no unbroken {length} transitions; collect more, or longer rollouts')
    if not all(len(part) for part in parts):
        raise UserError(
            f'the data hold too few rollouts with {length} unbroken transitions to learn from some and validate on '
            'others; collect more (a recorded walk is cut into rollouts of 20 s)'
        )
    stretches = _longest(rollouts, split.validation, length)
    return DataSet(*parts, normalise(rollouts, split.training), stretches)


def cut(rollouts: CollectedRollouts, chosen: np.ndarray, length: int) -> Segments:
    """Cut every segment of `length` valid consecutive transitions from the chosen rollouts (they overlap)."""
    states = torch.from_numpy(rollouts.states[chosen]).double()
    layout = rollouts.layout
    body = body_state(states, layout).float()
    displacement = change_of_state(states[:, :-1], states[:, 1:], layout)[..., :3].float()
    actions = torch.from_numpy(rollouts.actions[chosen]).float()
    valid = torch.from_numpy(rollouts.valid[chosen])
    if valid.shape[1] < length:
        keep = torch.zeros(len(valid), 0, dtype=torch.bool)
        length = valid.shape[1]
    else:
        keep = valid.unfold(1, length, 1).all(-1)

    def windows(values: Tensor, rows: int) -> Tensor:
        return values.unfold(1, rows, 1).transpose(2, 3)[:, : keep.shape[1]][keep]

    return Segments(windows(body, length + 1), windows(actions, length), windows(displacement, length))


def _longest(rollouts: CollectedRollouts, chosen: np.ndarray, length: int) -> Segments:
    """Cut some of the longest pieces there are of `length` transitions and up to 96 before them, evenly spread."""
    further, found = _STRETCH, cut(rollouts, chosen, length + _STRETCH)
    while further and not len(found):
        further //= 2
        found = cut(rollouts, chosen, length + further)
    return found.part(slice(0, None, max(1, len(found) // _STRETCHES)))


def normalise(rollouts: CollectedRollouts, chosen: np.ndarray) -> Normalisation:
    """Compute mean and standard deviation of features and targets over the chosen rollouts' valid transitions."""
    singles = cut(rollouts, chosen, 1)
    features = torch.cat([singles.body[:, 0], singles.actions[:, 0]], dim=-1)
    change = singles.change[:, 0]
    feature_scale = torch.where(is_constant(features), _NO_INFLUENCE, features.std(0))
    # A target that was constant is predicted as that; its errors count in SI units.
    target_scale = torch.where(is_constant(change), 1.0, change.std(0))
    return Normalisation(features.mean(0), feature_scale, change.mean(0), target_scale)


def is_constant(columns: Tensor) -> Tensor:
    """Tell which columns of (N, n) never vary, shape (n,)."""
    least, most = columns.amin(0), columns.amax(0)
    return most - least < _SMALLEST_SPREAD * torch.maximum(most.abs(), torch.ones_like(most))
