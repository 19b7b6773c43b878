"""What every robot's driver can do: connect, start, exchange, stop, and what happens when nobody speaks any more.

A driver carries actions to one kind of robot and brings its telemetry back. `bridge_loop.py` uses it and knows no
protocol; `driver_factory.py` chooses the driver that the robot's file names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray


class LinkLost(Exception):  # noqa: N818 - it names an event, not a mistake
    """Nobody knows what the robot's motors do; `RobotDriver.start` tries again."""


class Interrupted(Exception):  # noqa: N818 - it names an event, not a mistake
    """The wait was ended because the thread is needed for something more urgent."""


@dataclass(frozen=True)
class Exchange:
    """One setpoint sent and what came back."""

    sent: FloatArray
    """What the robot was commanded, after the rounding of its protocol, in the units of its actions, shape (nu,)."""
    stamp: float
    """Time of sending [s, host clock]."""
    telemetry: Telemetry | None
    """The reply in SI units; None when none came in time."""
    round_trip: float | None
    """From sending to the complete reply [s]."""


@dataclass(frozen=True)
class SilencePromise:
    """What the robot does by itself when it hears nothing any more: the computer froze, or the dongle was pulled."""

    after: float | None
    """It stops its motors after this much silence [s]; None: it does not."""
    verified: bool
    """This robot has been seen to keep the promise."""
    check: str
    """What an operator runs to verify it."""
    loss: str = 'pulling the dongle'
    """What silences the computer and leaves the robot on."""

    @property
    def warning(self) -> str | None:
        """What to tell an operator before arming; None when the promise is known to be kept."""
        if self.after is not None and self.verified:
            return None
        return f'{self.loss} is not covered: this robot has not been seen to stop by itself ({self.check})'


class RobotDriver(Protocol):
    """Drive one robot; synchronous, for one thread.

    The caller calls one of the methods at least every 50 ms (`beat`, if there is nothing else to do), or a guardian
    process writes `last_words` to the robot.
    """

    @property
    def state(self) -> LinkState:
        """Where the link to the robot stands; actions can be exchanged only in `UP`."""

    @property
    def motors_on(self) -> bool:
        """False only when the robot has confirmed that its motors are off."""

    @property
    def silence_promise(self) -> SilencePromise:
        """What the robot does when it hears nothing any more."""

    @property
    def last_words(self) -> bytes:
        """What the guardian writes when this process is gone or hangs: stop, then motors off."""

    def counts(self) -> Mapping[str, int | float | str]:
        """Return what the driver has counted since it was made, for the diagnostics and the summary of a run."""

    def interrupt_when(self, interrupt: Callable[[], bool]) -> None:
        """End every wait but those of `stop` as soon as `interrupt` returns True."""

    def beat(self) -> None:
        """Tell the guardian that the caller's thread is alive."""

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done or what has happened to it; a dead one is replaced.

        Raises:
            LinkLost: it cannot be replaced.
        """

    def connect(self) -> None:
        """Open the port and start the guardian; send nothing.

        Raises:
            UserError: the port does not exist, is in use, ...
            LinkLost: the guardian cannot be started.
        """

    def start(self) -> None:
        """Connect (unless `connect` did) and start the robot up; it is commanded to stand.

        Raises:
            UserError: the port cannot be opened, or the robot is not the one that its file describes.
            LinkLost: the robot does not answer as it should.
            Interrupted: see `interrupt_when`; the port stays open.
        """

    def exchange(self, action: FloatArray, patience: float = math.inf) -> Exchange:
        """Send an action, shape (nu,), and wait at most `patience` [s] for the telemetry that answers it.

        Raises:
            LinkLost: the robot is gone, has restarted, or obeys somebody else.
        """

    def start_motors(self) -> None:
        """Switch the motors on.

        Raises:
            LinkLost: the robot did not confirm it.
            Interrupted: see `interrupt_when`.
        """

    def stop(self) -> bool:
        """Command standstill, switch the motors off; return True when both are confirmed. Never raises."""

    def close(self) -> None:
        """Close the port; the robot is not told (see `stop`)."""
