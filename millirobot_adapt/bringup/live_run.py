"""Conduct one live run: start the processes, arm, walk, stop; however it ends, nothing is left running."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from millirobot_adapt.bringup.console import Console
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.processes import MANAGER, STOP_ORDER, NodeProcess
from millirobot_adapt.bringup.run_folder import RunFolder
from millirobot_adapt.bringup.run_progress import RunProgress
from millirobot_adapt.bringup.supervisor import Ended, Supervisor
from millirobot_adapt.contract.states import LinkState, ManagerPhase
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.ros.operator import Operator

BAD_INPUT = 2
"""Exit code by which a node says that its parameters, files or devices are wrong."""

STANDING = 0.8
"""Longest wait for the answers when everybody is asked to stop the robot [s]."""
GIVING_UP = 1.0
"""When the manager gives up because a node has failed, that node ends within this time [s], and says more."""


class RunFailedError(Exception):
    """Say in one line why the run ended early; `known` is that line where the console has shown the rest before."""

    def __init__(self, why: str, known: str = '') -> None:
        super().__init__(why)
        self.known = known or why


class InterruptedRunError(Exception):
    """The user asked to end the run."""


@dataclass(frozen=True)
class Surroundings:
    """What the processes of a run share beside their parameters."""

    environment: Mapping[str, str]
    """Environment of the processes; the ROS part of it must be set in this process too."""
    namespace: str = ''
    """Of the nodes, such as `robot1`."""
    remappings: Mapping[str, str] = field(default_factory=dict)
    """Topic in the code -> topic to use, for every node."""


class LiveRun:
    """The processes of a run and the operator who commands them. Use it as a context manager."""

    def __init__(
        self,
        folder: RunFolder,
        surroundings: Surroundings,
        interrupts: Interrupts,
        console: Console | None = None,
        start_timeout: float = 90.0,
        tick_timeout: float = 3.0,
    ) -> None:
        """Prepare a run; nothing moves yet.

        Args:
            folder: Where its files go; `nodes.yaml` is there already. A temporary one is removed in the end.
            surroundings: What the processes share.
            interrupts: Tells when the user wants to end.
            console: Shows what the nodes write; None: only their log files hold it.
            start_timeout: Time until the robot must be ready to walk [s].
            tick_timeout: Time without a tick after which the run has failed [s].
        """
        self._folder = folder
        self._surroundings = surroundings
        self._interrupts = interrupts
        self._console = console
        self._start_timeout = start_timeout
        self._tick_timeout = tick_timeout
        scratch = folder.path if folder.temporary else None
        self._supervisor = Supervisor(folder.logs, surroundings.environment, STOP_ORDER, scratch=scratch)
        self._operator = Operator(surroundings.namespace)
        self._optional: set[str] = set()

    def __enter__(self) -> LiveRun:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        asked = kind is None or issubclass(kind, InterruptedRunError | KeyboardInterrupt)
        try:
            self._stand_down(asked)
        finally:
            self._supervisor.stop()
            self._show()
            self._operator.close()
            self._folder.remove()

    def start(self, nodes: Sequence[NodeProcess]) -> None:
        """Start the processes of some nodes.

        Raises:
            InterruptedRunError: the user asked to end.
        """
        for node in nodes:
            self._check()
            around = self._surroundings
            command = node.command(self._folder.node_parameters, around.namespace, around.remappings)
            self._supervisor.start(node.name, command, knows_signals=True)
            if self._console is not None:
                self._console.follow(node.name, self._supervisor.log(node.name))

    def start_tool(self, name: str, command: Sequence[str]) -> None:
        """Start a program that the run can do without, such as RViz; if it ends, the run continues."""
        self._optional.add(name)
        self._supervisor.start(name, command)

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

    def watch(self) -> None:
        """Let others command the robot, until a process ends as it should (the player, with its bag).

        Raises:
            As `wait_for_file`.
        """
        while True:
            self._operator.spin(0.05)
            self._operator.ticks.clear()
            ended = self._supervisor.ended(last=MANAGER.name)
            if ended is not None and ended.code == 0 and not self._interrupts.requested:
                return
            self._check()

    def walk(self, seconds: float, progress: RunProgress) -> None:
        """Arm, start, and follow the ticks for `seconds` or until the end of the path.

        Raises:
            As `wait_for_file`; RunFailedError also when the robot was stopped on the way.
        """
        self._arm()
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
        self._arm()
        self._insist('collector/start')
        while (run := self._run_status()).phase is not RunPhase.FINISHED:
            self._go_on(run)
            on_turn()

    def _go_on(self, run: RunStatus) -> None:
        """Wait for a moment of a run that is under way."""
        if run.phase is RunPhase.STOPPED:
            raise RunFailedError(f'the robot was {run.text}')
        self._check()
        self._operator.spin(0.05)

    def _arm(self) -> None:
        """Arm; a link that was lost after the start, as on a busy machine, is given the time to come back."""

        def link_up() -> bool:
            bridge = self._operator.bridge
            return bridge is not None and bridge.link is LinkState.UP

        def complaint() -> str:
            bridge = self._operator.bridge
            return 'no word from the bridge' if bridge is None else f'not armed: {bridge.reason}'

        self._wait(link_up, complaint)
        self._insist('bridge/arm')

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

    def _stand_down(self, asked: bool) -> None:
        """Ask for standstill; processes that are gone or hang are left to the supervisor.

        `asked`: the run ends as the operator wanted; else it has failed, and the bridge reports it so.
        """
        services = [f'{name}/stop' for name in ('bridge', 'controller', 'collector') if self._supervisor.running(name)]
        if not asked and self._supervisor.running('bridge'):
            services = ['bridge/manager_stop']  # it ends the run as well
        self._operator.call_all(services, STANDING)

    def _wait(self, condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
        deadline = time.monotonic() + self._start_timeout
        while not condition():
            self._check()
            if time.monotonic() > deadline:
                raise RunFailedError(f'{complaint()} within {self._start_timeout:g} s; see {self._folder.logs}')
            self._operator.spin(0.05)

    def _check(self) -> None:
        self._show()
        if self._interrupts.requested:
            raise InterruptedRunError
        ended = self._ended()
        if ended is not None and ended.name == MANAGER.name and ended.code >= 0:  # it gave up, and says so
            self._operator.spin(GIVING_UP)
            ended = self._ended()
        if ended is not None:
            self._show()
            raise _complaint(ended, self._console is not None)

    def _ended(self) -> Ended | None:
        """Return the first node that has ended; a tool that has is forgotten."""
        ended = self._supervisor.ended(last=MANAGER.name)
        while ended is not None and ended.name in self._optional:
            self._supervisor.stop_one(ended.name)
            if self._console is not None:
                self._console.tell(f'{ended}; the run goes on without it')
            ended = self._supervisor.ended(last=MANAGER.name)
        return ended

    def _show(self) -> None:
        """Show what the nodes have written, and what the robot does now."""
        if self._console is None:
            return
        self._console.update()
        bridge, controller = self._operator.bridge, self._operator.controller
        if bridge is not None:
            self._console.tell_state('bridge', 'armed' if bridge.armed else 'not armed', silently=not bridge.armed)
        if controller is not None:
            quiet = controller.run.phase in (RunPhase.WAITING, RunPhase.IDLE)
            self._console.tell_state('controller', controller.run.text, silently=quiet)

    def _all_active(self) -> bool:
        manager = self._operator.manager
        return manager is not None and manager.phase is ManagerPhase.ACTIVE

    def _manager_said(self) -> str:
        manager = self._operator.manager
        return 'no word from the manager yet' if manager is None else manager.text

    def _run_status(self) -> RunStatus:
        controller = self._operator.controller
        return RunStatus(RunPhase.WAITING, 'no word yet') if controller is None else controller.run


def _complaint(ended: Ended, shown: bool) -> Exception:
    """Turn the end of a process into the user's mistake that it was, or into a failed run."""
    if shown:
        return RunFailedError(str(ended), f'{ended.name} {ended.how}')
    if ended.code == BAD_INPUT and ended.last_lines:
        return UserError(f'{ended.name}: {ended.last_lines[-1].removeprefix("error: ")}')
    return RunFailedError(f'{ended}; see {ended.log}')
