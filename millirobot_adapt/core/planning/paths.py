"""Reference paths: way-points in the world, by name or from a file, placed at the robot's start pose.

Every shape starts at (0, 0) heading +x (the zigzag excepted, whose first leg is at 45 degrees) and is then placed at
the start pose. Open shapes are long enough for a 40 s run; the figures-of-eight are closed and never run out.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import exists, user_path
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.core.yaml_file import is_number, read_yaml

SPACING = 0.1
"""Spacing of way-points on curved shapes [m]: chords stay within 3 mm of an arc of 0.5 m radius."""

CLOSEST = 0.005
"""Way-points are at least so far apart [m]: candidates are compared with every segment ahead, which takes time."""


@dataclass(frozen=True)
class ReferencePath:
    """A polyline to walk along; segment i leads from way-point i to the next one.

    Raises:
        UserError: fewer than two way-points, not finite, or two in a row that are equal or closer than `CLOSEST`.
    """

    waypoints: FloatArray
    """[m; world], shape (N, 2); a closed path does not repeat its first way-point."""
    closed: bool = False
    name: str = field(default='path', compare=False)

    def __post_init__(self) -> None:
        points = np.array(self.waypoints, dtype=float)
        if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 2:
            raise UserError(f'{self.name}: a path needs at least two way-points of x, y; got shape {points.shape}')
        if not np.isfinite(points).all():
            raise UserError(f'{self.name}: a way-point is not finite; give every x, y in metres')
        points.setflags(write=False)
        object.__setattr__(self, 'waypoints', points)
        shortest = float(self.segment_lengths.min())
        if shortest < 1e-6:
            raise UserError(f'{self.name}: two way-points in a row are equal; leave one of them out')
        if shortest < CLOSEST - 1e-6:
            raise UserError(
                f'{self.name}: two way-points are {1e3 * shortest:.1f} mm apart, closer than {1e3 * CLOSEST:g} mm; '
                'thin the path out'
            )

    @property
    def segments(self) -> int:
        """Number of segments: N for a closed path, N - 1 for an open one."""
        return len(self.waypoints) - (0 if self.closed else 1)

    @property
    def outline(self) -> FloatArray:
        """Way-points to draw, a closed path's first one repeated at the end [m; world], shape (N or N + 1, 2)."""
        return np.vstack([self.waypoints, self.waypoints[:1]]) if self.closed else self.waypoints

    @cached_property
    def segment_vectors(self) -> FloatArray:
        """From each segment's start to its end [m], shape (segments, 2)."""
        ends = np.roll(self.waypoints, -1, axis=0)
        return np.asarray((ends - self.waypoints)[: self.segments])

    @cached_property
    def segment_lengths(self) -> FloatArray:
        """Length of each segment [m], shape (segments,)."""
        return np.hypot(self.segment_vectors[:, 0], self.segment_vectors[:, 1])

    @cached_property
    def segment_directions(self) -> FloatArray:
        """Unit vector along each segment, shape (segments, 2)."""
        return self.segment_vectors / self.segment_lengths[:, None]

    @cached_property
    def segment_starts(self) -> FloatArray:
        """Arc length from the start of the path to the start of each segment [m], shape (segments,)."""
        return np.concatenate(([0.0], np.cumsum(self.segment_lengths)[:-1]))

    @cached_property
    def length(self) -> float:
        """Length of the path, one lap if closed [m]."""
        return float(self.segment_lengths.sum())

    def placed(self, x: float, y: float, yaw: float) -> ReferencePath:
        """Return the path turned by `yaw` [rad] and then moved by (x, y) [m; world]."""
        cos, sin = np.cos(yaw), np.sin(yaw)
        turned = self.waypoints @ np.array([[cos, sin], [-sin, cos]])
        return ReferencePath(turned + np.array([x, y]), self.closed, self.name)


def straight() -> ReferencePath:
    """Go straight along +x, 1 m between way-points."""
    return ReferencePath(np.column_stack((np.arange(21.0), np.zeros(21))), name='straight')


def left() -> ReferencePath:
    """Turn left by 90 degrees after 2 m (the way-points of the paper)."""
    corner = [(0.0, 0.0), (1.0, 0.0), (1.8, 0.2)]
    return ReferencePath(np.array(corner + [(2.0, float(y)) for y in range(1, 17)]), name='left')


def zigzag() -> ReferencePath:
    """Go to and fro at 45 degrees, corners 1 m apart in x (the way-points of the paper)."""
    return ReferencePath(np.column_stack((np.arange(15.0), np.arange(15) % 2)), name='zigzag')


