"""The parser of the command line: commands in groups, and a mistake answered with the nearest right word."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from millirobot_adapt.core.errors import did_you_mean

WIDTH = 100
"""Of the list of commands [characters]."""


class CommandParser(argparse.ArgumentParser):
    """A parser that answers for itself: its own usage, and the nearest of its own words.

    argparse lets the outermost parser complain about an option that no one knows, with the usage of that parser. And it
    lists every choice where the nearest one is what the user wants to read.
    """

    def __init__(self, groups: CommandGroups | None = None, **settings: Any) -> None:
        """Make a parser; the other settings are those of argparse.

        Args:
            groups: How the help lists the commands; None: as one list.
            settings: Of `argparse.ArgumentParser`.
        """
        super().__init__(**settings)
        self._groups = groups
        self._children: dict[str, CommandParser] = {}
        self._subparsers_action: Any = None

    @property
    def commands(self) -> dict[str, CommandParser]:
        """The parser of each subcommand, by name."""
        return self._children

    @property
    def summaries(self) -> dict[str, str]:
        """What each subcommand does in one line, by name."""
        listed = self._subparsers_action._choices_actions if self._subparsers_action else ()
        return {each.dest: each.help for each in listed}

    @property
    def arguments(self) -> list[argparse.Action]:
        """The arguments and options of this command, `--help` left out."""
        return [action for action in self._actions if '--help' not in action.option_strings]

    @property
    def options(self) -> dict[str, argparse.Action]:
        """The action of each option, such as `--seed`."""
        return {option: action for action in self._actions for option in action.option_strings}

    def add_subparsers(self, **settings: Any) -> Any:
        """Add subcommands; without one on its command line this parser prints its help and exits with 0."""
        if self._groups is not None:
            settings['help'] = argparse.SUPPRESS
        action = super().add_subparsers(**settings)
        self._children = action.choices
        self._subparsers_action = action
        return action if self._groups is None else self._groups.take(action)

    def leaves(self, prefix: str = '') -> Iterator[tuple[str, CommandParser]]:
        """Yield every command that runs something, one of a group as `group command`."""
        for name, parser in self._children.items():
            if parser.commands:
                yield from parser.leaves(f'{prefix}{name} ')
            else:
                yield f'{prefix}{name}', parser

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and complain here about what nobody knows."""
        given = list(sys.argv[1:] if args is None else args)
        if '_ARGCOMPLETE' in os.environ:  # it is the shell that asks, with half a line
            return super().parse_known_args(given, namespace)
        if self._children and not given:
            self.print_help()
            self.exit()
        if self._children and given[0].startswith('--') and given[0].partition('=')[0] not in self.options:
            self.error(f'{given[0]}: no such option here; options of a command come after the command')
        parsed, unknown = super().parse_known_args(given, namespace)
        if unknown:
            self.error(self._unknown(unknown))
        return parsed, unknown

    def _unknown(self, words: Sequence[str]) -> str:
        option = next((word for word in words if word.startswith('-')), None)
        if option is None:
            return f'{" ".join(words)}: too many arguments'
        name = option.partition('=')[0]
        return f'{name}: no such option{did_you_mean(name, self.options)}'

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        if isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(None, f'{value}: no such command{did_you_mean(value, action.choices)}')
        raise argparse.ArgumentError(action, f'{value!r} is not known{did_you_mean(str(value), action.choices)}')

    def error(self, message: str) -> NoReturn:
        """Print usage and message, exit with 2; the list of all commands is left to `--help`."""
        if self._children:
            self.exit(2, f'{self.prog}: error: {message} ({self.prog} --help lists all)\n')
        super().error(message)

    def format_help(self) -> str:
        """Lay out the help; where commands stand in groups, group by group."""
        if self._groups is None:
            return super().format_help()
        usage = f'usage: {self.prog} [-h] [--version] COMMAND ...\n'
        parts = [usage, textwrap.fill(self.description or '', WIDTH) + '\n', self._groups.text()]
        return '\n'.join([*parts, f'{self.epilog or ""}\n'])


class CommandGroups:
    """Stands in the place of what `add_subparsers` returns: takes commands, and lists them group by group."""

    def __init__(self, groups: Mapping[str, tuple[str, Sequence[str]]]) -> None:
        """Take the groups: title -> (what they are for, names of commands in order)."""
        self.groups = groups
        self._helps: dict[str, str] = {}
        self._action: Any = None

    def take(self, action: Any) -> CommandGroups:
        """Add commands to this action of argparse from now on."""
        self._action = action
        return self

    def add_parser(self, name: str, help: str = '', **settings: Any) -> CommandParser:
        """Add a command.

        Raises:
            ValueError: no group names it.
        """
        if not any(name in names for _, names in self.groups.values()):
            raise ValueError(f'command {name}: no group of GROUPS in app/main.py names it')
        self._helps[name] = help
        settings.setdefault('description', f'{help[:1].upper()}{help[1:]}.')
        parser: CommandParser = self._action.add_parser(name, help=help, **settings)
        return parser

    def text(self) -> str:
        """Lay out all groups."""
        indent = 2 + max(map(len, self._helps)) + 2
        blocks = []
        for title, (purpose, names) in self.groups.items():
            lines = [f'{title}: {purpose}']
            for name in names:
                words = textwrap.wrap(self._helps[name], WIDTH - indent)
                lines += [f'  {name:{indent - 2}}{words[0]}', *(' ' * indent + word for word in words[1:])]
            blocks.append('\n'.join(lines))
        return '\n\n'.join(blocks) + '\n'
