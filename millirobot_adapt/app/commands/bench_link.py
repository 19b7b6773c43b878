"""The command `millirobot bench link`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, between

if TYPE_CHECKING:
    from millirobot_adapt.benchmarks.link.link_bench import LinkFigures

OK, FAILED = 0, 1

TRIALS = between(int, 1, 1000)


def add(benchmarks: Any) -> None:
    """Add the command."""
    link = add_command(benchmarks, 'link', _run)
    add_common(link, '--robot')
    link.add_argument(
        '--firmware', default='python', metavar='{python,host,qemu}',
        help="what runs on the mock's microcontroller: its own Python, or the reference firmware in C, which makes the "
        'rows of the radio take real time (default: %(default)s)',
    )  # fmt: skip
    link.add_argument(
        '--trials', type=TRIALS, default=10, help='of each fault in simulated time (default: %(default)s)'
    )
    link.add_argument(
        '--process-trials', type=TRIALS, default=1, help='of each fault of a process (default: %(default)s)'
    )
    link.add_argument(
        '--busy', action='store_true', help='measure the faults of processes again with every core kept busy'
    )
    link.add_argument(
        '--only',
        choices=('radio', 'processes', 'busy', 'launch'),
        help='measure one part: the radio in simulated time, the processes of a live run, these on a busy machine; or, '
        'with a sourced ROS for which this package is built, what happens when ros2 launch, its terminal, the run or a '
        'node dies, and when Ctrl-C is pressed during the start',
    )
    link.add_argument(
        '--row', action='append', metavar='NAME', help='measure the row of this name, and others given so, alone'
    )
    add_common(link, '--seed')
    link.add_argument(
        '--json', action='store_true', help='print the rows as JSON, and nothing else, on standard output'
    )


def _run(args: argparse.Namespace) -> int:
    """Measure what faults do to the link, how fast the robot stops, how long an exchange takes.

    Let the radio lose, delay, repeat and damage packets, let the robot reset, the port vanish and processes be killed,
    and print for each what the link accepted, how fast the motors were told to stand, and when the robot could be armed
    again; then the round trip and what the bridge costs. Takes about ten minutes.

    Exit codes: 0 all holds; 1 a wrong value was accepted, a stop took longer than its bound (300 ms where bytes still
    pass, 350 ms from the last accepted pose; 1 s where a launch dies), or a robot moved or a bridge ended that should
    not have; 2 bad input.
    """
    from tqdm import tqdm

    from millirobot_adapt.benchmarks.link.link_bench import BUSY, PROCESSES, RADIO, ROWS, LinkBench, bench_link

    if args.only == 'launch':
        return _deaths(args)
    parts = (args.only,) if args.only else (RADIO, PROCESSES, BUSY) if args.busy else (RADIO, PROCESSES)
    bench = LinkBench(
        args.robot, args.firmware, parts, tuple(args.row or ROWS), args.trials, args.process_trials, seed=args.seed
    )
    with tqdm(total=bench.steps, desc='link', disable=None, leave=False) as bar:
        figures = bench_link(bench, bar.update)
    print(json.dumps([row.as_dict() for row in figures.rows], indent=2) if args.json else _tables(figures))
    if figures.mock_starved:
        print(
            'millirobot: warning: the mock could not keep up with real time; the rows of processes may be worse than '
            'the link is: repeat this on a quiet machine',
            file=sys.stderr,
        )
    complaints = [row.complaint for row in figures.rows if row.complaint]
    for complaint in complaints:
        print(f'millirobot: {complaint}', file=sys.stderr)
    return FAILED if complaints else OK


def _deaths(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from millirobot_adapt.benchmarks.link.launch_deaths import DEATH_ROWS, HEAD, DeathRow, death_line, measure_deaths
    from millirobot_adapt.benchmarks.link.rows import BenchFailedError
    from millirobot_adapt.sim.firmware_board import check_firmware

    check_firmware(args.firmware)
    try:
        with tqdm(total=len(DEATH_ROWS), desc='deaths', disable=None, leave=False) as bar:

            def tell(row: DeathRow) -> None:
                bar.update()
                if not args.json:
                    bar.write(death_line(row))

            if not args.json:
                bar.write(HEAD)
            rows = measure_deaths(args.robot, args.firmware, tell)
    except BenchFailedError as error:
        print(f'millirobot: {error}', file=sys.stderr)
        return FAILED
    if args.json:
        print(json.dumps([row.as_dict() for row in rows], indent=2))
    complaints = [row.complaint for row in rows if row.complaint]
    for complaint in complaints:
        print(f'millirobot: {complaint}', file=sys.stderr)
    return FAILED if complaints else OK


def _tables(figures: LinkFigures) -> str:
    from millirobot_adapt.benchmarks.link.rows import table

    lines = [
        table(figures.rows),
        '',
        'stop: from the cause (last setpoint, signal, reset; for mocap.*, clock.* and the estimator the last accepted '
        'pose, for bus.* the last reply where one came after it) to motors commanded zero; they then brake for up to '
        '0.7 s',
        'wrong: accepted telemetry that is not, value by value, what the robot said to that command after it was sent',
    ]
    if figures.trips:
        head = (
            f'{"round trip on a pty":26} {"sent":>6} {"replies":>8} {"p50 [ms]":>9} {"p99 [ms]":>9} {"worst [ms]":>11}'
        )
        lines += ['', head]
    for trip in figures.trips:
        name = 'with wire and air time' if trip.wire_time else 'without wire time'
        lines.append(
            f'{name:26} {trip.sent:6d} {trip.replies:8d} {trip.p50_ms:9.2f} {trip.p99_ms:9.2f} {trip.worst_ms:11.2f}'
        )
    if figures.load is not None:
        lines += ['', f'bridge, walking at 10 Hz with 100 Hz of poses: {figures.load.cpu_percent:.1f} % of a core']
    return '\n'.join(lines)
