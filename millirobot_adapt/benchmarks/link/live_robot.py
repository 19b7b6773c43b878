"""The real processes of a run with the mock, over DDS and a pty, and who commands and watches them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.benchmarks.link.rows import BenchFailedError
from millirobot_adapt.benchmarks.process_cost import cpu_seconds
from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.bringup.processes import BRIDGE, MANAGED, MOCK_ROBOT, STOP_ORDER, NodeProcess, resolve
from millirobot_adapt.bringup.robot_choice import choices_of
from millirobot_adapt.bringup.run_folder import write_node_parameters
from millirobot_adapt.bringup.supervisor import Supervisor
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.ros.bring_up import BringUpError
from millirobot_adapt.ros.witness import Witness
from millirobot_adapt.sim.firmware_board import MOCK

PATIENCE = 30.0
"""Longest wait for anything that has to come [s]."""
FIRST_STEP = 2.0
"""A run whose first step has not come by then has ended, or never will begin [s]."""
SAMPLES = 100
"""Candidates of the planner: a busy machine has to walk, how well does not matter."""
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
        self.robot = load_robot(robot)
        self.busy = busy
        """Every core of the machine is kept busy beside the run."""
        self._spinners: list[subprocess.Popen[bytes]] = []
        self._port = folder / 'radio'
        self._parameters = folder / 'nodes.yaml'
        path = folder / 'path.csv'
        np.savetxt(path, PATH, delimiter=',', header='x,y', comments='')
        fitting = choices_of(self.robot, mock=True)
        overrides: dict[str, dict[str, Any]] = {
            'mock_robot': {
                'robot': robot,
                'port': str(self._port),
                'condition': 'flat',
                'firmware': firmware,
            },
            'bridge': {**fitting.get('bridge', {}), 'robot': robot, 'port': str(self._port), 'gate.fence': FENCE},
            'estimator': {'robot': robot},
            'controller': {
                **fitting['controller'],
                'robot': robot,
                'path': str(path),
                'objective.fence_corners': FENCE,
                'planner.samples': SAMPLES,
            },
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
        try:
            self.start(MOCK_ROBOT)
            if self.robot.baud is not None:
                self.wait_for(self._port.exists, 'the port of the mock')
            for node in MANAGED:
                self.start(node)
            self.bring_up(*MANAGED)
        except BaseException:
            self.__exit__()
            raise
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
        """Let a fault of the mock begin; return when the mock was asked for it [s, host clock].

        Raises:
            BenchFailedError: the mock refused it.
        """
        done, answer = self.witness.inject(fault, value, duration)
        if not done:
            raise BenchFailedError(f'{fault} was refused: {answer}')
        return self.witness.injected_at

    def put_upright(self) -> None:
        """Put a robot that may have tipped over when its legs ran wild back on its feet.

        Raises:
            BenchFailedError: the mock refused it.
        """
        if self.robot.joints:
            self.inject('robot.upright')

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
        """Wait until the link is up and the operator's wish to arm is granted; return how long that took [s].

        Legs that run wild, once they are free again, can tip the robot over: it is then put back on its feet.
        """
        took = self.wait_for(lambda: self.witness.link is LinkState.UP, 'the link')
        return took + self._insist('bridge/arm', before=self.put_upright)

    def walk(self, seconds: float) -> None:
        """End what the controller may still be doing, arm, start, and let the robot walk.

        A run that ends meanwhile (missed deadlines on a busy machine, legs that run wild) is started again.

        Raises:
            BenchFailedError: the robot does not walk for so long.
        """
        start = time.monotonic()
        while True:
            self.witness.call('controller/stop', PATIENCE)
            self.wait_for(lambda: not self.witness.moving, 'standstill')
            self.arm()
            self._insist('controller/start')
            began = time.monotonic()
            while not self.witness.moving and time.monotonic() < began + FIRST_STEP:
                self.witness.spin(0.01)
            if self.witness.moving:
                self.witness.spin(seconds)
            if self.witness.moving:
                return
            if time.monotonic() > start + PATIENCE:
                run, bridge = self.witness.controller, self.witness.bridge
                said = f'{run and run.run.text}; the bridge stopped last: {bridge and bridge.last_stop}'
                raise BenchFailedError(f'the robot did not walk for {seconds:g} s within {PATIENCE:g} s: {said}')

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

    def _insist(self, service: str, before: Callable[[], object] = lambda: None) -> float:
        """Call a service until it agrees, and `before` each call; return how long that took [s]."""
        start = time.monotonic()
        while True:
            before()
            agreed, answer = self.witness.call(service, PATIENCE)
            if agreed:
                return time.monotonic() - start
            if time.monotonic() > start + PATIENCE:
                raise BenchFailedError(f'/{service} was refused: {answer}')
            self.witness.spin(0.02)
