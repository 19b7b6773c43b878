"""Bring the stamps of motion capture and of the robot onto one time line that never steps.

The host's clock may be set while the robot walks; the steady clock tells by how much. Motion capture may be stamped by
another computer's clock; when a pose arrives tells by how much that one is ahead, up to the latency: a pose cannot
arrive before it was exposed, and no later than `LONGEST_LATENCY` after it. What is left between these bounds the gyro
tells (gyro_watch.py).
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import NamedTuple

from millirobot_adapt.core.robot.samples import Arrival

LEAST_STEP = 0.005
"""A smaller difference between the two clocks of the host from one arrival to the next is no step [s]."""
LONGEST_LATENCY = 0.165
"""Poses older than this at their arrival are stamped by another clock [s]."""
NOMINAL_LATENCY = 0.008
"""Assumed where only the clock's lead is known [s]."""
EARLY = 0.02
"""A pose that is stamped further ahead of its arrival is stamped wrong [s]."""
LARGEST_OFFSET = 0.5
"""A clock further off than this is refused [s]."""
SAME = 0.03
"""Ages that differ by less belong to one offset [s]."""
CONFIRM_TIME, CONFIRM_POSES = 0.2, 5
"""A clock has stepped when this many poses in this long agree about it [s]."""
GAP = 0.1
"""After a longer pause between arrivals a larger age may be latency instead of a step [s]."""
UNEVEN = 0.6
"""Stamps whose intervals differ from their mean by more than this share of it, on average, are those of arrival."""
FEWEST_FRAMES, DENSE = 10, 0.045
"""The order of arrival tells the time of arrival from this many frames on that come this often [s]."""
LONGEST_FRAME = 0.25
"""A longer time between two stamps is a pause, not the period of the poses [s]."""
SILENCE = 0.5
"""Without a reply for this long the time of arrival can no longer be told from the order of arrival [s]."""


class HostClock:
    """Take the steps of the host's clock out of its stamps, by the arrivals of samples on both clocks."""

    def __init__(self) -> None:
        self._difference: float | None = None
        self._shift = self._before = 0.0
        self._stepped_at = -float('inf')

    def see(self, arrival: Arrival | None) -> float:
        """Take an arrival; returns by how much the clock has just been set [s], 0 nearly always."""
        if arrival is None:
            return 0.0
        before, self._difference = self._difference, arrival.host - arrival.steady
        step = 0.0 if before is None else self._difference - before
        if abs(step) < LEAST_STEP:
            return 0.0
        self._before, self._shift, self._stepped_at = self._shift, self._shift + step, arrival.steady
        return step

    def continuous(self, stamp: float) -> float:
        """Return a stamp of the host's clock [s] as if that clock had never been set."""
        return stamp - self._shift

    def sampled(self, stamp: float, arrival: Arrival | None) -> float:
        """Return the same for a sample that may have been stamped before a step and have arrived after it."""
        if arrival is not None and arrival.steady < self._stepped_at + 1.0:
            age = self.continuous(arrival.host) - self.continuous(stamp)
            earlier = self.continuous(arrival.host) - (stamp - self._before)
            if not -EARLY <= age <= SILENCE and -EARLY <= earlier <= SILENCE:
                return stamp - self._before
        return self.continuous(stamp)


class Timed(NamedTuple):
    """What a clock says of a pose."""

    stamp: float
    """Corrected [s]."""
    arrived: float
    """When it arrived [s]; by the order of arrival where nothing better is known."""
    usable: bool
    """False: the stamp is wrong, or the offset of the clock is not known (yet)."""


