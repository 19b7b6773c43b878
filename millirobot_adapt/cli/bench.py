"""The command group `millirobot bench`: measure a part of the project, one subcommand a part."""

from __future__ import annotations

import argparse
import json
from typing import Any

from millirobot_adapt.cli import bench_estimation


def add(subparsers: Any) -> None:
    """Add the commands of this group; a benchmark is a parser of its own, made by one function below."""
    bench = subparsers.add_parser(
        'bench',
        help='measure a part of the project: link, estimation',
        description='Measure a part of the project and print the figures as a table.',
    )
    benchmarks = bench.add_subparsers(title='benchmarks', metavar='BENCHMARK', required=True)
    _add_link(benchmarks)
    bench_estimation.add(benchmarks)


def _add_link(benchmarks: Any) -> None:
    link = benchmarks.add_parser(
        'link',
        help='what faults of the radio do to the link, and how long an exchange takes',
        description='Exchange setpoints with the mock robot over a pseudo-terminal and print the round trip.',
    )
    link.add_argument('--json', action='store_true', help='print JSON, and nothing else, on standard output')
    link.set_defaults(run=_link)


def _link(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from tqdm import tqdm

    from millirobot_adapt.benchmarks.link_round_trip import measure_round_trip
    from millirobot_adapt.core.robot import RobotConfig

    with tqdm(total=400, desc='exchanges', disable=None, leave=False) as bar:
        trips = [measure_round_trip(RobotConfig(), 200, wire_time, bar.update) for wire_time in (False, True)]
    if args.json:
        print(json.dumps([asdict(trip) for trip in trips], indent=2))
    else:
        for trip in trips:
            wire = 'with wire time' if trip.wire_time else 'no wire time'
            print(f'{wire:15} p50 {trip.p50_ms:6.2f} ms  p99 {trip.p99_ms:6.2f} ms  worst {trip.worst_ms:6.2f} ms')
    return 0
