"""A sitting of learning that `learn.launch.py` asks for: what its arguments mean."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from millirobot_adapt.app.commands.learn_online import split_settings
from millirobot_adapt.app.learning_sitting import LearningSetup
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import UserError

OPTION = 'settings:='


def launched_setup(chosen: Mapping[str, str], mock: bool) -> LearningSetup:
    """Return what is learned; nothing moves before an operator arms the bridge.

    Args:
        chosen: The arguments of the launch file.
        mock: The mock takes the robot's place.

    Raises:
        UserError: a value is wrong, or there is nothing to go on with.
    """
    try:
        settings = shlex.split(chosen['settings'])
    except ValueError as error:
        raise UserError(f'{OPTION}{chosen["settings"]}: {error}') from None
    minutes, seed = (_number(chosen, name, kind) for name, kind in (('minutes', float), ('seed', int)))
    learn, train, others = split_settings(settings, minutes, int(seed or 0), OPTION)
    if others:
        raise UserError(f'{OPTION}{others[0]}: begins with neither learn. nor train.; nodes are set by params:=FILE')
    resume = Path(chosen['resume']) if chosen['resume'] else None
    setup = LearningSetup(chosen['robot'] or ControllerConfig.robot, mock, learn, train, resume, operator_arms=True)
    setup.check()
    return setup


def _number(chosen: Mapping[str, str], name: str, kind: type[float] | type[int]) -> float | None:
    if not chosen[name]:
        return None
    try:
        return kind(chosen[name])
    except ValueError:
        raise UserError(f'{name}:={chosen[name]}: is not of type {kind.__name__}') from None
