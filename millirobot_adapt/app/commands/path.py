"""The command `millirobot path`: look at a path before a robot walks it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from millirobot_adapt.app.commands.shared import add_command, add_common, add_group
from millirobot_adapt.core.files import user_path
from millirobot_adapt.core.share import find

if TYPE_CHECKING:
    from millirobot_adapt.core.planning.path_facts import PathPlace
    from millirobot_adapt.core.planning.paths import ReferencePath
    from millirobot_adapt.core.safety.polygon import Polygon

INSIDE, OUTSIDE = 0, 1


def add(subparsers: Any) -> None:
    """Add the command."""
    commands = add_group(subparsers, 'path', 'look at a path before a robot walks it')
    show = add_command(commands, 'show', _show)
    show.add_argument('path', metavar='FILE', help='CSV or YAML file of waypoints, or the name of a shape')
    add_common(show, '--robot')
    show.add_argument('--params', type=user_path, metavar='FILE', help="controller's parameters, for the fence")
    show.add_argument(
        '--at',
        nargs=3,
        type=float,
        metavar=('X', 'Y', 'YAW'),
        help='lay it from this pose [m, m, rad] (default: world)',
    )
    show.add_argument('--out', type=user_path, metavar='FILE', help='where the picture goes (default: NAME.png)')
    show.add_argument('--json', action='store_true', help='print JSON, and nothing else; draw only with --out')


def _show(args: argparse.Namespace) -> int:
    """Show length, direction, sharpest turn, distance to the fence, and a picture.

    Read a path as the controller does, and say and draw what matters before a robot walks it.

    Exit codes: 0 it stays inside the fence; 1 it leaves the fence; 2 bad input.
    """
    from millirobot_adapt.core.config import read_params
    from millirobot_adapt.core.control.steering import turning_radius
    from millirobot_adapt.core.control.wiring import ControllerConfig
    from millirobot_adapt.core.planning.path_facts import clearance, sharpest_turn
    from millirobot_adapt.core.planning.paths import ENDLESS, make_path
    from millirobot_adapt.core.robot.description import load_robot

    path = make_path(args.path)
    if args.at is not None:
        path = path.placed(*args.at)
    file = args.params or find('params', 'controller', '.yaml')
    fence = read_params(file, 'controller', ControllerConfig).objective.polygon
    radius = turning_radius(load_robot(args.robot).layout)
    turn, nearest = sharpest_turn(path, 2 * radius), clearance(path, fence)
    out = args.out or (None if args.json else Path(f'{path.name}.png'))
    if args.json:
        print(json.dumps(_figures(path, turn, radius, nearest), indent=2, allow_nan=False))
    else:
        print('\n'.join(_lines(path, turn, radius, nearest)))
    if out is not None:
        _draw(path, turn, nearest, fence, out)
        print(f'picture: {out}', file=sys.stderr if args.json else sys.stdout)
    return OUTSIDE if nearest.value < 0 and path.name not in ENDLESS else INSIDE


def _figures(path: ReferencePath, turn: PathPlace, radius: float, nearest: PathPlace) -> dict[str, Any]:
    first = path.segment_directions[0]
    return {
        'name': path.name,
        'closed': path.closed,
        'waypoints': len(path.waypoints),
        'length_m': path.length,
        'start_m': path.waypoints[0].tolist(),
        'direction_rad': float(np.arctan2(first[1], first[0])),
        'sharpest_turn_rad': turn.value,
        'sharpest_turn_at_m': turn.arc_length,
        'turning_radius_m': radius,
        'fence_distance_m': nearest.value,
        'fence_at_m': nearest.arc_length,
    }


def _lines(path: ReferencePath, turn: PathPlace, radius: float, nearest: PathPlace) -> list[str]:
    x, y = path.waypoints[0]
    first = path.segment_directions[0]
    heading = np.degrees(np.arctan2(first[1], first[0]))
    closed = 'closed' if path.closed else 'open'
    # On an arc of the robot's own turning radius a path turns by 2 rad in 2 radii.
    ease = 'within what the robot turns' if turn.value <= 2.0 else 'the robot overshoots there and comes back'
    where = f'({nearest.point[0]:.2f}, {nearest.point[1]:.2f}), after {nearest.arc_length:.2f} m'
    fence = f'{nearest.value:.2f} m inside at {where}' if nearest.value >= 0 else f'it leaves the fence at {where}'
    return [
        f'{path.name}: {path.length:.2f} m, {closed}, {len(path.waypoints)} waypoints',
        f'starts at ({x:.2f}, {y:.2f}) towards {heading:.0f} degrees',
        f'sharpest turn: {np.degrees(turn.value):.0f} degrees within {2 * radius:.2f} m, after '
        f'{turn.arc_length:.2f} m; {ease} (radius {radius:.2f} m)',
        f'fence: {fence}',
    ]


def _draw(path: ReferencePath, turn: PathPlace, nearest: PathPlace, fence: Polygon, out: Path) -> None:
    """Draw path, direction, start, sharpest turn and fence."""
    from millirobot_adapt.analysis.figure_style import BLUE, GREEN, GREY, STOP, new_figure, save_png, styled

    with styled():
        figure, (axes,) = new_figure(4.2)
        corners = np.vstack([fence.corners, fence.corners[:1]])
        axes.plot(*corners.T, color=GREY, linestyle='--', linewidth=1.0, label='fence')
        axes.plot(*path.outline.T, color=BLUE, linewidth=1.5, label='path')
        places = np.linspace(0.0, path.length, 14)[1:-1]
        points, ahead = path.at(places), path.at(places + 0.02)
        for start, end in zip(points, ahead, strict=True):
            axes.annotate('', end, start, arrowprops={'arrowstyle': '->', 'color': BLUE})
        axes.plot(*path.waypoints[0], 'o', color=GREEN, label='start')
        label = f'sharpest turn, {np.degrees(turn.value):.0f} degrees'
        axes.plot(*turn.point, 's', color=STOP, fillstyle='none', label=label)
        if nearest.value < 0:
            axes.plot(*nearest.point, 'X', color=STOP, label='leaves the fence')
        axes.set(xlabel='x [m]', ylabel='y [m]', aspect='equal', title=path.name)
        axes.legend(fontsize='small', loc='upper left', bbox_to_anchor=(1.02, 1.0))
        save_png(figure, out)
