"""Write the parameters of a file under their present names; comments, order and all other lines stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.parameter_file import VALUES, ParameterBlock, read_parameter_file
from millirobot_adapt.core.renames import RENAMES, Rename, as_recorded


@dataclass(frozen=True)
class Change:
    """One parameter, or group, that has another name now or is gone."""

    rename: Rename
    name: str
    first: int
    """Its first line, from 0."""
    last: int
    column: int
    value: Any
    inline: bool
    """Whether it stands within braces."""
    head: tuple[int, int]
    """Line and column of the first parameter of its block."""

    @property
    def says(self) -> str:
        """Say in words what becomes of it."""
        if not self.rename.new:
            return f'{self.name} is gone: {self.rename.instead}'
        return f'{self.name} is now {", ".join(self.rename.renewed(self.value))}'


def migrate(path: Path) -> tuple[str, list[str]]:
    """Return the text of a parameter file under the present names, and what was changed, in words.

    Raises:
        UserError: the file cannot be read; a line cannot be changed without its neighbours.
    """
    before = read_parameter_file(path)
    text = path.read_text(encoding='utf-8')
    changes = [change for node, body in _bodies(yaml.compose(text, yaml.SafeLoader)) for change in _changes(node, body)]
    made = '\n'.join([*_edited(text.splitlines(), changes, path), ''])
    if changes:
        _check(made, before.blocks, path)
    return made, [change.says for change in changes]


def _bodies(root: Any, name: str = '') -> Iterator[tuple[str, yaml.MappingNode]]:
    """Return the group of parameters of each block, with the name of its node."""
    for key, inner in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == VALUES and isinstance(inner, yaml.MappingNode):
            yield name, inner
        else:
            yield from _bodies(inner, key.value.rpartition('/')[2])


def _changes(node: str, body: yaml.MappingNode) -> Iterator[Change]:
    renames = [each for each in RENAMES if node in (each.node, '*', '**')]
    if not body.value:
        return
    head = body.value[0][0].start_mark

    def walk(group: yaml.MappingNode, prefix: str) -> Iterator[Change]:
        for key, inner in group.value:
            name = f'{prefix}{key.value}'
            is_group = isinstance(inner, yaml.MappingNode)
            rename = next((each for each in renames if each.is_about(f'{name}.' if is_group else name)), None)
            if rename is not None:
                yield Change(
                    rename, name, key.start_mark.line, _last_line(inner), key.start_mark.column,
                    yaml.SafeLoader('').construct_object(inner, deep=True), bool(group.flow_style),
                    (head.line, head.column),
                )  # fmt: skip
            elif is_group:
                yield from walk(inner, f'{name}.')

    yield from walk(body, '')


def _last_line(node: yaml.Node) -> int:
    """Return the last line of a value; the end of a block is where the next one begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line)


def _edited(lines: list[str], changes: list[Change], path: Path) -> list[str]:
    """Return the lines with all changes made: each line is replaced by none, one or several."""
    made = [[line] for line in lines]
    moved: dict[int, list[str]] = {}
    for change in changes:
        present = change.rename.renewed(change.value) if change.rename.new else {}
        old_group, _, key = change.name.rpartition('.')
        stays = {name.rpartition('.')[0] for name in present} == {old_group}
        if stays and change.rename.convert is None:  # only the key is another one, whatever stands beside it
            line = made[change.first][0]
            rest = line[change.column :].replace(key, change.rename.new.rpartition('.')[2], 1)
            made[change.first] = [line[: change.column] + rest]
            continue
        if change.inline:
            raise UserError(f'{path}: line {change.first + 1}: {change.says}; write one parameter a line, then again')
        for row in range(change.first, change.last + 1):
            made[row] = []
        if stays:
            made[change.first] = [
                _line(change.column, name.rpartition('.')[2], value, key) for name, value in present.items()
            ]
        else:  # a parameter of another group goes to the top of the block, under its dotted name
            row, column = change.head
            moved.setdefault(row, []).extend(_line(column, name, value, change.name) for name, value in present.items())
    return [line for row, new in enumerate(made) for line in (*moved.get(row, ()), *new)]


def _line(column: int, name: str, value: Any, former: str) -> str:
    return f'{" " * column}{name}: {_text(value)}  # was {former}'


def _text(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix('\n').removesuffix('\n...')


def _check(text: str, before: tuple[ParameterBlock, ...], path: Path) -> None:
    """Make sure that the new text holds what the old one did, under the present names.

    Raises:
        UserError: it does not.
    """
    scratch = path.with_name(f'.{path.name}.migrated')
    try:
        scratch.write_text(text, encoding='utf-8')
        after = {block.head: dict(block.values) for block in read_parameter_file(scratch).blocks}
    finally:
        scratch.unlink(missing_ok=True)
    for block in before:
        nodes = {each.node for each in RENAMES} if block.is_shared else {block.name}
        values = dict(block.values)
        for node in nodes:
            values = as_recorded(node, values)
        if after.get(block.head, {}) != values:
            raise UserError(
                f'{path}: the block {block.head.lstrip("/")} cannot be changed line by line; change it by hand'
            )
