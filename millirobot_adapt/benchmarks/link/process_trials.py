"""Faults of whole processes, in real time: the real processes are killed, over DDS and a pty."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.benchmarks.link.rows import BenchFailedError, FaultRow
from millirobot_adapt.benchmarks.process_cost import cpu_seconds
from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, MANAGED, MOCK_ROBOT, STOP_ORDER, NodeProcess, resolve
from millirobot_adapt.bringup.run_folder import write_node_parameters
from millirobot_adapt.bringup.supervisor import Supervisor
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.ros.bring_up import BringUpError
from millirobot_adapt.ros.witness import Witness
from millirobot_adapt.sim.firmware_board import MOCK

PATIENCE = 30.0
"""Longest wait for anything that has to come [s]."""
OBSERVED = 3.0
"""Motors that are not commanded to stand within this time of the cause count as standing after it [s]."""
WALKED = 1.0
"""Walking before a fault [s]."""
VANISHED = 2.0
"""How long the port stays away [s]."""
WATCHED_AFTER = 1.0
"""After a fault the robot must not move by itself for this long [s]."""
PATH = np.array([[x, 0.0] for x in range(101)], dtype=float)
"""Waypoints that no benchmark walks to the end of [m]."""
FENCE = [-200.0, -200.0, 200.0, 200.0]


@dataclass(frozen=True)
class BridgeLoad:
    """What the bridge costs while the robot walks: 10 setpoints and 100 poses a second."""

    seconds: float
    cpu_percent: float
    """Of one core, the bridge's own children included [%]."""


