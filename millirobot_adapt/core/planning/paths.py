"""Reference paths by name or from a file.

Every shape starts at (0, 0) heading +x (the zigzag excepted, whose first leg is at 45 degrees) and is then placed at
the start pose. Open shapes are long enough for a 40 s run; the figures-of-eight are closed and never run out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millirobot_adapt.core.errors import UserError, closest
from millirobot_adapt.core.files import exists, user_path
from millirobot_adapt.core.planning.reference_path import ReferencePath as ReferencePath
from millirobot_adapt.core.planning.waypoint_files import read_csv, read_waypoints
from millirobot_adapt.core.robot.state import FloatArray

SPACING = 0.1
"""Spacing of waypoints on curved shapes [m]: chords stay within 3 mm of an arc of 0.5 m radius."""


def straight() -> ReferencePath:
    """Go straight along +x, 1 m between waypoints."""
    return ReferencePath(np.column_stack((np.arange(21.0), np.zeros(21))), name='straight')


def left() -> ReferencePath:
    """Turn left by 90 degrees after 2 m (the waypoints of the paper)."""
    corner = [(0.0, 0.0), (1.0, 0.0), (1.8, 0.2)]
    return ReferencePath(np.array(corner + [(2.0, float(y)) for y in range(1, 17)]), name='left')


def zigzag() -> ReferencePath:
    """Go to and fro at 45 degrees, corners 1 m apart in x (the waypoints of the paper)."""
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
    """Return waypoints evenly spaced by about `SPACING` along a closed curve whose last point is its first."""
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

ENDLESS = ('straight', 'left', 'zigzag')
"""Shapes that are longer than any arena; nobody means to walk them to their end."""


def make_path(name_or_file: str) -> ReferencePath:
    """Return the shape of that name, or the waypoints of a CSV or YAML file, in the frame of the file.

    Raises:
        UserError: neither a shape nor a readable file of at least two waypoints.
    """
    if name_or_file in SHAPES:
        return SHAPES[name_or_file]()
    path = user_path(name_or_file)
    if exists(path) and path.is_file():
        return read_waypoints(path) if path.suffix in ('.yaml', '.yml') else read_csv(path)
    near = closest(name_or_file, SHAPES)
    hint = f'did you mean {near!r}?' if near else f'name a CSV or YAML file or one of {", ".join(SHAPES)}'
    raise UserError(f'{name_or_file}: no path of that name and no such file; {hint}')
