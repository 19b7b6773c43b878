"""The faults of the radio, one row each, in simulated time; in real time where the robot runs on its own clock.

Every trial walks, lets the fault begin, stops the setpoints some time later (if the robot still walks), waits
for the motors, ends the fault, and asks for the robot until it can be armed again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from millirobot_adapt.benchmarks.link.rows import BenchFailedError, FaultRow
from millirobot_adapt.benchmarks.link.simulated_link import SimulatedLink
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.microcontroller import MakeMicrocontroller, Microcontroller
from millirobot_adapt.sim.radio_faults import RadioFaults

PATIENCE = 20.0
"""Longest wait for the link and for the robot to be armed [s]."""
BEFORE = 0.5
"""Walking before the fault begins [s]."""
SHORTEST_FAULT, LONGEST_FAULT = 0.3, 6.0
"""The setpoints stop this long after the fault has begun, evenly spread [s]."""
OBSERVED = 1.0
"""The motors are watched for this long after the setpoints have stopped [s]."""
FAST_PERIOD = 0.05
"""Time between two setpoints where many bytes are wanted [s]."""
PERIOD = 0.1
"""Time between two setpoints elsewhere [s]."""
RESET, OUT_OF_REACH = 'reset', 'radio out of reach'
TIMEOUT_TOLERANCE_MS = 20.0
"""The robot's own timeout may end its motion this much late [ms]."""


@dataclass(frozen=True)
class Case:
    """A fault of the radio that lasts."""

    name: str
    faults: RadioFaults
    period: float = PERIOD
    """Time between two setpoints [s]."""
    stops: bool = False
    """The fault alone has to stop the robot, as no reply comes in time any more: its begin is the cause."""
    line_bytes: int = 0
    """At least this many bytes have to go over the serial line while the fault lasts."""


CASES = (
    Case('none', RadioFaults()),
    Case('loss 10 %', RadioFaults(loss=0.1)),
    Case('loss 30 %', RadioFaults(loss=0.3)),
    Case('replies lost', RadioFaults(reply_loss=1.0), stops=True),
    Case('delay 50 ms', RadioFaults(delay=0.05), stops=True),
    Case('jitter 40 ms', RadioFaults(jitter=0.04)),
    Case('duplication 20 %', RadioFaults(duplication=0.2)),
    Case('reordering 20 %', RadioFaults(reordering=0.2)),
    Case('corruption 1e-3 a byte', RadioFaults(corruption=1e-3), FAST_PERIOD, line_bytes=1_000_000),
    Case('truncation 10 %', RadioFaults(truncation=0.1)),
    Case('stale replies 20 %', RadioFaults(stale=0.2)),
)


def measure_fault(
    case: Case, robot: RobotConfig, trials: int, seed: int, microcontroller: MakeMicrocontroller = Microcontroller
) -> FaultRow:
    """Measure one lasting fault."""

    def trial(tally: _Tally, rng: np.random.Generator, last: bool) -> None:
        link = tally.link
        with_fault = float(rng.uniform(SHORTEST_FAULT, LONGEST_FAULT))
        tally.begin()
        link.radio.faults = case.faults
        if case.stops:
            tally.await_stop(link.clock.steady())
        link.live(with_fault)
        if last:
            link.live(3600.0, until=lambda: tally.line_bytes >= case.line_bytes)
        tally.stop_setpoints()
        link.radio.faults = RadioFaults()
        tally.end()

    return _measure(case.name, trial, SimulatedLink(robot, seed, case.period, microcontroller), trials, seed)


def measure_reset(
    robot: RobotConfig, trials: int, seed: int, microcontroller: MakeMicrocontroller = Microcontroller
) -> FaultRow:
    """Let the robot restart in the middle of a walk; its motors are off at once, setpoints go on coming."""

    def trial(tally: _Tally, rng: np.random.Generator, last: bool) -> None:
        link = tally.link
        link.live(float(rng.uniform(0.0, 1.0)))
        tally.begin()
        link.world.microcontroller.power_up()
        reset_at = link.world.time
        tally.await_stop(reset_at)
        tally.end(since=reset_at)

    return _measure(RESET, trial, SimulatedLink(robot, seed, PERIOD, microcontroller), trials, seed)


