"""A live run in which controller and collector take turns: a sitting of learning."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from millirobot_adapt.bringup.live_run import LiveRun, RunFailedError
from millirobot_adapt.bringup.processes import NodeProcess
from millirobot_adapt.contract.states import ControllerState
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.safety.arbiter import ActionSource
from millirobot_adapt.ros.bring_up import BringUpError
from millirobot_adapt.ros.walk_listener import WalkListener

LOADING = 30.0
"""Longest wait until a model is loaded, beside a trainer [s]."""


class LearningRun(LiveRun):
    """Legs at random and along paths, in turn, by two nodes of which one drives at a time."""

    def __enter__(self) -> LearningRun:
        return self

    def listen(self) -> None:
        """Begin to keep what is walked; the nodes need not be there yet."""
        self._walked = WalkListener(self._operator.node)

    def arm(self) -> None:
        """Arm the bridge.

        Raises:
            As `wait_for_file`.
        """
        self._arm()

    def wait_until_armed(self) -> None:
        """Wait until somebody arms the bridge.

        Raises:
            As `wait_for_file`.
        """
        while (bridge := self._operator.bridge) is None or not bridge.armed:
            self._check()
            self._operator.spin(0.05)

    def bring_up(self, nodes: Sequence[NodeProcess]) -> None:
        """Start nodes that the manager does not know, and activate them.

        Raises:
            As `wait_for_file`.
        """
        self.start(nodes)
        try:
            self._operator.bring_up([node.name for node in nodes], self._start_timeout)
        except BringUpError as error:
            self._check()  # a node that has ended says more
            raise RunFailedError(str(error)) from None

    def load_model(self, folder: Path) -> tuple[bool, str]:
        """Swap in a model; returns whether that was done, and the revision or why not."""
        return self._operator.load_model(str(folder), LOADING)

    def leg_at_random(self) -> None:
        """Let the collector walk until it ends by itself.

        Raises:
            As `wait_for_file`; RunFailedError also when the robot was stopped on the way.
        """
        self._insist('collector/start')
        self._wait_until_running(ActionSource.COLLECTOR)
        while (run := self._status_of(ActionSource.COLLECTOR)).phase is not RunPhase.FINISHED:
            self._go_on(run)

    def leg_along(self, path: ReferencePath, seconds: float, inside: Callable[[FloatArray], bool]) -> list[TickRecord]:
        """Let the controller walk along a path in `world` for some time, or while `inside` says so of the state.

        Returns:
            Its ticks.

        Raises:
            As `wait_for_file`; RunFailedError also when the robot was stopped on the way.
        """
        self._operator.publish_path(path)
        self._operator.spin(0.5)  # a path that comes after the start counts for the next one
        self._operator.ticks.clear()
        self._insist('controller/start')
        self._wait_until_running(ActionSource.CONTROLLER)
        end = time.monotonic() + seconds
        while (run := self._status_of(ActionSource.CONTROLLER)).phase is not RunPhase.FINISHED:
            self._go_on(run)
            state = self.state
            if time.monotonic() > end or (state is not None and not inside(state)):
                self._operator.call('controller/finish', 2.0)
        return list(self._operator.ticks)

    @property
    def state(self) -> FloatArray | None:
        """The newest state; None before the first."""
        return self._walked.newest

    @property
    def model(self) -> str:
        """Name of the model in use; '' before the controller says."""
        told = self._operator.sources.get(ActionSource.CONTROLLER)
        return '' if told is None else str(told.details.get(ControllerState.MODEL, ''))

    def walked(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return what came since this was asked last: stamps, states, stamps of actions, actions."""
        return self._walked.take()

    def restart_tool(self, name: str, command: Sequence[str]) -> bool:
        """Start a tool again if it has ended; returns whether it had."""
        if self._supervisor.running(name):
            return False
        self._supervisor.stop_one(name)
        self.start_tool(name, command)
        return True

    def _wait_until_running(self, source: ActionSource) -> None:
        """Wait for the news that a run has begun: what was told last is how the one before ended."""
        self._wait(
            lambda: self._status_of(source).phase is RunPhase.RUNNING,
            lambda: f'{source.value} did not say that it runs',
        )

    def _status_of(self, source: ActionSource) -> RunStatus:
        told = self._operator.sources.get(source)
        return RunStatus(RunPhase.WAITING, 'no word yet') if told is None else told.run


def mean_cost(ticks: Sequence[TickRecord]) -> float:
    """Return the mean executed cost of a step; NaN where there is none."""
    costs = np.array([tick.step_cost for tick in ticks])
    return float(np.nanmean(costs)) if np.isfinite(costs).any() else float('nan')
