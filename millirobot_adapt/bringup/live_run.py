"""Conduct one live run: start the processes, arm, walk, stand down; however it ends, nothing is left running."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.processes import MANAGER, STOP_ORDER, NodeProcess
from millirobot_adapt.bringup.run_folder import RunFolder
from millirobot_adapt.bringup.run_progress import RunProgress
from millirobot_adapt.bringup.supervisor import Ended, Supervisor
from millirobot_adapt.contract.states import ManagerPhase
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.ros.operator import Operator

BAD_INPUT = 2
"""Exit code by which a node says that its parameters, files or devices are wrong."""

GIVING_UP = 1.0
"""When the manager gives up because a node has failed, that node ends within this time [s], and says more."""


class RunFailedError(Exception):
    """Say in one line why the run ended early."""


class InterruptedRunError(Exception):
    """The user asked to end the run."""


class LiveRun:
    """The processes of a run and the operator who commands them. Use it as a context manager."""

    def __init__(
        self,
        folder: RunFolder,
        environment: dict[str, str],
        interrupts: Interrupts,
        start_timeout: float = 90.0,
        tick_timeout: float = 3.0,
    ) -> None:
        """Prepare a run; nothing moves yet.

        Args:
            folder: Where its files go; `nodes.yaml` is there already.
            environment: Environment of the processes; the ROS part of it must be in force here too.
            interrupts: Tells when the user wants to end.
            start_timeout: Time until the robot must be ready to walk [s].
            tick_timeout: Time without a tick after which the run has failed [s].
        """
        self._folder = folder
        self._interrupts = interrupts
        self._start_timeout = start_timeout
        self._tick_timeout = tick_timeout
        self._supervisor = Supervisor(folder.logs, environment, STOP_ORDER)
        self._operator = Operator()
        self._armed = False

    def __enter__(self) -> LiveRun:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._armed:
                self._stand_down()
        finally:
            self._supervisor.stop()
            self._operator.close()

    def start(self, nodes: Sequence[NodeProcess]) -> None:
        """Start the processes of some nodes.

        Raises:
            InterruptedRunError: the user asked to end.
        """
        for node in nodes:
            self._check()
            self._supervisor.start(node.name, node.command(self._folder.node_parameters))

    def wait_for_file(self, path: Path) -> None:
        """Wait until a process has made `path` (the mock makes its serial port).

        Raises:
            InterruptedRunError: the user asked to end.
            RunFailedError: it did not appear in time, or a process ended.
            UserError: a process ended because of bad input.
        """
        self._wait(path.exists, lambda: f'{path} did not appear')

    def wait_until_ready(self) -> None:
        """Wait until the manager has brought every node up; it gives up by itself, with the reason.

        Raises:
            As `wait_for_file`.
        """
        self._wait(self._all_active, lambda: f'not ready to walk: {self._manager_said()}')

    def walk(self, seconds: float, progress: RunProgress) -> None:
        """Arm, start, and follow the ticks for `seconds` or until the end of the path.

        Raises:
            As `wait_for_file`; RunFailedError also when the robot was stopped on the way.
        """
        self._armed = True  # from here on an end of any kind first asks the robot to stand
        self._insist('bridge/arm')
        self._insist('controller/start')
        first: float | None = None
        last_arrival = time.monotonic()
        while True:
            self._operator.spin(0.05)
            ticks = list(self._operator.ticks)
            self._operator.ticks.clear()
            progress.update([tick for tick in ticks if tick.running])
            if ticks:  # those of a pause count, too: the controller is alive
                first = ticks[0].stamp if first is None else first
                last_arrival = time.monotonic()
                if ticks[-1].stamp - first >= seconds:
                    self._operator.call('controller/finish', 2.0)  # the run has reached its aim: time
                    return
            self._check()
            run = self._run_status()
            if first is not None and run.phase is RunPhase.FINISHED:
                return
            if run.phase is RunPhase.STOPPED:
                raise RunFailedError(f'the robot was {run.text}')
            if time.monotonic() - last_arrival > self._tick_timeout:
                raise RunFailedError(f'no tick came for {self._tick_timeout:g} s (controller: {run.text})')

    def collect(self, on_turn: Callable[[], None]) -> None:
        """Arm, and let the collector walk until it ends by itself; `on_turn` is called now and then.

        Raises:
            As `wait_for_file`; RunFailedError also when the robot was stopped on the way.
        """
        self._armed = True
        self._insist('bridge/arm')
        self._insist('collector/start')
        while (run := self._run_status()).phase is not RunPhase.FINISHED:
            if run.phase is RunPhase.STOPPED:
                raise RunFailedError(f'the robot was {run.text}')
            self._check()
            self._operator.spin(0.05)
            on_turn()

    def _insist(self, service: str) -> None:
        """Call a service until it agrees: what it waits for (the news that the bridge is armed) may be on its way."""
        deadline = time.monotonic() + self._tick_timeout
        while True:
            done, answer = self._operator.call(service, self._tick_timeout)
            if done:
                return
            if time.monotonic() > deadline:
                raise RunFailedError(f'/{service} was refused: {answer}')
            self._check()
            self._operator.spin(0.05)

    def _stand_down(self) -> None:
        """Ask for standstill; processes that are gone or hang are left to the supervisor."""
        for service in ('controller/stop', 'collector/stop', 'bridge/stop'):
            if self._supervisor.running(service.split('/')[0]):
                self._operator.call(service, 2.0)

    def _wait(self, condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
        deadline = time.monotonic() + self._start_timeout
        while not condition():
            self._check()
            if time.monotonic() > deadline:
                raise RunFailedError(f'{complaint()} within {self._start_timeout:g} s; see {self._folder.logs}')
            self._operator.spin(0.05)

    def _check(self) -> None:
        if self._interrupts.requested:
            raise InterruptedRunError
        ended = self._supervisor.ended()
        if ended is not None and ended.name == MANAGER.name:
            self._operator.spin(GIVING_UP)
            ended = self._supervisor.ended(last=MANAGER.name)
        if ended is not None:
            raise _complaint(ended)

    def _all_active(self) -> bool:
        manager = self._operator.manager
        return manager is not None and manager.phase is ManagerPhase.ACTIVE

    def _manager_said(self) -> str:
        manager = self._operator.manager
        return 'no word from the manager yet' if manager is None else manager.text

    def _run_status(self) -> RunStatus:
        controller = self._operator.controller
        return RunStatus(RunPhase.WAITING, 'no word yet') if controller is None else controller.run


def _complaint(ended: Ended) -> Exception:
    """Turn the end of a process into the user's mistake that it was, or into a failed run."""
    if ended.code == BAD_INPUT and ended.last_lines:
        return UserError(f'{ended.name}: {ended.last_lines[-1].removeprefix("error: ")}')
    return RunFailedError(f'{ended}; see {ended.log}')