def measure_out_of_reach(
    robot: RobotConfig, trials: int, seed: int, microcontroller: MakeMicrocontroller = Microcontroller
) -> FaultRow:
    """Let the radio lose every packet in the middle of a walk: only the robot's own timeout can stop it.

    The time runs from the last packet that the robot heard, by the robot's clock.
    """

    def trial(tally: _Tally, rng: np.random.Generator, last: bool) -> None:
        link = tally.link
        link.live(float(rng.uniform(0.0, 1.0)))
        tally.await_walk()
        tally.begin()
        link.radio.faults = RadioFaults(loss=1.0)
        tally.await_stop(None)
        link.radio.faults = RadioFaults()
        tally.end()

    row = _measure(OUT_OF_REACH, trial, SimulatedLink(robot, seed, PERIOD, microcontroller), trials, seed)
    return replace(row, bound_ms=robot.imageproc.timeout + TIMEOUT_TOLERANCE_MS)


def _measure(name: str, trial: _Trial, link: SimulatedLink, trials: int, seed: int) -> FaultRow:
    """Let a robot that walks meet a fault as often as there are trials, and close the link."""
    with closing(link):
        rng, tally = generator(seed), _Tally(link)
        for number in range(trials):
            tally.arm_and_walk()
            trial(tally, rng, number == trials - 1)
        return tally.row(name)


class _Tally:
    """Count over the trials of one row."""

    def __init__(self, link: SimulatedLink) -> None:
        self.link = link
        self._sent = self._replies = self._bytes = 0
        self._before = (0, 0, 0)
        self._worst_stop: float | None = None
        self._worst_rearm = 0.0
        link.live(PATIENCE, until=lambda: link.driver.status().link is LinkState.UP)

    @property
    def line_bytes(self) -> int:
        """Bytes on the line while the fault lasted, the trial under way included."""
        return self._bytes + self.link.radio.bytes_carried - self._before[2]

    def arm_and_walk(self) -> None:
        link = self.link
        link.speaking = True
        link.live(PATIENCE, until=link.ready)
        link.live(BEFORE)
        self.await_walk()

    def await_walk(self) -> None:
        """Check that the robot walks; in real time a busy machine may hold it for a moment."""
        link = self.link
        if link.in_real_time:
            link.live(PATIENCE, until=self._walks)
        if not self._walks():
            raise BenchFailedError(f'the robot did not walk: {link.driver.status().reason or "no setpoint came"}')

    def _walks(self) -> bool:
        return self.link.driver.status().armed and any(self.link.world.microcontroller.command)

    def begin(self) -> None:
        self._before = self._counts()

    def stop_setpoints(self) -> None:
        """Stop the setpoints and see when the motors are commanded to stand."""
        self.link.speaking = False
        ceased = self.link.last_setpoint
        self.await_stop(ceased)

    def await_stop(self, cause: float | None) -> None:
        """Note how long after the cause [s] the motors are commanded to stand; nothing if they already stood.

        Without a cause the time runs from the last packet that the robot heard.
        """
        self.link.live(OBSERVED)
        microcontroller = self.link.world.microcontroller
        if any(microcontroller.command):
            elapsed = OBSERVED
        elif cause is None:
            elapsed = microcontroller.silence_before_command
        else:
            elapsed = microcontroller.command_since - cause
        if elapsed >= 0.0:
            self._worst_stop = max(self._worst_stop or 0.0, elapsed)

    def end(self, since: float | None = None) -> None:
        """End the fault and wait until the operator can arm; `since` is its end if that was earlier [s]."""
        sent, replies, line_bytes = (now - then for now, then in zip(self._counts(), self._before, strict=True))
        self._sent += sent
        self._replies += replies
        self._bytes += line_bytes
        ended = self.link.clock.steady() if since is None else since
        self.link.speaking = True
        self.link.live(PATIENCE, until=self.link.ready)
        self._worst_rearm = max(self._worst_rearm, self.link.clock.steady() - ended)

    def row(self, fault: str) -> FaultRow:
        return FaultRow(
            fault=fault,
            where='real time' if self.link.in_real_time else 'simulated',
            sent=self._sent,
            replies=self._replies,
            wrong_accepted=self.link.truth.wrong,
            stop_ms=None if self._worst_stop is None else 1e3 * self._worst_stop,
            rearm_s=self._worst_rearm,
            line_bytes=self._bytes,
        )

    def _counts(self) -> tuple[int, int, int]:
        counters = self.link.link.counters
        return counters.sent, counters.replies, self.link.radio.bytes_carried


_Trial = Callable[[_Tally, np.random.Generator, bool], None]
"""Lets a fault happen to a robot that walks; told is whether it is the last trial of its row."""
