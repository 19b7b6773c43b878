"""Where a run stands: not begun -> running <-> paused -> finished or stopped."""

from __future__ import annotations


class NotReadyError(Exception):
    """Say why what the operator asks cannot be done."""


class RunState:
    """The run that goes on, if any, and how the last one ended; whoever owns it guards it."""

    def __init__(self) -> None:
        """Begin without a run."""
        self.number = 0
        """How many runs have begun."""
        self.running = False
        """A run goes on, walking or paused."""
        self.paused = False
        self.ended = ''
        """How the last run ended, in words; empty while one goes on and before the first."""

    @property
    def walking(self) -> bool:
        """A run goes on and is not paused."""
        return self.running and not self.paused

    def begin(self) -> None:
        """Begin another run."""
        self.number += 1
        self.running, self.paused, self.ended = True, False, ''

    def end(self, how: str) -> None:
        """End the run, `how` in words that begin with finished or stopped."""
        self.running, self.paused, self.ended = False, False, how
