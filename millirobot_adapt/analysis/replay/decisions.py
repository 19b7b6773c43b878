"""Read what estimator and controller wrote down about themselves: all that is needed to do it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.replay.live_parameters import revision_of
from millirobot_adapt.contract.arrival_record import ArrivalRecord
from millirobot_adapt.contract.messages import joint_values, microseconds, reference_path, seconds
from millirobot_adapt.contract.state_codec import decode_state
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import (
    ARRIVALS,
    CONTROLLER_STATE,
    ODOMETRY,
    PARAMETERS,
    REFERENCE,
    SETPOINT,
    STATE,
    TICK,
)
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.recording.reader import Bag

DECISIONS = (ARRIVALS, CONTROLLER_STATE, ODOMETRY, PARAMETERS, REFERENCE, SETPOINT, STATE, TICK)


@dataclass
class RecordedRun:
    """The ticks from one start of the controller to its end, in their order."""

    path: ReferencePath | None
    """The path they followed; None when the bag has lost it."""
    ticks: list[TickRecord]
    whole: bool
    """The first tick is there, in which the loop remembered nothing."""


@dataclass
class Decisions:
    """The decisions of a live run, in the order of receipt."""

    arrivals: list[ArrivalRecord] = field(default_factory=list)
    odometries: dict[int, Any] = field(default_factory=dict)
    """nav_msgs/Odometry by stamp [us]."""
    states: dict[int, StateSample] = field(default_factory=dict)
    """What the estimator published on `state`, by stamp [us]; empty in older bags."""
    ticks: list[TickRecord] = field(default_factory=list)
    setpoints: dict[int, FloatArray] = field(default_factory=dict)
    """What the controller published [rad/s], shape (nu,), by stamp [us]."""
    references: list[tuple[float, ReferencePath]] = field(default_factory=list)
    """Stamp [s] and path."""
    revisions: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Live parameters of the controller by the number that ticks give them."""
    fingerprint: str = ''
    """Of the controller; '' when it is not known."""

    def add(self, topic: str, message: Any) -> None:
        """Sort one message in."""
        if topic == ARRIVALS.name:
            self.arrivals.append(ArrivalRecord.decode(message.data))
        elif topic == ODOMETRY.name:
            self.odometries[microseconds(seconds(message.header.stamp))] = message
        elif topic == STATE.name:
            sample = decode_state(message.data)
            self.states[microseconds(sample.stamp)] = sample
        elif topic == TICK.name:
            self.ticks.append(decode_tick(message.data))
        elif topic == SETPOINT.name:
            self.setpoints[microseconds(seconds(message.header.stamp))] = joint_values(message, list(message.name))
        elif topic == REFERENCE.name:
            self.references.append((seconds(message.header.stamp), reference_path(message)))
        elif topic == PARAMETERS.name:
            revision, parameters = revision_of(message.data)
            self.revisions[revision] = parameters
        elif topic == CONTROLLER_STATE.name:
            details = {pair.key: pair.value for pair in message.values}
            self.fingerprint = details.get('fingerprint', self.fingerprint)

    def runs(self, dt: float, shape: str) -> Iterator[RecordedRun]:
        """Yield the runs; the first tick of a run that has a state has no plan to start from.

        Args:
            dt: Control period [s].
            shape: Name of the path, which chooses the weights of the executed cost.
        """
        run: RecordedRun | None = None
        decided = False  # whether a tick of this run had a state; those before it may have had none
        for tick in self.ticks:
            had_state = len(tick.window_mask) > 0
            first = had_state and not np.isfinite(tick.previous_plan).any()
            if run is None or not _follows(tick, run.ticks[-1]) or (first and decided):
                if run is not None:
                    yield run
                run, decided = RecordedRun(None, [], whole=False), False
            if not decided:
                run.path = self._path_of(tick, dt, shape)
            run.ticks.append(tick)
            run.whole = run.whole or first
            decided = decided or had_state
        if run is not None:
            yield run

    def _path_of(self, tick: TickRecord, dt: float, shape: str) -> ReferencePath | None:
        """Return the newest path at a tick; it is published in the first tick of a run or before it."""
        before = [path for stamp, path in self.references if stamp <= tick.stamp + dt]
        return ReferencePath(before[-1].waypoints, before[-1].closed, shape) if before else None


def _follows(tick: TickRecord, last: TickRecord) -> bool:
    """Tell whether a tick may belong to the run of the one recorded before it.

    Between two runs there are ticks without a record. Within a run records are missing where the planner was late,
    which counts as misses, or where the recorder lost them: then the tick still had a plan to start from.
    """
    had_plan = len(tick.previous_plan) > 0 and bool(np.isfinite(tick.previous_plan).any())
    return tick.tick == last.tick + 1 or (tick.tick > last.tick and (tick.misses > 0 or had_plan))


def read_decisions(bag: Bag) -> Decisions:
    """Read a bag; a message whose content makes no sense is left out with a warning.

    Raises:
        UserError: nothing in the bag is readable.
    """
    decisions = Decisions()
    messages = bag.messages(DECISIONS)
    for topic, message, _ in tqdm(messages, desc='reading', unit=' messages', disable=None, leave=False):
        try:
            decisions.add(topic, message)
        except (ValueError, IndexError, UserError):
            bag.broken[topic] += 1
    return decisions
