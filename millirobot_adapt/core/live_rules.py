"""Change parameters while a node runs: several at once or none, only those declared live, limits only tighter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from millirobot_adapt.core.config import Config, build, flatten, nest, parameters_of
from millirobot_adapt.core.errors import UserError, did_you_mean

C = TypeVar('C', bound=Config)


def live_parameters(cls: type[Config]) -> dict[str, str]:
    """Return the parameters that may change while the node runs, by dotted name: 'any', 'lower' or 'higher'."""
    return {name: parameter.live for name, parameter in parameters_of(cls) if parameter.live}


def live_values(config: Config) -> dict[str, Any]:
    """Return the values of the live parameters by dotted name."""
    values = flatten(config)
    return {name: values[name] for name in live_parameters(type(config))}


def changed(config: C, changes: Mapping[str, Any], source: str) -> C:
    """Return the configuration with other values of live parameters, given by dotted name.

    The result is checked as a whole: either all changes are made or, where one is wrong, none. A limit that may only
    become lower (or higher) is compared with the value in use, so a tightened limit stays tight until a restart.

    Raises:
        UserError: an unknown parameter, one that is not live, a limit that would be loosened, a wrong type, a value
            out of range.
    """
    live, values = live_parameters(type(config)), flatten(config)
    for name in changes:
        if name not in values:
            raise UserError(f'{source}: unknown parameter {name!r}{did_you_mean(name, values)}')
        if name not in live:
            raise UserError(f'{source}: {name} is read at the start; restart the node with another value')
    made = build(type(config), nest({**values, **changes}), source)
    wanted = flatten(made)
    for name in changes:
        before, now = values[name], wanted[name]
        if (live[name] == 'lower' and now > before) or (live[name] == 'higher' and now < before):
            raise UserError(
                f'{source}: {name} = {now} is looser than {before}; a limit can only be tightened while the node runs, '
                'to loosen it restart the node'
            )
    return made
