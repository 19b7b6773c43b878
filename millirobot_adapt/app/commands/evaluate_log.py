"""`millirobot evaluate-log`: train and test the methods on recorded runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.learn import need_torch, parse_settings
from millirobot_adapt.app.commands.shared import add_command, add_common, plain
from millirobot_adapt.app.commands.study_logs import add_log_options, given, read_logs
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path, write_whole

SCHEMA = 1
"""Version of the JSON that --json prints."""


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'evaluate-log', _run)
    parser.add_argument('--train', type=user_path, nargs='+', required=True, metavar='RUN', help='runs to learn from')
    parser.add_argument(
        '--test', type=user_path, nargs='*', default=[], metavar='RUN', help='runs nothing is learned from'
    )
    parser.add_argument(
        '--leave-one-out', action='store_true',
        help='train on all runs but one and predict that one, each in turn; instead of holding out a part',
    )  # fmt: skip
    parser.add_argument('--methods', help='methods, comma-separated (default: all); mb is always there')
    parser.add_argument('--seeds', type=int, default=1, help='networks trained of each method (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='the first seed (default: %(default)s)')
    parser.add_argument(
        '--set', action='append', default=[], metavar='NAME=VALUE', dest='settings',
        help='another parameter, e.g. --set yaw=10 --set train.steps=500; an unknown name lists all',
    )  # fmt: skip
    parser.add_argument(
        '--out',
        type=user_path,
        metavar='DIR',
        help='folder to make: table, figure, CSV of every rollout, trained models',
    )
    add_log_options(parser)
    add_common(parser, '--json')


def _run(args: argparse.Namespace) -> int:
    """Train and test the methods on recorded runs (needs PyTorch).

    Train each method on some runs, hold out a part of their sessions, and predict that part and other runs open loop,
    with the code that runs on the robot: as recorded, with every heading measured wrong, and with one side of the legs
    weaker. Printed are errors before and after adaptation with 95 % intervals. Runs are bags and run folders of any
    robot, or logs of the lab (npz).
    """
    need_torch()
    from millirobot_adapt.core.config import flatten
    from millirobot_adapt.learning.log_study import LogStudyConfig, leave_one_out, run_study
    from millirobot_adapt.learning.log_summary import log_table, summarise_logs

    config = parse_settings(LogStudyConfig, [*given(args, 'methods', 'seeds', 'seed'), *args.settings])
    if args.leave_one_out and args.test:
        raise UserError('--test: with --leave-one-out every run is tested; leave one of the two out')
    if args.out and args.out.exists():
        raise UserError(f'{args.out}: exists already; choose another place with --out')
    training, tests = read_logs(args, args.train, args.test)
    models = args.out and args.out / 'models'
    if args.leave_one_out:
        results, logs = leave_one_out(training, config, models)
    else:
        results, logs = run_study(training, tests, config, training[0].robot, models)
    rows = summarise_logs(results, config.horizons)
    report = {
        'schema': SCHEMA,
        'training': {name: digest for log in training for name, digest in log.rollouts.metadata['logs'].items()},
        'parameters': flatten(config),
        'rows': rows,
    }
    if args.out:
        _write(args.out, report, results, logs)
    print(json.dumps(plain(report), indent=1) if args.json else log_table(rows))
    return 0


def _write(folder: Path, report: dict[str, Any], results: Any, logs: Any) -> None:
    """Leave everything in a folder."""
    from millirobot_adapt.learning.log_figure import draw_errors
    from millirobot_adapt.learning.log_summary import log_table, write_rollouts

    horizons = report['parameters']['horizons']
    write_whole(folder / 'report.json', json.dumps(plain(report), indent=1))
    write_whole(folder / 'results.md', log_table(report['rows']) + '\n')
    write_rollouts(folder / 'rollouts.csv', results, logs, horizons)
    draw_errors(folder / 'errors.png', report['rows'], horizons[0])
