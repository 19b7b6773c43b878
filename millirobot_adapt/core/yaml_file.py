"""Read YAML files so that every error is one line that names the file, the place and the fix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from millirobot_adapt.core.errors import UserError

_FastLoader: Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: ten times as fast."""


class _UniqueKeys:
    """Refuse a key given twice: the first value would be lost silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key_node, yaml.ScalarNode) and key in seen:
                raise yaml.MarkedYAMLError(problem=f'{key!r} is given twice', problem_mark=key_node.start_mark)
            seen.add(key if isinstance(key_node, yaml.ScalarNode) else id(key_node))
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)  # type: ignore[misc]
        return mapping


class _Strict(_UniqueKeys, yaml.SafeLoader):
    """The loader with clearer messages."""


class _FastStrict(_UniqueKeys, _FastLoader):
    """The loader for everything that is right."""


def parse_yaml(text: str | bytes) -> Any:
    """Parse YAML of plain values, as `yaml.safe_load` does, with libyaml where that is installed.

    Raises:
        yaml.YAMLError: it is no YAML, or asks for more than plain values.
    """
    return yaml.load(text, _FastLoader)


def _parse_strictly(text: str) -> Any:
    try:
        return yaml.load(text, _FastStrict)
    except yaml.YAMLError:
        return yaml.load(text, _Strict)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        UserError: the file is missing, unreadable, not YAML, or not a mapping.
    """
    try:
        content = _parse_strictly(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise UserError(f'{path}: no such file') from None
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror}') from None
    except UnicodeDecodeError:
        raise UserError(f'{path}: is not text in UTF-8; save it as such') from None
    except yaml.YAMLError as error:
        raise UserError(f'{path}: cannot be read as YAML: {_where_and_why(error)}') from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f'{path}: must hold a mapping of keys to values, not {type(content).__name__}')
    return content


def line_finder(path: Path) -> Callable[[Sequence[str | int]], int | None]:
    """Return what finds the line of a place, given by keys and numbers, in a YAML file; None where it knows of none.

    A place that is not there has the line of what should hold it.
    """

    def find(place: Sequence[str | int]) -> int | None:
        try:
            node = yaml.compose(path.read_text(encoding='utf-8'), _Strict)
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            return None
        line = None
        for part in place:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == part]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                found = [(node.value[part], node.value[part])]
            else:
                found = []
            if found:
                (key, node), *_ = found
                line = key.start_mark.line + 1
        return line

    return find


def _where_and_why(error: yaml.YAMLError) -> str:
    """Say in one line where the YAML is broken, and how."""
    problem, mark = getattr(error, 'problem', None), getattr(error, 'problem_mark', None)
    if problem is None or mark is None:
        return ' '.join(str(error).split())
    fix = '; indent with spaces, not with tabs' if '\\t' in problem else ''
    return f'line {mark.line + 1}, column {mark.column + 1}: {problem}{fix}'


def is_number(text: str) -> bool:
    """Return whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
