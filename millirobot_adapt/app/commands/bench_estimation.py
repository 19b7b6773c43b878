"""`millirobot bench estimation`: how good the estimate of pose and twist is."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_common, check_jobs, listed
from millirobot_adapt.core.files import user_path

NODE_SECONDS = 8.0
"""How long the real process is watched [s]."""


def add(benchmarks: Any) -> None:
    """Add the benchmark."""
    parser = add_command(benchmarks, 'estimation', _run)
    add_common(parser, '--json')
    parser.add_argument(
        '--logs', type=user_path, metavar='FOLDER',
        help="run the lab's real logs (*.npz) instead of the mock: what is caught, which estimate makes better models",
    )  # fmt: skip
    parser.add_argument('--terrain', help='floors, comma-separated (default: all)')
    parser.add_argument('--runs', type=int, default=20, help='runs without faults on each floor (default: %(default)s)')
    parser.add_argument(
        '--fault-seconds', type=float, default=120.0,
        help='length of the run on each floor that meets each fault [s] (default: %(default)s)',
    )  # fmt: skip
    add_common(parser, '--seed', '--jobs', '--robot')
    parser.add_argument(
        '--params', default='estimator.yaml', help="the filter's parameters, by name or file (default: %(default)s)"
    )


def _run(args: argparse.Namespace) -> int:
    """Measure how good pose and twist are, and what each fault of motion capture does to them.

    Walk the mock under random setpoints and compare the filter and the finite differences of the lab with the truth:
    the motion averaged over the control period. Then walk with each fault of motion capture.

    Exit codes: 0 done, 1 an estimate was not finite or jumped and nothing reported it, 2 bad input.
    """
    from millirobot_adapt.benchmarks.estimation.estimation_bench import BenchConfig, bench
    from millirobot_adapt.benchmarks.estimation.estimation_table import layout, layout_logs
    from millirobot_adapt.benchmarks.estimation.real import bench_logs
    from millirobot_adapt.core.config import read_params
    from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.core.share import find

    estimator = read_params(find('params', args.params), 'estimator', EstimatorNodeConfig)
    robot = load_robot(args.robot)
    if args.logs:
        report = bench_logs(args.logs, estimator, robot)
        text = layout_logs
    else:
        check_jobs(args.jobs)
        config = BenchConfig(runs=args.runs, fault_seconds=args.fault_seconds, seed=args.seed, jobs=args.jobs)
        if args.terrain:
            config = dataclasses.replace(config, terrains=listed('--terrain', args.terrain, 'floor', config.terrains))
        report = bench(config, estimator, robot)
        _measure_node(report, args.robot)
        text = layout
    print(json.dumps(report, indent=2, allow_nan=False) if args.json else text(report))
    return 1 if report['failures'] else 0


def _measure_node(report: dict[str, Any], robot: str) -> None:
    """Add what the process of the estimator costs; None where ROS is not installed or the mock does not walk."""
    report['node'] = None
    if importlib.util.find_spec('rclpy') is None:
        return
    from millirobot_adapt.benchmarks.estimation.node import measure_node
    from millirobot_adapt.benchmarks.link.rows import BenchFailedError

    try:
        report['node'] = dataclasses.asdict(measure_node(robot, NODE_SECONDS))
    except BenchFailedError as error:
        report['failures'].append(f'the real processes: {error}')
