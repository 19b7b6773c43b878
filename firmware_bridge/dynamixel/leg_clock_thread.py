"""The thread that runs the leg clock at its rate, and what it shares with the thread that gives it actions."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import numpy as np

from firmware_bridge.channel import SLICE
from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.dynamixel.leg_clock import SIDES
from firmware_bridge.dynamixel.leg_sample import LegSample
from firmware_bridge.dynamixel.leg_servos import LegServos
from firmware_bridge.transports import TransportLost
from millirobot_adapt.core.robot.state import FloatArray

FREEZE_AFTER = 0.2
"""An action older than this stops the legs [s]."""
JOIN_TIME = 1.0
"""The thread ends within this time [s]."""


class LegClockThread:
    """Cycle the legs at the newest action; stop them where it is older than `FREEZE_AFTER`.

    Without a thread of its own (a simulation in its own time) whoever owns it calls `cycle` or `cycle_and_note`.
    """

    def __init__(self, period: float, clock: Clock) -> None:
        """Make one that does not run yet; `period` is the time between two cycles [s]."""
        self._period = period
        self._clock = clock
        self.bus_free = threading.Lock()
        """Held for a cycle, and by whoever else talks to the servos."""
        self._cycled = threading.Condition()  # guards what follows
        self._action: FloatArray = np.zeros(SIDES)
        self._acted_at = -math.inf
        self._begun_at = -math.inf
        self._sample: LegSample | None = None
        self.failure = ''
        """Why it has ended by itself; empty: it has not."""
        self._legs: LegServos | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self.counted = {'cycles': 0, 'slow_cycles': 0}

    @property
    def runs(self) -> bool:
        """A thread has been started and not ended by `end`."""
        return self._thread is not None

    def begin(self, legs: LegServos, in_background: bool) -> None:
        """Cycle these legs from now on, at no action yet."""
        self._legs = legs
        with self._cycled:
            self.failure, self._closing, self._sample = '', False, None
            self._action, self._acted_at = np.zeros(SIDES), -math.inf
        if in_background:
            self._thread = threading.Thread(target=self._run, name='leg clock', daemon=True)
            self._thread.start()

    def end(self) -> None:
        """End the thread, once the cycle under way is over."""
        thread, self._closing = self._thread, True
        if thread is not None:
            thread.join(JOIN_TIME)
        self._thread = None

    def act(self, action: FloatArray) -> None:
        """Cycle at an action, shape (2,) [rad/s], from the next cycle on."""
        with self._cycled:
            self._action, self._acted_at = np.array(action, dtype=float), self._clock.steady()

    def halt(self) -> None:
        """Cycle at zero, and leave the age of the action as it is."""
        with self._cycled:
            self._action = np.zeros(SIDES)

    def cycle(self) -> None:
        """Read all legs and command all, once.

        Raises:
            TransportLost: the port is gone.
            LinkLost: too few servos are left, or their watchdog has expired.
        """
        with self.bus_free:
            if self._closing:
                return
            assert self._legs is not None
            with self._cycled:
                begun = self._clock.steady()
                fresh = begun - self._acted_at <= FREEZE_AFTER
                rate = self._action if fresh and self._legs.motors_on else np.zeros(SIDES)
            sample = self._legs.cycle(rate)
            self.counted['cycles'] += 1
            with self._cycled:
                self._begun_at, self._sample = begun, sample
                self._cycled.notify_all()

    def cycle_and_note(self) -> None:
        """Cycle once; an error of the link becomes `failure`."""
        try:
            self.cycle()
        except (TransportLost, LinkLost) as error:
            self._note(error)

    def await_cycle(
        self, since: float, timeout: float, interrupt: Callable[[], bool], beat: Callable[[], None]
    ) -> LegSample | None:
        """Wait for a cycle that began at `since` [s, steady clock] or later, or for a failure.

        Args:
            since: Time that the cycle must not have begun before [s, steady clock].
            timeout: Longest wait [s].
            interrupt: Ends the wait as soon as it returns True.
            beat: Is called now and then meanwhile.

        Returns:
            What the last cycle read; None when none was over in time, or no servo answered.
        """
        with self._cycled:
            while not self.failure and self._begun_at < since:
                left = since + timeout - self._clock.steady()
                if left <= 0 or interrupt():
                    return None
                self._clock.wait(self._cycled, min(left, SLICE))
                beat()
            return self._sample

    def _run(self) -> None:
        """Cycle until `end`; an error ends the thread, and the next exchange reports it."""
        due = self._clock.steady()
        try:
            while not self._closing:
                self.cycle()
                due += self._period
                left = due - self._clock.steady()
                if left < -self._period:  # what was missed is not made up
                    self.counted['slow_cycles'] += 1
                    due, left = self._clock.steady(), 0.0
                self._clock.sleep(max(0.0, left))
        except Exception as error:  # it must not end unseen
            self._note(error)

    def _note(self, error: Exception) -> None:
        expected = isinstance(error, TransportLost | LinkLost)
        with self._cycled:
            self.failure = str(error) if expected else f'the leg clock failed: {type(error).__name__}: {error}'
            self._cycled.notify_all()
