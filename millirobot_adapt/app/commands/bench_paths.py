"""`millirobot bench paths`: walk generated paths on the mock."""

from __future__ import annotations

import argparse
import json
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_common, between, check_jobs, listed
from millirobot_adapt.core.files import user_path


def add(benchmarks: Any) -> None:
    """Add the benchmark."""
    parser = add_command(benchmarks, 'paths', _run)
    add_common(parser, '--json')
    parser.add_argument('--kinds', help='kinds of paths, comma-separated (default: all)')
    parser.add_argument(
        '--paths', type=between(int, 1, 1000), default=5, help='paths of each kind (default: %(default)s)'
    )
    parser.add_argument(
        '--seeds', type=between(int, 1, 1000), default=5, help='walks along each path (default: %(default)s)'
    )
    parser.add_argument(
        '--out', type=user_path, metavar='FOLDER', help='keep paths and walks; the same command again goes on there'
    )
    parser.add_argument('--condition', default='carpet', help='condition, by name or file (default: %(default)s)')
    parser.add_argument(
        '--params',
        default='controller.yaml',
        help="the controller's parameters, by name or file (default: %(default)s)",
    )
    add_common(parser, '--jobs')


def _run(args: argparse.Namespace) -> int:
    """Find out whether the robot follows any path: lanes, spirals, stars, out and back.

    Walk generated paths with the controller on the mock, in lock-step, and judge the walks by the true poses: each path
    must be walked to its end, in its order, and not be left.

    Exit codes: 0 every walk is right, 1 one is not, 2 bad input.
    """
    from millirobot_adapt.benchmarks.paths.generated import KINDS
    from millirobot_adapt.benchmarks.paths.paths_bench import PathBench, bench_paths
    from millirobot_adapt.benchmarks.paths.paths_table import as_dict, as_text, failures
    from millirobot_adapt.core.config import read_params
    from millirobot_adapt.core.control.wiring import ControllerConfig
    from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
    from millirobot_adapt.core.share import find
    from millirobot_adapt.sim.conditions import load_condition

    check_jobs(args.jobs)
    bench = PathBench(
        controller=read_params(find('params', args.params), 'controller', ControllerConfig),
        estimator=read_params(find('params', 'estimator', '.yaml'), 'estimator', EstimatorNodeConfig),
        condition=load_condition(args.condition),
        kinds=tuple(KINDS) if args.kinds is None else listed('--kinds', args.kinds, 'kind', KINDS),
        paths=args.paths,
        seeds=args.seeds,
    )
    walks = bench_paths(bench, args.out, args.jobs)
    print(json.dumps(as_dict(walks), indent=2, allow_nan=False) if args.json else as_text(walks))
    return 1 if failures(walks) else 0
