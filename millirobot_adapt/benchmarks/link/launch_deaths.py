"""What dies around a launch, and within what time the robot stands and every process has gone; a row each."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from millirobot_adapt.benchmarks.link.launched_robot import (
    CAUSES,
    CONDUCTING,
    FIRST_LINE,
    Cause,
    Terminal,
    everything_gone,
    of_programs,
    processes_of,
    ros2_program,
)
from millirobot_adapt.benchmarks.link.live_robot import FENCE, PATH
from millirobot_adapt.benchmarks.link.rows import BenchFailedError
from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.bringup.processes import MOCK_ROBOT, ROBOT, resolve
from millirobot_adapt.bringup.run_folder import write_node_parameters
from millirobot_adapt.bringup.supervisor import Supervisor
from millirobot_adapt.contract.states import ManagerPhase
from millirobot_adapt.ros.witness import Witness

STOP_BOUND = 1.0
"""The motors are told to stand within this time of the cause [s]."""
GONE_BOUND = 5.0
"""Every node has ended within this time of the cause [s], on a machine that has nothing else to do."""
START_PATIENCE = 60.0
"""Longest wait for anything that has to come [s]."""
MOMENTS = (0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 4.5, 6.0, 9.0)
"""Times after the first line of ros2 launch at which Ctrl-C is pressed [s]."""
NODES = ('recorder', *(node.name for node in ROBOT))
"""Nodes of `robot.launch.py`, each of which is killed in turn."""
OF_GUARDIAN = 'SIGKILL of the guardian, then the run'
OF_NODES = {f'SIGKILL of {node}': of_programs(node) for node in NODES}
DURING_START = {f'Ctrl-C {moment:g} s after the start': moment for moment in MOMENTS}
DEATH_ROWS = (*CAUSES, *OF_NODES, OF_GUARDIAN, *DURING_START)
"""Rows of the table, in their order."""
WALKING_WHEN = 0.3
"""How long the robot walks before anything dies [s]."""


@dataclass(frozen=True)
class DeathRow:
    """One death."""

    what: str
    stop_s: float | None
    """From the cause to motors commanded zero [s]; None where the robot did not walk yet."""
    nodes_gone_s: float
    """From the cause until no node was left [s]."""
    gone_s: float
    """From the cause until nothing was left: the program that conducts the run writes the report last [s]."""
    load: float
    """Load of the machine over the last minute, in processes that want to run."""
    broken: str | None = None
    """Another promise that was not kept."""

    @property
    def complaint(self) -> str | None:
        """Say what is wrong with this row; None if it holds. A busy machine is given time in proportion."""
        share = max(1.0, self.load / (os.cpu_count() or 1))
        if self.stop_s is not None and self.stop_s > STOP_BOUND:
            return f'{self.what}: the motors stopped after {self.stop_s:.2f} s'
        if self.nodes_gone_s > GONE_BOUND * share:
            return f'{self.what}: the last node ended after {self.nodes_gone_s:.1f} s'
        return None if self.broken is None else f'{self.what}: {self.broken}'

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


class LaunchDeaths:
    """A mock that outlives every launch, and a witness. A context manager."""

    def __init__(self, folder: Path, robot: str, firmware: str) -> None:
        """Prepare; `folder` gets the port, parameters, logs and runs. This process joins the run's ROS domain.

        Raises:
            UserError: ROS is not sourced, or the package is not built.
        """
        ros2_program()
        self._run_folder = folder / 'launched'  # the mock and its guardian are none of the launch's processes
        self._run_folder.mkdir()
        self._mock_parameters = folder / 'mock.yaml'
        self._port = folder / 'radio'
        path = folder / 'path.csv'
        np.savetxt(path, PATH, delimiter=',', header='x,y', comments='')
        self._arguments = {
            'port': str(self._port), 'robot': robot, 'trajectory': str(path), 'out': str(self._run_folder / 'runs'),
            'params': str(self._run_folder / 'own.yaml'),
        }  # fmt: skip
        own = {'bridge': {'gate': {'fence': FENCE}}, 'controller': {'objective': {'fence_corners': FENCE}}}
        content = {node: {'ros__parameters': values} for node, values in own.items()}
        (self._run_folder / 'own.yaml').write_text(yaml.safe_dump(content), encoding='utf-8')
        values = {'robot': robot, 'port': str(self._port), 'condition': 'flat', 'firmware': firmware}
        write_node_parameters(self._mock_parameters, resolve([MOCK_ROBOT], {MOCK_ROBOT.name: values}))
        self._domain = reserve_domain()
        environment = local_environment(self._domain.number)
        os.environ.update(environment)
        self._supervisor = Supervisor(folder, environment)
        self.witness = Witness()

    def __enter__(self) -> LaunchDeaths:
        self._supervisor.start(MOCK_ROBOT.name, MOCK_ROBOT.command(self._mock_parameters), knows_signals=True)
        self._wait(self._port.exists, 'the port of the mock')
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.stop()
        self.witness.close()
        self._domain.release()

    def while_walking(self, what: str, cause: Cause, before: Cause | None = None) -> DeathRow:
        """Launch, walk, let something die; `before` happens while the robot walks on.

        Raises:
            BenchFailedError: the robot did not come to walk.
        """
        with self._terminal() as terminal:
            self._come_to_walk(terminal)
            if before is not None:
                before(terminal, self._run_folder)
                self.witness.spin(1.0)
                if not self.witness.moving:
                    raise BenchFailedError(f'{what}: the robot stood before the cause')
            cause_at = time.time()
            cause(terminal, self._run_folder)
            nodes_gone, gone = everything_gone(self._run_folder, partial(self._turn, terminal))
            self._wait(lambda: not self.witness.moving, 'standstill')
            stop = self.witness.changed_at - cause_at
        whole = (self._run_folder / 'runs' / 'latest' / 'bag' / 'metadata.yaml').is_file()
        broken = None if whole or 'recorder' in what else 'the bag has no end'
        if stop < 0.0:
            broken = 'the robot stood already'
        return DeathRow(what, stop, nodes_gone, gone, os.getloadavg()[0], broken)

    def while_starting(self, what: str, moment: float) -> DeathRow:
        """Press Ctrl-C `moment` [s] after the first line of ros2 launch."""
        with self._terminal() as terminal:
            self._wait(lambda: self._on_screen(terminal), 'the first line of ros2 launch')
            begun = time.monotonic()
            while time.monotonic() < begun + moment:
                terminal.read(0.01)
            pressed = time.monotonic()
            terminal.press_ctrl_c()
            nodes_gone, gone, lost = 0.0, 0.0, False
            while not lost and (not terminal.ended() or processes_of(self._run_folder)):
                left = set(processes_of(self._run_folder))
                gone = time.monotonic() - pressed
                nodes_gone = gone if left - set(CONDUCTING) else nodes_gone
                lost = gone > START_PATIENCE
                terminal.read(0.02)
            gone = time.monotonic() - pressed
            terminal.read()
        broken = 'a traceback' if 'Traceback' in terminal.text else 'it had no effect' if lost else None
        return DeathRow(what, None, nodes_gone, gone, os.getloadavg()[0], broken)

    def _terminal(self) -> Terminal:
        return Terminal('robot', self._run_folder, self._arguments)

    @staticmethod
    def _on_screen(terminal: Terminal) -> bool:
        terminal.read(0.01)
        return FIRST_LINE in terminal.said

    def _turn(self, terminal: Terminal) -> None:
        self.witness.spin(0.02)
        terminal.read()

    def _come_to_walk(self, terminal: Terminal) -> None:
        self.witness.manager = None
        self._wait(partial(self._active, terminal), 'the nodes of the launch')

        def walking() -> bool:
            for service in () if self.witness.moving else ('bridge/arm', 'controller/start'):
                self.witness.call(service, 5.0)
            self.witness.spin(WALKING_WHEN)
            terminal.read()
            return self.witness.moving

        self._wait(walking, 'the first step')

    def _active(self, terminal: Terminal) -> bool:
        terminal.read()
        if terminal.ended():
            raise BenchFailedError(f'ros2 launch ended: {terminal.text.splitlines()[-1]}')
        return self.witness.manager is not None and self.witness.manager.phase is ManagerPhase.ACTIVE

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise BenchFailedError(f'{what} did not come within {START_PATIENCE:g} s')
            self.witness.spin(0.02)


def measure_deaths(robot: str, firmware: str, tell: Callable[[DeathRow], object]) -> list[DeathRow]:
    """Measure every death once; `tell` is given each row as it is measured.

    Where one cannot be measured, its row says why, and the list ends with it.

    Raises:
        UserError: ROS is not sourced, the package is not built.
        BenchFailedError: the mock does not serve.
    """
    rows = []
    with tempfile.TemporaryDirectory() as name, LaunchDeaths(Path(name), robot, firmware) as deaths:
        trials: list[Callable[[], DeathRow]] = [
            *(partial(deaths.while_walking, what, cause) for what, cause in CAUSES.items()),
            *(partial(deaths.while_walking, what, cause) for what, cause in OF_NODES.items()),
            partial(
                deaths.while_walking, OF_GUARDIAN, of_programs('launched'),
                of_programs('process_guardian'),
            ),
            *(partial(deaths.while_starting, what, moment) for what, moment in DURING_START.items()),
        ]  # fmt: skip
        for trial in trials:
            try:
                rows.append(trial())
            except (BenchFailedError, TimeoutError) as error:
                broken = f'{error}; what comes after it was not measured'
                rows.append(DeathRow(DEATH_ROWS[len(rows)], None, 0.0, 0.0, os.getloadavg()[0], broken))
                break
            tell(rows[-1])
    return rows


HEAD = f'{"what dies":38} {"stop [s]":>9} {"nodes gone [s]":>15} {"all gone [s]":>13} {"load":>6}'
"""Of a table of `death_line`s."""


def death_line(row: DeathRow) -> str:
    """Lay out a row for a terminal."""
    stop = '-' if row.stop_s is None else f'{row.stop_s:.2f}'
    return f'{row.what:38} {stop:>9} {row.nodes_gone_s:15.1f} {row.gone_s:13.1f} {row.load:6.1f}'
