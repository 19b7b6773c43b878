"""How a run came to its end, as bridge, controller and manager told it."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.analysis.run_data import RunData
from millirobot_adapt.contract.states import ManagerPhase
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.recording.stored_states import bridge_state, controller_state, manager_state

SAME_STOP = 2.0
"""Two stops for one reason this close to each other are one [s]."""


@dataclass(frozen=True)
class RunStop:
    """Bridge or controller stopped the robot by itself."""

    time: float
    """Since the first tick [s]."""
    reason: str


def outcome(run: RunData) -> str | None:
    """Return how the last run ended, as the controller says; None: it did not."""
    return next((status.text for _, status in reversed(_runs(run)) if status.phase.ended), None)


def why_it_ended(run: RunData) -> str | None:
    """Return why the manager ended the run before its time; None: it did not."""
    last = manager_state(run.manager[-1].text, run.manager[-1].values) if run.manager else None
    return last.reason if last is not None and last.phase is ManagerPhase.FAILED else None


def stops(run: RunData) -> list[RunStop]:
    """List the times that the bridge disarmed or the controller gave up, the orderly ones left out."""
    seen: dict[str, float] = {}
    chosen = []
    for time, reason, cause in sorted([*_disarmed(run), *_given_up(run)], key=lambda stop: stop[0]):
        # Bridge and controller may report the same stop, one just after the other, and the manager then stops the rest.
        earlier = seen.values() if cause is StopCause.MANAGER else [seen[reason]] if reason in seen else []
        if not any(time - stop <= SAME_STOP for stop in earlier):
            chosen.append(RunStop(time - run.origin, reason))
        seen[reason] = time
    return chosen


def _disarmed(run: RunData) -> list[tuple[float, str, StopCause]]:
    """Return when the bridge disarmed by itself [s since the epoch], and why."""
    found = []
    armed = False
    for status in run.bridge:
        state = bridge_state(status.text, status.values)
        if state is None:
            continue
        if armed and not state.armed and state.cause.by_itself:
            found.append((status.received, state.last_stop, state.cause))
        armed = state.armed
    return found


def _given_up(run: RunData) -> list[tuple[float, str, StopCause]]:
    """Return when the controller stopped a run by itself [s since the epoch], and why."""
    found = []
    before = None
    for received, now in _runs(run):
        if now.phase is RunPhase.STOPPED and before is not RunPhase.STOPPED and now.cause.by_itself:
            found.append((received, now.reason, now.cause))
        before = now.phase
    return found


def _runs(run: RunData) -> list[tuple[float, RunStatus]]:
    """Return where the controller's runs stood, each with the time at which it said so [s since the epoch]."""
    states = ((status.received, controller_state(status.text, status.values)) for status in run.controller)
    return [(received, state.run) for received, state in states if state is not None]
