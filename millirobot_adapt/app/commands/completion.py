"""`millirobot completion`: let the shell complete commands, options and names."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from millirobot_adapt.app.commands.shared import add_command
from millirobot_adapt.core.errors import UserError

SHELLS = ('bash', 'zsh', 'fish')


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'completion', _run)
    parser.add_argument('shell', choices=SHELLS, nargs='?', default='bash', help='the shell (default: %(default)s)')


def _run(args: argparse.Namespace) -> int:
    """Print what lets the shell complete commands, options and names.

    Print the lines that let a shell complete the command `millirobot`. To have them in every shell: eval "$(millirobot
    completion bash)" in ~/.bashrc, with the path of the command where it is not on PATH.
    """
    try:
        import argcomplete
    except ModuleNotFoundError:
        raise UserError('argcomplete is not installed; run: pip install argcomplete') from None
    print(argcomplete.shellcode(['millirobot'], shell=args.shell))
    return 0


def complete(parser: Any) -> None:
    """Answer the shell and exit, where it is the shell that asks; else do nothing."""
    import argcomplete

    for _, command in parser.leaves():
        for action in command.arguments:
            name = action.option_strings[0] if action.option_strings else str(action.metavar)
            if name in NAMES:
                action.completer = NAMES[name]
    argcomplete.autocomplete(parser)


def _shipped(kind: str, suffix: str = '') -> Callable[..., Iterable[str]]:
    """Return what lists the names of shipped things."""

    def names(**_: Any) -> list[str]:
        from millirobot_adapt.core.share import share_dir

        return sorted(path.stem if suffix else path.name for path in (share_dir() / kind).glob(f'*{suffix}'))

    return names


def _shapes(**_: Any) -> Iterable[str]:
    from millirobot_adapt.core.planning.paths import SHAPES

    return SHAPES


def _methods(**_: Any) -> Iterable[str]:
    from millirobot_adapt.core.dynamics.method_factory import METHODS

    return METHODS


NAMES: dict[str, Callable[..., Iterable[str]]] = {
    '--model': _shipped('models'),
    '--condition': _shipped('params/conditions', '.yaml'),
    '--conditions': _shipped('params/conditions', '.yaml'),
    '--robot': _shipped('params/robots', '.yaml'),
    '--recipe': _shipped('params/training', '.yaml'),
    '--shape': _shapes,
    '--shapes': _shapes,
    '--trajectory': _shapes,
    '--method': _methods,
    '--versus': _methods,
    '--methods': _methods,
}
"""Options whose values are names -> what lists them."""
