"""`millirobot bench reach`: how fast the mock can go under a condition, whoever drives it."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_common, between, check_jobs


def add(benchmarks: Any) -> None:
    """Add the benchmark."""
    parser = add_command(benchmarks, 'reach', _run)
    add_common(parser, '--robot', '--json')
    parser.add_argument('--condition', default='carpet', help='condition, by name or file (default: %(default)s)')
    for name, what, least, default in (
        ('headings', 'start headings, spread over the circle (default: %(default)s)', 3, 18),
        ('levels', 'levels of each action (default: %(default)s)', 2, 4),
        ('courses', 'courses for which the fastest way is found (default: %(default)s)', 1, 12),
    ):
        parser.add_argument(f'--{name}', type=between(int, least, 360), default=default, help=what)
    add_common(parser, '--seed', '--jobs')


def _run(args: argparse.Namespace) -> int:
    """Find out how fast the mock can go in a straight line under a condition, whoever drives it.

    Let the mock hold many actions from many headings, and find the mixture of these walks that goes fastest along each
    course without drifting off it and without turning in the mean. No controller that uses these actions goes faster; a
    controller that is far slower leaves something to gain.

    The course is the direction in `world`, 0 along x; '-' where no mixture of walks goes there.
    """
    from millirobot_adapt.benchmarks.reach_bench import ReachBench, fastest, sample_walks
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.sim.conditions import load_condition

    check_jobs(args.jobs)
    bench = ReachBench(args.headings, args.levels, args.seed)
    samples = sample_walks(load_robot(args.robot), load_condition(args.condition), bench, args.jobs)
    ways = fastest(samples, [number * math.tau / args.courses for number in range(args.courses)])
    if args.json:
        plain = [asdict(way) | {'speed': None if math.isnan(way.speed) else way.speed} for way in ways]
        print(json.dumps({'condition': args.condition, 'walks': len(samples), 'ways': plain}, indent=2))
        return 0
    print(f'{args.robot} under {args.condition}, {len(samples)} walks of {bench.seconds:g} s')
    print(f'{"course [deg]":>12}  {"fastest [m/s]":>13}  at headings [deg] (part of the time)')
    for way in ways:
        speed = '-' if math.isnan(way.speed) else f'{way.speed:.3f}'
        used = ', '.join(
            f'{math.degrees(heading):.0f} ({share:.2f})'
            for heading, share in zip(way.headings, way.shares, strict=True)
        )
        print(f'{math.degrees(way.course):12.0f}  {speed:>13}  {used}')
    return 0
