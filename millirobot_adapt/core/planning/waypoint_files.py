"""Read waypoints from CSV and YAML files; a line that is no waypoint is an error, never a waypoint less."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.yaml_file import is_number, read_yaml

UNITS = {'': 1.0, 'm': 1.0, 'cm': 0.01, 'mm': 0.001}
"""Metres for each unit that a heading may name."""
HEADING = re.compile(r'(?P<name>[a-z]+?)(?:[ _]*[\[(]?(?P<unit>m|cm|mm)[\])]?)?', re.IGNORECASE)
"""One cell of a heading: x, x_mm, X [m], x (cm)."""


def read_waypoints(path: Path) -> ReferencePath:
    """Read waypoints from YAML: `waypoints`, a list of [x, y] [m], and `closed`, false unless it says true.

    A loop that ends where it began is closed, too.

    Raises:
        UserError: the file cannot be read, has other keys, or does not hold at least two waypoints.
    """
    content = read_yaml(path)
    unknown = set(content) - {'waypoints', 'closed'}
    if unknown:
        raise UserError(f'{path}: unknown key {min(map(str, unknown))!r}; there are waypoints and closed')
    listed, closed = content.get('waypoints'), content.get('closed', False)
    if not isinstance(listed, list) or not isinstance(closed, bool):
        raise UserError(f'{path}: write waypoints: [[x, y], [x, y], ...] in metres, and closed: true or false')
    for number, point in enumerate(listed, 1):
        numbers = isinstance(point, list) and len(point) == 2 and all(type(value) in (int, float) for value in point)
        if not numbers:
            raise UserError(f'{path}: waypoint {number} is {point!r}; write two numbers [x, y] in metres')
    return _path(path, [(float(x), float(y)) for x, y in listed], closed)


def read_csv(path: Path) -> ReferencePath:
    """Read waypoints, one a line; blank lines and lines that begin with # do not count.

    Without a heading a line is `x,y` [m]. A heading names the two columns, in either order, and may name their unit:
    `y,x`, `x_mm,y_mm`, `x [cm];y [cm]`. Columns are divided by comma, semicolon, tab or spaces. A loop that ends where
    it began is closed.

    Raises:
        UserError: the file cannot be read, a line does not hold two numbers, a heading names something else than x and
            y in m, cm or mm, or there are fewer than two waypoints.
    """
    rows = [(number, cells) for number, line in enumerate(_text(path).splitlines(), 1) if (cells := _cells(line))]
    columns = [('x', 1.0), ('y', 1.0)]
    if rows and not any(is_number(cell) for cell in rows[0][1]):
        columns = _columns(path, *rows.pop(0))
    points = []
    for number, cells in rows:
        if len(cells) != 2 or not all(is_number(cell) for cell in cells):
            raise UserError(f'{path}: line {number} is not a waypoint; write two numbers x,y in metres')
        values = {name: scale * float(cell) for (name, scale), cell in zip(columns, cells, strict=True)}
        if not np.isfinite(list(values.values())).all():
            raise UserError(f'{path}: line {number} is not finite; write two numbers x,y in metres')
        points.append((values['x'], values['y']))
    return _path(path, points)


def _text(path: Path) -> str:
    """Return the text of a file, by its byte order mark where it has one (spreadsheets write it)."""
    try:
        content = path.read_bytes()
        marked = content.startswith((b'\xff\xfe', b'\xfe\xff'))
        return content.decode('utf-16' if marked else 'utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path}: cannot be read as CSV: {error}') from None


def _cells(line: str) -> list[str]:
    """Divide a line into cells; a blank line and a comment have none."""
    line = line.strip()
    if not line.strip(',;\t ') or line.startswith('#'):
        return []
    divider = next((each for each in ',;\t' if each in line), None)
    return [cell.strip().strip('"') for cell in line.split(divider)]


def _columns(path: Path, number: int, cells: Sequence[str]) -> list[tuple[str, float]]:
    """Return name and unit [m] of each column from the heading in line `number`."""
    named = [HEADING.fullmatch(cell) for cell in cells]
    columns = [(each['name'].lower(), UNITS[(each['unit'] or '').lower()]) for each in named if each is not None]
    if sorted(name for name, _ in columns) != ['x', 'y'] or len(columns) != len(cells):
        raise UserError(
            f'{path}: line {number}: the heading {",".join(cells)!r} does not name the columns x and y in m, cm or mm'
        )
    return columns


def _path(path: Path, points: list[tuple[float, float]], closed: bool = False) -> ReferencePath:
    try:
        return ReferencePath.through(np.array(points).reshape(-1, 2), closed, path.stem)
    except UserError as error:
        raise UserError(f'{path}: {error}') from None