def figure8() -> ReferencePath:
    """Walk a figure-of-eight of the paper's form: 3.0 m by 1.4 m, 8.9 m a lap, x -0.7..2.3 and y 0..1.4 of the start.

    Started at the origin it stays inside the lab's arena (x -1.4..2.5, y -1.2..1.8).
    """
    return ReferencePath(_two_lobes(radius=0.7, distance=1.6), closed=True, name='figure8')


def figure8_small() -> ReferencePath:
    """Walk a smaller figure-of-eight: 2.2 m by 1.0 m, 6.4 m a lap, x -0.5..1.7 and y 0..1.0 of the start."""
    return ReferencePath(_two_lobes(radius=0.5, distance=1.2), closed=True, name='figure8_small')


def _two_lobes(radius: float, distance: float) -> FloatArray:
    """Join two circular lobes, centres `distance` > 2 `radius` apart [m], by their crossing tangents.

    Starts at the bottom of the left lobe heading +x, counter-clockwise round the left lobe, clockwise round the right.
    """
    crossing = np.arcsin(2 * radius / distance)  # angle of the tangents to the x axis
    left_centre, right_centre = np.array([0.0, radius]), np.array([distance, radius])
    leave_left = _arc(left_centre, radius, -np.pi / 2, crossing - np.pi / 2)
    round_right = _arc(right_centre, radius, crossing + np.pi / 2, -crossing - np.pi / 2)
    return_left = _arc(left_centre, radius, np.pi / 2 - crossing, 3 * np.pi / 2)
    return _resampled(np.concatenate((leave_left, round_right, return_left)))


def _arc(centre: FloatArray, radius: float, start: float, end: float) -> FloatArray:
    """Return points of an arc, a millimetre apart, from angle `start` to `end` [rad]."""
    angles = np.linspace(start, end, int(abs(end - start) * radius / 0.001) + 2)
    return np.asarray(centre + radius * np.column_stack((np.cos(angles), np.sin(angles))))


def _resampled(points: FloatArray) -> FloatArray:
    """Return way-points evenly spaced by about `SPACING` along a closed curve whose last point is its first."""
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    wanted = np.linspace(0.0, along[-1], round(along[-1] / SPACING), endpoint=False)
    return np.column_stack([np.interp(wanted, along, points[:, axis]) for axis in (0, 1)])


SHAPES: dict[str, Callable[[], ReferencePath]] = {
    'straight': straight,
    'left': left,
    'zigzag': zigzag,
    'figure8': figure8,
    'figure8_small': figure8_small,
}


def make_path(name_or_file: str) -> ReferencePath:
    """Return the shape of that name, or the way-points of a CSV or YAML file, in the frame of the file.

    Raises:
        UserError: neither a shape nor a readable file of at least two way-points.
    """
    if name_or_file in SHAPES:
        return SHAPES[name_or_file]()
    path = user_path(name_or_file)
    if exists(path) and path.is_file():
        return read_waypoints(path) if path.suffix in ('.yaml', '.yml') else read_csv(path)
    raise UserError(
        f'{name_or_file}: no path of that name and no such file; name a CSV or YAML file or one of {", ".join(SHAPES)}'
    )


def read_waypoints(path: Path) -> ReferencePath:
    """Read way-points from YAML: `waypoints`, a list of [x, y] [m], and `closed`, false unless it says true.

    A path that ends where it began is closed, too.

    Raises:
        UserError: the file cannot be read, has other keys, or does not hold at least two way-points.
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
            raise UserError(f'{path}: way-point {number} is {point!r}; write two numbers [x, y] in metres')
    return _from_file(path, [(float(x), float(y)) for x, y in listed], closed)


def _from_file(path: Path, points: list[tuple[float, float]], closed: bool = False) -> ReferencePath:
    returns = len(points) > 3 and points[0] == points[-1]
    points = points[:-1] if returns else points
    return ReferencePath(np.array(points).reshape(-1, 2), closed or returns, name=path.stem)


def read_csv(path: Path) -> ReferencePath:
    """Read way-points, one `x,y` [m] a line; a heading line is skipped; a path that ends where it began is closed.

    Raises:
        UserError: the file cannot be read, a line does not hold two numbers, or there are fewer than two way-points.
    """
    try:
        with path.open(newline='', encoding='utf-8') as file:
            rows = [
                (number, row) for number, row in enumerate(csv.reader(file), 1) if any(cell.strip() for cell in row)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f'{path}: cannot be read as CSV: {error}') from None
    if rows and not is_number(rows[0][1][0]):
        rows = rows[1:]
    points = []
    for number, row in rows:
        if len(row) != 2 or not all(is_number(cell) for cell in row):
            raise UserError(f'{path}: line {number} is not a way-point; write two numbers x,y in metres')
        points.append((float(row[0]), float(row[1])))
    return _from_file(path, points)
