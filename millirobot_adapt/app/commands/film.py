"""`millirobot film`: a film of a recorded run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.shared import add_command


def add(subparsers: Any) -> None:
    """Add the command."""
    filmer = add_command(subparsers, 'film', _film)
    filmer.add_argument('bag', type=Path, metavar='RUN', help='run folder or bag, e.g. runs/latest')
    filmer.add_argument('--out', type=Path, metavar='FILE', help='film.mp4 or film.gif (default: film.mp4 in RUN)')
    filmer.add_argument(
        '--camera',
        choices=('follow', 'overlook'),
        default='follow',
        help='goes with the robot, or sees the whole path (default: follow)',
    )
    filmer.add_argument('--fps', type=float, default=15.0, help='pictures a second (default: 15)')
    filmer.add_argument('--speed', type=float, default=1.0, help='seconds of the run in a second of film (default: 1)')
    filmer.add_argument('--start', type=float, default=0.0, metavar='S', help='first moment shown [s]')
    filmer.add_argument('--end', type=float, metavar='S', help='last moment shown [s] (default: the end of the run)')
    filmer.add_argument('--size', default='854x480', metavar='WxH', help='in pixels (default: 854x480)')
    filmer.add_argument('--namespace', help='the robot to film, where the bag holds several')


def _film(args: argparse.Namespace) -> int:
    """Make a film of a recorded run.

    Make a film of a recorded run: the robot, the path wanted and walked, what the model predicted before and after
    adapting, the plan, faults and stops. Nothing is simulated again.
    """
    from millirobot_adapt.analysis.film.options import FilmOptions, parse_size
    from millirobot_adapt.recording.reader import open_bag
    from millirobot_adapt.sim.graphics import choose_backend

    width, height = parse_size(args.size)
    options = FilmOptions(width, height, args.fps, args.speed, args.start, args.end, args.camera)
    bag = open_bag(args.bag, namespace=args.namespace)
    choose_backend()  # before anything imports MuJoCo
    from millirobot_adapt.analysis.film.film import make_film

    home = args.bag if args.bag.is_dir() else args.bag.parent
    out = args.out or home / 'film.mp4'
    make_film(bag, out, options)
    print(out)
    return 0
