"""The command `millirobot replay`: prove what a run did, or ask what it would have done."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, add_model_options, add_reading_options
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path

if TYPE_CHECKING:
    from millirobot_adapt.recording.run_setup import Changes

DONE, DIFFERENT = 0, 1


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'replay', _replay)
    parser.add_argument('bag', type=user_path, metavar='BAG', help='bag folder, .mcap or .db3 file, or run folder')
    parser.add_argument(
        '--check', action='store_true', help='compare everything decided with the record; exit 1 at a difference'
    )
    add_model_options(parser, "the run's, else the controller's", default='')
    parser.add_argument(
        '--set', action='append', default=[], metavar='NODE.PARAMETER=VALUE', dest='overrides',
        help='another parameter of controller or estimator, e.g. controller.planner.samples=800; may be repeated',
    )  # fmt: skip
    parser.add_argument(
        '--params', type=user_path, metavar='FILE', help='parameter file whose blocks replace the recorded parameters'
    )
    parser.add_argument('--trajectory', default='', help='plan along this shape or CSV, from where each rollout starts')
    parser.add_argument('--no-plan', action='store_true', help="do not plan along the bag's reference path")
    add_reading_options(parser)
    parser.add_argument('--out', type=user_path, metavar='FILE', help='write a row a tick to FILE.csv or FILE.npz')
    add_common(parser, '--json')


def _replay(args: argparse.Namespace) -> int:
    """Do a recorded run again, without ROS: prove what it did, or ask what it would have done.

    Estimate the states of a bag again, adapt at every tick, and report the error of predicting 1, 5 and 10 ticks ahead
    before and after adaptation; plan where the bag has a path or one is given. Parameters and model are those of the
    run; --set, --params, --method and --model tell what other ones would have done. --check proves instead that every
    odometry, adaptation, plan and setpoint comes out as it was recorded.
    """
    if args.check:
        return _check(args)
    from millirobot_adapt.analysis.replay.replay import ReplayOptions, replay
    from millirobot_adapt.analysis.replay.table import table
    from millirobot_adapt.analysis.replay.tick_table import check_place, write_table

    if args.out is not None:
        check_place(args.out)
    result = replay(
        ReplayOptions(
            args.bag,
            _changes(args),
            args.trajectory,
            not args.no_plan,
            args.namespace,
            args.strict,
            table=args.out is not None,
        )
    )
    if args.out is not None:
        write_table(result.table, args.out)
    print(_json(result.figures) if args.json else table(result.figures))
    return DONE


def _check(args: argparse.Namespace) -> int:
    from millirobot_adapt.analysis.replay.check import check, verdict

    asked = {
        '--set': args.overrides, '--method': args.method, '--trajectory': args.trajectory,
        '--no-plan': args.no_plan, '--out': args.out,
    }  # fmt: skip
    for option, value in asked.items():
        if value:
            raise UserError(f'{option}: --check does again what was recorded; leave one of the two out')
    figures = check(args.bag, _changes(args), args.namespace, args.strict)
    print(_json(figures) if args.json else verdict(figures))
    return DONE if figures['difference'] is None and figures['same_decisions'] else DIFFERENT


def _changes(args: argparse.Namespace) -> Changes:
    from millirobot_adapt.bringup.processes import CONTROLLER, ESTIMATOR, parse_override
    from millirobot_adapt.core.parameter_file import read_parameter_file
    from millirobot_adapt.recording.run_setup import Changes

    overrides = [parse_override(text, (CONTROLLER, ESTIMATOR)) for text in args.overrides]
    parameters = read_parameter_file(args.params) if args.params else None
    return Changes(args.model, args.method, parameters, overrides)


def _json(figures: Any) -> str:
    return json.dumps(figures, indent=2, allow_nan=False)