class LiveRobot:
    """The processes of a run with the mock, and a witness who commands them. A context manager."""

    def __init__(self, folder: Path, robot: str, firmware: str = MOCK, busy: bool = False) -> None:
        """Prepare; `folder` gets the port, the parameters and the logs. This process joins the run's ROS domain."""
        self.busy = busy
        """Every core of the machine is kept busy beside the run."""
        self._spinners: list[subprocess.Popen[bytes]] = []
        self._port = folder / 'radio'
        self._parameters = folder / 'nodes.yaml'
        path = folder / 'path.csv'
        np.savetxt(path, PATH, delimiter=',', header='x,y', comments='')
        overrides: dict[str, dict[str, Any]] = {
            'mock_robot': {
                'robot': robot,
                'port': str(self._port),
                'condition': 'flat',
                'firmware': firmware,
            },
            'bridge': {'robot': robot, 'port': str(self._port), 'gate.fence': FENCE},
            'estimator': {'robot': robot},
            'controller': {'robot': robot, 'path': str(path), 'objective.fence_corners': FENCE},
        }
        nodes = (MOCK_ROBOT, *MANAGED)
        write_node_parameters(self._parameters, resolve(nodes, overrides))
        self._domain = reserve_domain()
        environment = local_environment(self._domain.number, folder / 'mock_hooks')
        os.environ.update(environment)
        self._supervisor = Supervisor(folder, environment, STOP_ORDER)
        self._pids: dict[str, int] = {}
        self.witness = Witness()

    def __enter__(self) -> LiveRobot:
        self.start(MOCK_ROBOT)
        self.wait_for(self._port.exists, 'the port of the mock')
        for node in MANAGED:
            self.start(node)
        self.bring_up(*MANAGED)
        cores = os.cpu_count() or 1 if self.busy else 0
        self._spinners = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(cores)]
        return self

    def __exit__(self, *_: object) -> None:
        for spinner in self._spinners:
            spinner.kill()
            spinner.wait()
        self._supervisor.stop()
        self.witness.close()
        self._domain.release()

    def start(self, node: NodeProcess) -> None:
        """Start a process, again if it has ended."""
        self._supervisor.stop_one(node.name)
        self._pids[node.name] = self._supervisor.start(node.name, node.command(self._parameters))

    def bring_up(self, *nodes: NodeProcess) -> None:
        """Configure and activate nodes that have been started; the bench is their manager.

        Raises:
            BenchFailedError: one did not come up.
        """
        try:
            self.witness.bring_up([node.name for node in nodes], PATIENCE)
        except BringUpError as error:
            raise BenchFailedError(str(error)) from None

    def send(self, node: NodeProcess, number: int) -> float:
        """Send a process a signal; return when [s, host clock]."""
        sent_at = time.time()
        os.kill(self._pids[node.name], number)
        return sent_at

    def inject(self, fault: str, value: str | None = None, duration: float = 0.0) -> float:
        """Let a fault of the mock begin; return when it was asked for [s, host clock].

        Raises:
            BenchFailedError: the mock refused it.
        """
        asked_at = time.time()
        done, answer = self.witness.inject(fault, value, duration)
        if not done:
            raise BenchFailedError(f'{fault} was refused: {answer}')
        return asked_at

    def now(self) -> float:
        """Return the host's time [s since the epoch]."""
        return time.time()

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
        """Hear what comes until a condition holds; return how long that took [s].

        Raises:
            BenchFailedError: it did not within `seconds`.
        """
        start = time.monotonic()
        while not condition():
            if time.monotonic() > start + seconds:
                raise BenchFailedError(f'{what} did not come within {seconds:g} s')
            self.witness.spin(0.01)
        return time.monotonic() - start

    def arm(self) -> float:
        """Wait until the link is up and the operator's wish to arm is granted; return how long that took [s]."""
        return self.wait_for(lambda: self.witness.link is LinkState.UP, 'the link') + self._insist('bridge/arm')

    def walk(self, seconds: float) -> None:
        """End what the controller may still be doing, arm, start, and let the robot walk."""
        self.witness.call('controller/stop', PATIENCE)
        self.wait_for(lambda: not self.witness.moving, 'standstill')
        self.arm()
        self._insist('controller/start')
        self.wait_for(lambda: self.witness.moving, 'the first step')
        self.witness.spin(seconds)

    def lines(self, node: NodeProcess, text: str) -> int:
        """Count the lines with `text` in a process's log."""
        return self._supervisor.log(node.name).read_text(encoding='utf-8', errors='replace').count(text)

    def pid(self, node: NodeProcess) -> int:
        """Return the id of a process that was started."""
        return self._pids[node.name]

    def mock_starved(self) -> bool:
        """Tell whether the mock could not keep up with real time; what was measured then is not the link's alone."""
        return self.lines(MOCK_ROBOT, 'of real time skipped') > 0

    def running(self, node: NodeProcess) -> bool:
        """Tell whether a process lives."""
        return self._supervisor.running(node.name)

    def measure_load(self, seconds: float) -> BridgeLoad:
        """Measure what the bridge costs over the next `seconds`."""
        start, before = time.monotonic(), cpu_seconds(self._pids[BRIDGE.name])
        self.witness.spin(seconds)
        elapsed = time.monotonic() - start
        return BridgeLoad(elapsed, 100.0 * (cpu_seconds(self._pids[BRIDGE.name]) - before) / elapsed)

    def _insist(self, service: str) -> float:
        """Call a service until it agrees; return how long that took [s]."""
        start = time.monotonic()
        while True:
            agreed, answer = self.witness.call(service, PATIENCE)
            if agreed:
                return time.monotonic() - start
            if time.monotonic() > start + PATIENCE:
                raise BenchFailedError(f'/{service} was refused: {answer}')
            self.witness.spin(0.02)


def measure_processes(
    robot: LiveRobot, trials: int, injected: Mapping[str, Callable[[LiveRobot], FaultRow]] | None = None
) -> list[FaultRow]:
    """Measure every fault of a process, and others by name, `trials` times; the worst counts.

    Where a trial fails as a whole, its row says why, and the list ends with it.
    """
    rows: list[FaultRow] = []
    for name, fault in {**PROCESS_FAULTS, **(injected or {})}.items():
        measured = []
        try:
            for _ in range(trials):
                robot.inject('robot.upright')  # legs that ran wild can have tipped it over
                robot.walk(WALKED)
                measured.append(fault(robot))
        except BenchFailedError as error:
            broken = f'{error}; what comes after it was not measured'
            rows.append(FaultRow(name, _where(robot), 0, 0, None, None, None, broken=broken))
            break
        rows.append(replace(_worst(measured), fault=name))
    return rows