class MocapClock:
    """Judge the age that each pose has at its arrival, and follow the offset of motion capture's clock."""

    def __init__(self) -> None:
        self.offset = 0.0
        """Taken off the stamps [s]."""
        self.certain = True
        """False while poses come so late that only the gyro can tell clock from latency."""
        self.refused: float | None = None
        """The offset that was found but is too large to be taken off [s]."""
        self.stamp_sd = 0.0
        """Standard deviation of stamps that come in bursts, as those of arrival do [s]; 0 where they do not."""
        self.steps = 0
        """How often the offset was changed."""
        self._ages: deque[float] = deque(maxlen=50)
        self._odd: list[tuple[float, float]] = []
        self._gap_before_odd = False
        self._known: list[float] = []
        """Offsets that were certain before [s]."""
        self._arrived = -float('inf')
        self._reply: float | None = None
        self._since_reply = 0
        self._frames: deque[float] = deque(maxlen=50)
        self._previous: float | None = None
        self._host_step: tuple[float, float] | None = None

    @property
    def usual_age(self) -> float:
        """Return how old poses usually are at their arrival [s]."""
        return max(0.0, median(self._ages)) if self._ages else 0.0

    @property
    def dense(self) -> bool:
        """Tell whether poses come often enough to show a stride."""
        return len(self._frames) >= FEWEST_FRAMES and sum(self._frames) <= DENSE * len(self._frames)

    @property
    def lags(self) -> tuple[float, float]:
        """Return between which lags [s] the stamps may still be late: from no latency at all to the longest."""
        return -self.usual_age - EARLY, LONGEST_LATENCY - self.usual_age + EARLY

    def on_reply(self, stamp: float) -> None:
        """Take the stamp of a reply [s]: poses that come after it arrive after it."""
        self._reply, self._since_reply = stamp, 0

    def on_host_step(self, step: float, now: float) -> None:
        """Note that the host's clock was set: poses of another computer's clock seem to step back by as much."""
        self._host_step = (step, now)
        self._known.clear()  # they were measured against the clock as it was

    def on_pose(self, stamp: float, arrived: float | None) -> Timed:
        """Judge a pose by its stamp and its arrival [s], both on the continuous time line."""
        known = arrived if arrived is not None else self._arrival(stamp)
        self._note_frame(stamp)
        if known is None:
            return Timed(stamp - self.offset, stamp - self.offset, usable=True)
        gap, self._arrived = known - self._arrived > GAP, known
        age = known - (stamp - self.offset)
        if self._moved_with_host(age, known):
            self.offset += self.usual_age - age
            self.steps += 1
            age = self.usual_age
        if -EARLY <= age <= LONGEST_LATENCY:
            self._odd.clear()
            self.refused = None
            self._ages.append(age)
            return Timed(stamp - self.offset, known, usable=True)
        self._follow(age, known, gap)
        age = known - (stamp - self.offset)
        return Timed(stamp - self.offset, known, usable=-EARLY <= age <= LONGEST_LATENCY)

    def _arrival(self, stamp: float) -> float | None:
        """Tell the time of arrival from the order of arrival: this many frames after the newest reply."""
        self._since_reply += 1
        if self._reply is None or not self.dense:
            return None  # between two replies there are too few poses to tell
        waited = self._since_reply * sum(self._frames) / len(self._frames)
        return self._reply + waited if waited < SILENCE else None

    def _note_frame(self, stamp: float) -> None:
        if self._previous is not None and 0.0 <= stamp - self._previous < LONGEST_FRAME:
            self._frames.append(stamp - self._previous)
        self._previous = stamp
        if len(self._frames) >= 2 * FEWEST_FRAMES:
            mean = sum(self._frames) / len(self._frames)
            spread = sum(abs(each - mean) for each in self._frames) / len(self._frames)
            self.stamp_sd = 0.5 * min(mean, spread) if spread > UNEVEN * mean else 0.0

    def _moved_with_host(self, age: float, now: float) -> bool:
        """Tell whether a new age is just what a step of the host's clock makes of a clock that did not step."""
        if self._host_step is None or not self._ages:
            return False
        step, when = self._host_step
        if now > when + 1.0:
            self._host_step = None
            return False
        # Those that were under way when the clock was set look the same; they are over after the usual age.
        if abs(age - self.usual_age - step) >= SAME or abs(step) < SAME or now < when + self.usual_age + SAME:
            return False
        self._host_step = None
        return True

    def _follow(self, age: float, now: float, gap: bool) -> None:
        """Take an age that no latency makes; when enough agree, the clock is off by what they say."""
        if self._odd and abs(age - median(each for _, each in self._odd)) > SAME:
            self._odd.clear()
        if not self._odd:
            self._gap_before_odd = gap
        self._odd.append((now, age))
        if len(self._odd) < CONFIRM_POSES or now - self._odd[0][0] < CONFIRM_TIME:
            return
        found = median(each for _, each in self._odd)
        offset = self.offset + (self.usual_age if self._ages else NOMINAL_LATENCY) - found
        if abs(offset) > LARGEST_OFFSET + (LONGEST_LATENCY if offset < 0.0 else 0.0):
            self.refused = offset
            del self._odd[:-CONFIRM_POSES]
            return
        if self.certain and self._ages and not self._is_known(self.offset):
            self._known.append(self.offset)
        # Poses that were late from the start, or since a pause, may be so by latency: the gyro has to tell, unless the
        # clock is back where it was.
        at_once = bool(self._ages) and not self._gap_before_odd
        self.certain = found < 0.0 or at_once or self._is_known(offset)
        self.offset, self.refused = offset, None
        self.steps += 1
        self._odd.clear()

    def _is_known(self, offset: float) -> bool:
        return any(abs(offset - known) < SAME for known in self._known)
