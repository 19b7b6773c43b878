"""The phases of a run: not begun -> running <-> paused -> finished or stopped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from millirobot_adapt.core.safety.causes import HoldCause, StopCause


class NotReadyError(Exception):
    """Say why what the operator asks cannot be done."""


class RunPhase(Enum):
    """Where a source of actions that works in runs (controller, collector) stands."""

    WAITING = 'waiting'
    """No run is in progress, and something is missing before one can start."""
    IDLE = 'idle'
    """No run has begun yet; one can start."""
    RUNNING = 'running'
    PAUSED = 'paused'
    FINISHED = 'finished'
    """The last run reached its aim."""
    STOPPED = 'stopped'
    """The last run ended before its aim."""

    @property
    def ended(self) -> bool:
        """Whether a run has ended this way."""
        return self in (RunPhase.FINISHED, RunPhase.STOPPED)


@dataclass(frozen=True)
class RunStatus:
    """Where the runs stand, for programs and for people."""

    phase: RunPhase
    reason: str = ''
    """What is missing, why the run was paused, or how it ended; may be empty."""
    cause: StopCause = StopCause.NONE
    """Of `STOPPED`: who or what ended the run."""

    @property
    def text(self) -> str:
        """Say it for people."""
        return f'{self.phase.value}: {self.reason}' if self.reason else self.phase.value


@dataclass(frozen=True)
class BridgeNews:
    """What a source of actions has to know of the bridge."""

    armed: bool
    reason: str = ''
    """Why the robot is not armed, or stands; for people."""
    taken_by: str = ''
    """Which other source drives; empty: none does."""
    hold: HoldCause = HoldCause.NONE
    """Why the robot stands although it is armed."""

    def check_free(self) -> None:
        """Check that a run may begin.

        Raises:
            NotReadyError: the bridge is not armed, or another source drives.
        """
        if not self.armed:
            raise NotReadyError('the bridge is not armed; call its ~/arm first')
        if self.taken_by:
            raise NotReadyError(f'{self.taken_by} drives the robot')


class RunState:
    """The current run, if any, and how the last one ended; not thread-safe, its owner holds a lock."""

    def __init__(self) -> None:
        """Begin without a run."""
        self.number = 0
        """How many runs have begun."""
        self._status = RunStatus(RunPhase.IDLE)

    @property
    def running(self) -> bool:
        """A run is in progress, walking or paused."""
        return self._status.phase in (RunPhase.RUNNING, RunPhase.PAUSED)

    @property
    def paused(self) -> bool:
        """A run is in progress and is paused."""
        return self._status.phase is RunPhase.PAUSED

    @property
    def walking(self) -> bool:
        """A run is in progress and is not paused."""
        return self._status.phase is RunPhase.RUNNING

    def begin(self) -> None:
        """Begin another run."""
        self.number += 1
        self._status = RunStatus(RunPhase.RUNNING)

    def pause(self, reason: str = '') -> None:
        """Interrupt the run without ending it."""
        self._status = RunStatus(RunPhase.PAUSED, reason)

    def resume(self) -> None:
        """Go on with the run."""
        self._status = RunStatus(RunPhase.RUNNING)

    def finish(self, reason: str = '') -> None:
        """End the run as one that has reached its aim."""
        self._status = RunStatus(RunPhase.FINISHED, reason)

    def stop(self, reason: str, cause: StopCause) -> None:
        """End the run before its aim."""
        self._status = RunStatus(RunPhase.STOPPED, reason, cause)

    def status(self, missing: str) -> RunStatus:
        """Return where the runs stand; `missing` says what a run could not start without, empty for nothing."""
        if self._status.phase is RunPhase.IDLE and missing:
            return RunStatus(RunPhase.WAITING, missing)
        return self._status
