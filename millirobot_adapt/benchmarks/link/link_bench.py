"""The benchmark of the link: every fault of the radio, every death of a process, the round trip, the bridge's cost."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from firmware_bridge.driver_interface import LinkLost
from millirobot_adapt.benchmarks.link.injected import INJECTED, measure_injected
from millirobot_adapt.benchmarks.link.live_robot import BridgeLoad, LiveRobot
from millirobot_adapt.benchmarks.link.process_trials import PORT_VANISHES, PROCESS_FAULTS, Trial, measure_processes
from millirobot_adapt.benchmarks.link.radio_trials import (
    CASES,
    OUT_OF_REACH,
    RESET,
    measure_fault,
    measure_out_of_reach,
    measure_reset,
)
from millirobot_adapt.benchmarks.link.round_trip import RoundTrip, measure_round_trip
from millirobot_adapt.benchmarks.link.rows import BenchFailedError, FaultRow
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.robot.drivers import ImageprocConfig
from millirobot_adapt.sim.firmware_board import MOCK, check_firmware
from millirobot_adapt.sim.firmware_microcontroller import microcontroller_of

RADIO_ROWS = (*(case.name for case in CASES), RESET, OUT_OF_REACH)
"""Rows of the radio, in their order."""
LIVE_FAULTS: dict[str, Trial] = {
    **PROCESS_FAULTS,
    **{case.name: partial(measure_injected, case=case) for case in INJECTED},
}
"""Faults of a live run by the name of their row, in their order."""
ROWS = (*RADIO_ROWS, *LIVE_FAULTS)
RADIO, PROCESSES, BUSY = PARTS = ('radio', 'processes', 'busy')
"""What can be measured: the rows of the radio with the round trips; those of a live run; these on a busy machine."""
REAL_TIME_BYTES = 100_000
"""Bytes on the line under corruption where they take real time."""


@dataclass(frozen=True)
class LinkBench:
    """How much to measure."""

    robot: str = 'velociroach'
    firmware: str = MOCK
    """What runs on the mock's microcontroller."""
    parts: tuple[str, ...] = (RADIO, PROCESSES)
    """Of `PARTS`."""
    rows: tuple[str, ...] = ROWS
    """Of `ROWS`."""
    trials: int = 10
    """Of every fault in simulated time."""
    process_trials: int = 2
    """Of every fault of a process, in real time."""
    exchanges: int = 300
    """For the round trip."""
    load_seconds: float = 6.0
    """Walking over which the bridge's cost is measured [s]."""
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [row for row in self.rows if row not in ROWS]
        if unknown:
            raise UserError(f'no row of the benchmark is called {unknown[0]!r}; rows: {", ".join(ROWS)}')
        if not self.steps:
            raise UserError(f'none of these rows can be measured with robot {self.robot}; name others, or none')

    @cached_property
    def has_radio(self) -> bool:
        """Whether the robot is at the other end of a radio."""
        return isinstance(load_robot(self.robot).driver, ImageprocConfig)

    @property
    def radio_rows(self) -> list[str]:
        """Rows of the radio that are asked for."""
        wanted = RADIO in self.parts and self.has_radio
        return [row for row in RADIO_ROWS if row in self.rows] if wanted else []

    @property
    def live_faults(self) -> dict[str, Trial]:
        """Faults of a live run that are asked for and can happen to the robot."""
        robot = load_robot(self.robot)
        never = {case.name for case in INJECTED if not case.applies(robot)}
        if robot.baud is None:
            never.add(PORT_VANISHES)
        return {name: fault for name, fault in LIVE_FAULTS.items() if name in self.rows and name not in never}

    @property
    def steps(self) -> int:
        """Return how often progress is told."""
        live = sum(part in self.parts for part in (PROCESSES, BUSY))
        return len(self.radio_rows) + live * len(self.live_faults)


@dataclass
class LinkFigures:
    """What was measured."""

    rows: list[FaultRow] = field(default_factory=list)
    trips: list[RoundTrip] = field(default_factory=list)
    load: BridgeLoad | None = None
    """None where no live run was asked for."""
    mock_starved: bool = False
    """The machine was too busy for the mock to keep up with real time."""


def bench_link(bench: LinkBench, tell: Callable[[], object]) -> LinkFigures:
    """Measure what is asked for; `tell` is called after every row.

    A live run that fails leaves a row that says why, and the rows after it are measured in another run.

    Raises:
        UserError: no such robot; the firmware cannot run here.
    """
    robot = load_robot(bench.robot)
    check_firmware(bench.firmware)
    figures = LinkFigures(_radio(bench, robot, tell) if bench.radio_rows else [])
    if RADIO in bench.parts and bench.has_radio:
        _round_trips(bench, robot, figures)
    for part in (PROCESSES, BUSY):
        if part in bench.parts:
            _live(bench, part == BUSY, figures, tell)
    return figures


def _round_trips(bench: LinkBench, robot: RobotConfig, figures: LinkFigures) -> None:
    """Add the round trips; on a machine that starves the mock a row says why there are none."""
    try:
        for wire_time in (False, True):
            figures.trips.append(measure_round_trip(robot, bench.exchanges, wire_time))
    except LinkLost as error:
        figures.rows.append(FaultRow('round trip', PROCESSES, 0, 0, None, None, None, broken=str(error)))


def _live(bench: LinkBench, busy: bool, figures: LinkFigures, tell: Callable[[], object]) -> None:
    """Add the rows of live runs, one run after another until every fault has its row."""
    left = bench.live_faults
    while left:
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                LiveRobot(Path(folder), bench.robot, bench.firmware, busy=busy) as live,
            ):
                if figures.load is None and not busy:
                    live.walk(1.0)
                    figures.load = live.measure_load(bench.load_seconds)
                for row in measure_processes(live, bench.process_trials, left):
                    figures.rows.append(row)
                    del left[row.fault]
                    tell()
                figures.mock_starved |= live.mock_starved()
        except BenchFailedError as error:  # a run that does not come up; one of its rows says so
            first = next(iter(left))
            where = BUSY if busy else PROCESSES
            figures.rows.append(FaultRow(first, where, 0, 0, None, None, None, broken=str(error)))
            del left[first]


def _radio(bench: LinkBench, robot: RobotConfig, tell: Callable[[], object]) -> list[FaultRow]:
    """Measure the rows of the radio, as many at once as there are cores; what runs beside changes no figure.

    A firmware on a clock of its own makes it real time: one row after the other, and fewer bytes on the line.
    """
    simulated = bench.firmware == MOCK
    cases = CASES if simulated else [replace(case, line_bytes=min(case.line_bytes, REAL_TIME_BYTES)) for case in CASES]
    longest_first = sorted(cases, key=lambda case: -case.line_bytes)
    context = multiprocessing.get_context('spawn')
    others = (robot, bench.trials, bench.seed, microcontroller_of(bench.firmware))
    names = [row for row in bench.radio_rows if row != OUT_OF_REACH or robot.imageproc.timeout]
    with ProcessPoolExecutor(os.cpu_count() if simulated else 1, context) as pool:
        futures: dict[str, Future[FaultRow]] = {
            case.name: pool.submit(measure_fault, case, *others) for case in longest_first if case.name in names
        }
        for name, measure in ((RESET, measure_reset), (OUT_OF_REACH, measure_out_of_reach)):
            if name in names:
                futures[name] = pool.submit(measure, *others)
        for future in futures.values():
            future.add_done_callback(lambda _: tell())
        return [futures[name].result() for name in names]
