"""Write the reference of the command line from its parser: python -m millirobot_adapt.app.command_reference.

It prints docs/commands.md, which a test compares with what it prints.
"""

from __future__ import annotations

import argparse

from millirobot_adapt.app.main import GROUPS, make_parser
from millirobot_adapt.app.parser import CommandParser

HEAD = """# Commands

Generated from the parser: `python -m millirobot_adapt.app.command_reference > docs/commands.md`.

`make env` puts the command at `.venv/bin/millirobot`; `. .venv/bin/activate` puts it on the PATH. In a built workspace
that is sourced it is `ros2 run millirobot_adapt millirobot`. Exit codes: 0 done, 1 a check failed, 2 bad input, 130
interrupted. A word that is mistyped is answered with the nearest right one. Let the shell complete commands, options
and names:

    eval "$(millirobot completion bash)"    # or zsh; in ~/.bashrc every shell has it

"""


def reference() -> str:
    """Return the page, in Markdown: a table of each group, then every command with its options."""
    parser = make_parser()
    parts = [HEAD]
    for title, (purpose, names) in GROUPS.items():
        parts.append(f'**{title}**: {purpose}\n\n| command | does |\n|---|---|')
        parts += [
            f'| [`millirobot {full}`](#{_anchor(full)}) | {help_text} |'
            for name in names
            for full, help_text in _rows(name, parser)
        ]
        parts.append('')
    for name, command in parser.leaves():
        parts.append(_command(name, command))
    return '\n'.join(parts)


def _anchor(name: str) -> str:
    """Return the anchor of a command's heading."""
    return f'millirobot-{name.replace(" ", "-")}'


def _rows(name: str, parser: CommandParser) -> list[tuple[str, str]]:
    """Return the commands of a name, and what each does in one line."""
    below = parser.commands[name]
    if not below.commands:
        return [(name, _cell(parser.summaries[name]))]
    return [(f'{name} {each}', _cell(below.summaries[each])) for each in below.commands]


def _command(name: str, command: CommandParser) -> str:
    parts = [f'## millirobot {name}\n', f'{command.description or ""}\n']
    if command.arguments:
        parts.append('| argument | what |\n|---|---|')
        parts += [f'| `{_name(action)}` | {_cell(_help(action))} |' for action in command.arguments]
        parts.append('')
    if command.epilog:
        parts.append(f'{command.epilog}\n')
    return '\n'.join(parts)


def _name(action: argparse.Action) -> str:
    """Return how an argument is written."""
    metavar = action.metavar if action.metavar is not None else '{' + ','.join(map(str, action.choices or ())) + '}'
    if isinstance(metavar, tuple):
        metavar = ' '.join(metavar)
    if metavar == '{}':
        metavar = action.dest.upper()
    if not action.option_strings:
        return f'{metavar} ...' if action.nargs in ('+', '*') else metavar
    return action.option_strings[0] if action.nargs == 0 else f'{action.option_strings[0]} {metavar}'


def _help(action: argparse.Action) -> str:
    text = action.help or ''
    return text % {'default': action.default, 'prog': 'millirobot'} if '%(' in text else text


def _cell(text: str) -> str:
    """Return a text as it may stand in a cell of a table."""
    return ' '.join(text.replace('|', '\\|').replace('<', '&lt;').split())


if __name__ == '__main__':
    print(reference(), end='')