def _where(robot: LiveRobot) -> str:
    return 'busy' if robot.busy else 'processes'


def _kill_controller(robot: LiveRobot) -> FaultRow:
    cause = robot.send(CONTROLLER, signal.SIGKILL)
    row = watch(robot, cause)
    ended = time.time()
    robot.start(CONTROLLER)
    robot.bring_up(CONTROLLER)
    return recover(robot, row, ended)


def _hang_bridge(robot: LiveRobot) -> FaultRow:
    cause = robot.send(BRIDGE, signal.SIGSTOP)
    row = watch(robot, cause)
    ended = robot.send(BRIDGE, signal.SIGCONT)
    return recover(robot, row, ended)


def _kill_bridge(robot: LiveRobot) -> FaultRow:
    cause = robot.send(BRIDGE, signal.SIGKILL)
    row = watch(robot, cause)
    robot.witness.link = None
    ended = time.time()
    robot.start(BRIDGE)
    robot.bring_up(BRIDGE)
    return recover(robot, row, ended)


def _vanish(robot: LiveRobot) -> FaultRow:
    said = robot.lines(BRIDGE, 'link lost')
    cause = time.time()
    robot.inject('port.vanish', duration=VANISHED)
    row = watch(robot, cause)
    row = replace(recover(robot, row, cause + VANISHED), bytes_pass=False)
    said = robot.lines(BRIDGE, 'link lost') - said
    if not robot.running(BRIDGE):
        return replace(row, broken='the bridge has ended')
    return row if said == 1 else replace(row, broken=f'the bridge said {said} times that the link is lost')


PROCESS_FAULTS: Mapping[str, Callable[[LiveRobot], FaultRow]] = {
    'SIGKILL of the controller': _kill_controller,
    'SIGSTOP of the bridge': _hang_bridge,
    'SIGKILL of the bridge': _kill_bridge,
    'port vanishes for 2 s': _vanish,
}
"""What each row of a process does to the robot."""


def watch(robot: LiveRobot, cause: float, since: Callable[[], float] | None = None) -> FaultRow:
    """Watch what follows a cause [s, host clock] and begin its row: when the motors are commanded to stand.

    `since` tells afterwards from when the time runs; None: from the cause.
    """
    witness = robot.witness
    sent, replies = witness.sent, witness.replies
    witness.spin(OBSERVED)
    stop = OBSERVED if witness.moving else witness.changed_at - (cause if since is None else since())
    broken = None
    if witness.changed_at < cause and not witness.moving:
        stop, broken = 0.0, 'the robot stood already when the fault began'
    row = FaultRow('', _where(robot), witness.sent - sent, witness.replies - replies, None, 1e3 * stop, None)
    return replace(row, broken=broken)


def recover(robot: LiveRobot, row: FaultRow, ended: float, goes_on: bool = False) -> FaultRow:
    """Watch, after the fault's end [s, host clock], that nothing moves by itself, then arm; complete the row.

    A robot that was held and not stopped may go on (`goes_on`).
    """
    witness = robot.witness
    witness.spin(WATCHED_AFTER)
    robot.wait_for(lambda: witness.link is LinkState.UP, 'the link')
    up_after = max(0.0, witness.link_since - ended)
    moved = witness.moving and not goes_on
    broken = 'the robot moved before it was armed again' if moved else row.broken
    return replace(row, rearm_s=up_after + robot.arm(), broken=broken)


def _worst(rows: list[FaultRow]) -> FaultRow:
    return replace(
        rows[0],
        sent=sum(row.sent for row in rows),
        replies=sum(row.replies for row in rows),
        stop_ms=max(row.stop_ms or 0.0 for row in rows),
        rearm_s=max(row.rearm_s or 0.0 for row in rows),
        broken=next((row.broken for row in rows if row.broken), None),
    )
