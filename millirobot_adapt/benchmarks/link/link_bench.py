"""The benchmark of the link: every fault of the radio, every death of a process, the round trip, the bridge's cost."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from millirobot_adapt.benchmarks.link.injected import INJECTED, measure_injected
from millirobot_adapt.benchmarks.link.process_trials import BridgeLoad, LiveRobot, measure_processes
from millirobot_adapt.benchmarks.link.radio_trials import CASES, measure_fault, measure_out_of_reach, measure_reset
from millirobot_adapt.benchmarks.link.round_trip import RoundTrip, measure_round_trip
from millirobot_adapt.benchmarks.link.rows import FaultRow
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.sim.firmware_board import MOCK, check_firmware
from millirobot_adapt.sim.firmware_microcontroller import microcontroller_of

STEPS = len(CASES) + 2 + 2 + 2
"""Steps of progress: rows in simulated time, round trips, the processes' faults and the bridge's cost."""
REAL_TIME_BYTES = 100_000
"""Bytes on the line under corruption where they take real time."""


@dataclass(frozen=True)
class LinkBench:
    """How much to measure."""

    robot: str = 'velociroach'
    firmware: str = MOCK
    """What runs on the mock's microcontroller."""
    trials: int = 10
    """Of every fault in simulated time."""
    process_trials: int = 2
    """Of every fault of a process, in real time."""
    simulated: bool = True
    """Measure the rows in simulated time and the round trips."""
    busy: bool = False
    """Measure the rows of processes also with every core kept busy."""
    exchanges: int = 300
    """For the round trip."""
    load_seconds: float = 6.0
    """Walking over which the bridge's cost is measured [s]."""
    seed: int = 0


@dataclass(frozen=True)
class LinkFigures:
    """What was measured."""

    rows: list[FaultRow]
    trips: list[RoundTrip]
    load: BridgeLoad
    mock_starved: bool = False
    """The machine was too busy for the mock to keep up with real time."""


def bench_link(bench: LinkBench, tell: Callable[[], object]) -> LinkFigures:
    """Measure everything; `tell` is called `STEPS` times on the way.

    Raises:
        UserError: no such robot; the firmware cannot run here.
        BenchFailedError: a process did not do what was waited for.
    """
    robot = load_robot(bench.robot)
    check_firmware(bench.firmware)
    rows = _simulated(bench, robot, tell) if bench.simulated else []
    trips = []
    for wire_time in (False, True) if bench.simulated else ():
        trips.append(measure_round_trip(robot, bench.exchanges, wire_time))
        tell()
    with tempfile.TemporaryDirectory() as folder, LiveRobot(Path(folder), bench.robot, bench.firmware) as live:
        live.walk(1.0)
        load = live.measure_load(bench.load_seconds)
        tell()
        injected = {case.name: partial(measure_injected, case=case) for case in INJECTED}
        rows += measure_processes(live, bench.process_trials, injected)
        tell()
        starved = live.mock_starved()
    if bench.busy:
        with (
            tempfile.TemporaryDirectory() as folder,
            LiveRobot(Path(folder), bench.robot, bench.firmware, busy=True) as live,
        ):
            rows += measure_processes(live, bench.process_trials, injected)
            starved |= live.mock_starved()
    return LinkFigures(rows, trips, load, starved)


def _simulated(bench: LinkBench, robot: RobotConfig, tell: Callable[[], object]) -> list[FaultRow]:
    """Measure the rows in simulated time, as many at once as there are cores; what runs beside changes no figure.

    A firmware on a clock of its own makes it real time: one row after the other, and fewer bytes on the line.
    """
    simulated = bench.firmware == MOCK
    cases = CASES if simulated else [replace(case, line_bytes=min(case.line_bytes, REAL_TIME_BYTES)) for case in CASES]
    longest_first = sorted(cases, key=lambda case: -case.line_bytes)
    context = multiprocessing.get_context('spawn')
    others = (robot, bench.trials, bench.seed, microcontroller_of(bench.firmware))
    with ProcessPoolExecutor(os.cpu_count() if simulated else 1, context) as pool:
        futures: dict[str, Future[FaultRow]] = {
            case.name: pool.submit(measure_fault, case, *others) for case in longest_first
        }
        last = [pool.submit(measure_reset, *others)]
        if robot.imageproc.timeout:
            last.append(pool.submit(measure_out_of_reach, *others))
        for future in (*futures.values(), *last):
            future.add_done_callback(lambda _: tell())
        return [*(futures[case.name].result() for case in CASES), *(future.result() for future in last)]
