"""`millirobot bench servo`: the driver `dynamixel` with six simulated servos on a pseudo-terminal."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, between

if TYPE_CHECKING:
    from millirobot_adapt.benchmarks.servo.servo_bench import ServoRow


def add(benchmarks: Any) -> None:
    """Add the benchmark."""
    parser = add_command(benchmarks, 'servo', _run)
    add_common(parser, '--json')
    parser.add_argument(
        '--seconds', type=between(float, 1.0, 600.0), default=5.0, help='of each row (default: %(default)s)'
    )


def _run(args: argparse.Namespace) -> int:
    """Measure the driver dynamixel: cycles a second, processor time, phase errors, a servo that dies.

    Drive six simulated servos on a pseudo-terminal in real time, at the wire time of 1 Mbit/s.
    """
    from millirobot_adapt.benchmarks.servo.servo_bench import measure

    rows = list(measure(args.seconds))
    if args.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return 0
    print('| | cycles a second | processor | answered in time | phase error, rms | legs out |')
    print('|---|---|---|---|---|---|')
    for row in rows:
        print(_line(row))
    return 0


def _line(row: ServoRow) -> str:
    error = '' if math.isnan(row.phase_error) else f'{row.phase_error:.1f} deg'
    return (
        f'| {row.what} | {row.cycles_a_second:.1f} | {100 * row.cpu_share:.1f} % | {100 * row.answered:.0f} % | '
        f'{error} | {row.out} |'
    )
