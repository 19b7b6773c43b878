"""Where the threads of the controller meet: the tick under way, what has arrived for it, and who waits for it."""

from __future__ import annotations

import threading

from millirobot_adapt.core.control.inbox import Inbox, StateArrival, Tick
from millirobot_adapt.core.estimation.quality import StateSample


class TickBoard:
    """The newest tick and the newest messages: the ticker and the messages write, the worker waits.

    `changed` guards it, and whatever its owner lets it guard besides; it may be held while a method is called.
    """

    def __init__(self, dt: float) -> None:
        """Begin without a tick; `dt` is the control period [s]."""
        self.changed = threading.Condition()
        self.inbox = Inbox(dt)
        """What has arrived."""
        self.tick: Tick | None = None
        """The tick that began last."""
        self._taken = -1
        self._closed = False

    def begin(self, tick: Tick) -> None:
        """Begin a tick."""
        with self.changed:
            self.tick = tick
            self.changed.notify_all()

    def add_state(self, sample: StateSample, steady: float) -> None:
        """Take a state that came at `steady` [s]; one that is not finite is no state."""
        with self.changed:
            if self.inbox.add_state(sample, steady):
                self.changed.notify_all()

    def close(self) -> None:
        """Let whoever waits go, for good."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()

    def next_tick(self) -> Tick | None:
        """Wait for a tick of a run that this method has not returned yet; None when closed."""

        def ready() -> bool:
            tick = self.tick
            return self._closed or (tick is not None and tick.run > 0 and tick.number > self._taken)

        with self.changed:
            self.changed.wait_for(ready)
            if self._closed or self.tick is None:
                return None
            self._taken = self.tick.number
            return self.tick

    def state_of(self, tick: Tick) -> StateArrival | None:
        """Wait for the state that was sampled in `tick`, at most until the next tick begins; None: it did not come."""

        def ready() -> bool:
            return self._closed or self.tick is not tick or self.inbox.answer(tick) is not None

        with self.changed:
            self.changed.wait_for(ready)
            return self.inbox.answer(tick)
