"""The command group `millirobot bench`: measure a part of the project, one subcommand a part."""

from __future__ import annotations

from typing import Any

from millirobot_adapt.app.commands import (
    bench_engine,
    bench_estimation,
    bench_link,
    bench_paths,
    bench_reach,
    bench_servo,
)
from millirobot_adapt.app.commands.shared import add_group


def add(subparsers: Any) -> None:
    """Add the commands of this group; each benchmark is a file of its own."""
    benchmarks = add_group(
        subparsers, 'bench', 'measure a part of the project: link, estimation, engine, paths, reach, servo',
        'Measure a part of the project and print the figures as a table.',
    )  # fmt: skip
    bench_link.add(benchmarks)
    bench_estimation.add(benchmarks)
    bench_engine.add(benchmarks)
    bench_paths.add(benchmarks)
    bench_reach.add(benchmarks)
    bench_servo.add(benchmarks)
