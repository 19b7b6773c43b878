"""Look for data that would teach a model wrong things: refuse them, or say what is wrong with them."""

from __future__ import annotations

import torch

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.kinematics import body_state
from millirobot_adapt.learning.rollout_file import CollectedRollouts
from millirobot_adapt.learning.segments import is_constant

TURNS = 0.05
"""Legs turn if they reach this part of their setpoint in the median."""


def check_data(rollouts: CollectedRollouts) -> list[str]:
    """Return what is wrong with rollouts but can be learned from all the same, a line each.

    Raises:
        UserError: there is nothing to learn from, or it would teach a robot whose legs do not turn.
    """
    if not rollouts.valid.any():
        raise UserError('the data hold no valid transition; collect again, or name other data')
    states, layout = torch.from_numpy(rollouts.states[:, :-1][rollouts.valid]).double(), rollouts.layout
    columns = torch.cat(
        [body_state(states, layout), torch.from_numpy(rollouts.actions[rollouts.valid]).double()], dim=-1
    )
    by_name = dict(zip(layout.feature_names, columns.T, strict=True))
    for name, setpoint in by_name.items():
        leg = name.removesuffix('_setpoint')
        turned = by_name.get(f'{leg}_velocity')
        if name == leg or turned is None:
            continue
        typical, wanted = float(turned.abs().median()), float(setpoint.abs().median())
        if typical < TURNS * wanted:
            raise UserError(
                f'the {leg} legs did not turn in the data: {typical:.2f} rad/s for setpoints of {wanted:.1f} rad/s '
                '(medians); check motor and encoder, and collect again'
            )
    return [
        f'warning: {name} never varies in the data ({float(column[0]):.4g} throughout); the model ignores it and '
        f'cannot know what it does: {_remedy(name)}'
        for name, column in by_name.items()
        if bool(is_constant(column[:, None])[0])
    ]


def _remedy(name: str) -> str:
    if name.endswith('_setpoint'):
        return 'collect with setpoints that vary on both sides'
    return 'check the sensor it comes from'
