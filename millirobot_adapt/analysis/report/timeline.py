"""A run as the figures see it: its arrays on a common time axis, and the events on it."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.analysis.followed_path import FollowedPath
from millirobot_adapt.analysis.predictions import Predictions
from millirobot_adapt.analysis.run_data import RunData, Series, spoken
from millirobot_adapt.analysis.run_end import stops
from millirobot_adapt.core.robot.state import FloatArray

LINGER = 2.0
"""A stop this soon after the last tick still belongs to the run [s]."""


@dataclass(frozen=True)
class Event:
    """A fault that began, or a stop."""

    time: float
    """Since the first tick [s]."""
    name: str
    stop: bool


@dataclass(frozen=True)
class Timeline:
    """A run with its times counted from the first tick."""

    run: RunData
    track: FollowedPath | None
    predictions: Predictions | None
    events: list[Event]
    """Faults and stops, in the order of time."""
    span: tuple[float, float]
    """First and last time shown [s]."""
    dt: float
    """Control period [s]."""

    def times(self, stamps: FloatArray) -> FloatArray:
        """Return seconds since the first tick."""
        return stamps - self.run.origin

    def within(self, series: Series) -> Series:
        """Return the part of a series that lies in the time shown, in seconds since the first tick."""
        times = self.times(series.stamps)
        inside = (times >= self.span[0]) & (times <= self.span[1])
        return Series(times[inside], series.values[inside])

    @property
    def marks(self) -> list[tuple[float, str, bool]]:
        """The events as `finish_time_axis` takes them."""
        return [(event.time, event.name, event.stop) for event in self.events]


def timeline_of(run: RunData, track: FollowedPath | None, predictions: Predictions | None, dt: float) -> Timeline:
    """Set the time axis: from the first to the last tick, or the whole bag where there are no ticks."""
    end = (run.ticks[-1].stamp + dt if run.ticks else run.end) - run.origin
    events = [Event(f.received - run.origin, spoken(f), stop=False) for f in run.walk_faults]
    stopped = [Event(stop.time, 'stopped', stop=True) for stop in stops(run)]
    events += [event for event in stopped if event.time <= end + LINGER]
    last = max([end, *(event.time for event in events)])
    return Timeline(run, track, predictions, sorted(events, key=lambda event: event.time), (0.0, max(last, 1e-3)), dt)
