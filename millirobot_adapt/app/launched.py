"""Conduct the run that a launch file asks for: `ros2 launch millirobot_adapt sim.launch.py` starts this program.

    python -m millirobot_adapt.app.launched sim [--launcher=PID] condition:=leg_loss seed:=3 ...

First the shipped parameter files hold, then the user's own one, then the arguments. All of it is checked before the
first process starts, and written into the run folder. The run ends with the first node that ends, with a signal, and
with the death of its launcher; the robot stands first.
"""

from __future__ import annotations

from millirobot_adapt.bringup.interrupts import die_at_once

if __name__ == '__main__':
    die_at_once()  # before the imports below, which take a second

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from millirobot_adapt.app.commands.learn import need_torch
from millirobot_adapt.app.launch_request import (
    Launched,
    command_of,
    describe_differing,
    parameters,
    read_command_line,
    remappings,
)
from millirobot_adapt.app.run_outcome import BAD_INPUT, FAILED, OK, report
from millirobot_adapt.bringup import tools
from millirobot_adapt.bringup.arguments import check_names
from millirobot_adapt.bringup.console import Console
from millirobot_adapt.bringup.environment import process_environment
from millirobot_adapt.bringup.interrupts import Interrupts, ignore
from millirobot_adapt.bringup.learning_run import LearningRun
from millirobot_adapt.bringup.live_run import InterruptedRunError, LiveRun, RunFailedError, Surroundings
from millirobot_adapt.bringup.middleware import choose_middleware
from millirobot_adapt.bringup.occupied import claim_namespace
from millirobot_adapt.bringup.parameter_sources import describe_sources
from millirobot_adapt.bringup.prepare import Place, prepare_run
from millirobot_adapt.bringup.processes import MANAGER, MOCK_ROBOT, RECORDER
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.core.errors import DeviceError, UserError
from millirobot_adapt.core.robot.description import load_robot

if TYPE_CHECKING:  # learning needs what other launch files do without
    from millirobot_adapt.app.learning_sitting import Sitting

GRAPHICS = 'MUJOCO_GL'
"""Environment variable by which MuJoCo chooses its graphics library."""


def run_launched(launched: Launched, interrupts: Interrupts, console: Console) -> int:
    """Conduct a run and return the exit code: 0 ended as it should or by request, 1 ended early.

    Raises:
        UserError: bad input, or a robot runs there already; nothing has been started, and no folder made.
    """
    check_names(launched.namespace, launched.chosen['mocap_topic'])
    choose_middleware(launched.chosen['rmw'])
    nodes = parameters(launched)
    if launched.learning is not None:
        need_torch()
    claim = claim_namespace(launched.namespace, list(nodes))
    try:
        recorded = RECORDER.name in nodes
        place = Place(Path(launched.chosen['out']), launched.namespace, 'out:=...', recorded)
        folder = prepare_run(nodes, place, command_of(launched), launched.own_files, launched.later_model)
        for line in describe_sources(nodes, launched.own_files):
            console.tell(line)
        if launched.differing:
            console.tell(describe_differing(launched))
        if recorded:
            console.tell(f'run folder: {folder.path}')
        failure = _conduct(launched, nodes, folder, interrupts, console)
    finally:
        claim.release()
    if failure is not None:
        console.tell(f'the run has ended: {failure.known}')
    if recorded:
        if failure is not None:
            folder.note_end(str(failure))
        elif interrupts.abandoned:
            folder.note_end('ros2 launch has died')
        if not interrupts.abandoned:  # else nobody waits for it; `millirobot report` makes it
            _report(launched, folder, console)
    return FAILED if failure is not None else OK


def _report(launched: Launched, folder: RunFolder, console: Console) -> None:
    if launched.learning is None:
        report(folder, console.tell)
        return
    from millirobot_adapt.app.learning_sitting import report_sitting

    report_sitting(folder, console.tell)


def _conduct(
    launched: Launched, nodes: Parameters, folder: RunFolder, interrupts: Interrupts, console: Console
) -> RunFailedError | None:
    """Start everything and watch it to its end; return why the run ended early, None if it did not."""
    hooks = folder.logs / 'mock_hooks' if MOCK_ROBOT in launched.processes else None
    surroundings = Surroundings(process_environment(hooks), launched.namespace, remappings(launched))
    try:
        if launched.learning is not None:
            sitting = _sitting(launched, folder, nodes, console)
            with LearningRun(folder, surroundings, interrupts, console) as learning:
                _start_tools(launched, learning, console)
                sitting.conduct(learning)
            return None
        with LiveRun(folder, surroundings, interrupts, console) as run:
            _start_nodes(launched, nodes, folder, run)
            _start_tools(launched, run, console)
            run.watch()
    except InterruptedRunError:
        console.tell('the robot stands, and every process has ended')
    except RunFailedError as error:
        return error
    return None


def _start_nodes(launched: Launched, nodes: Parameters, folder: RunFolder, run: LiveRun) -> None:
    """Start every node, what the others wait for first."""
    wanted = launched.processes
    run.start([node for node in wanted if node in (RECORDER, MANAGER, MOCK_ROBOT)])
    if MOCK_ROBOT in wanted and load_robot(nodes['bridge']['robot']).baud is not None:
        run.wait_for_file(folder.port)
    run.start([node for node in wanted if node not in (RECORDER, MANAGER, MOCK_ROBOT)])


def _sitting(launched: Launched, folder: RunFolder, nodes: Parameters, console: Console) -> Sitting:
    from millirobot_adapt.app.learning_sitting import Sitting

    assert launched.learning is not None
    return Sitting(launched.learning, folder, nodes, console.tell)


def _start_tools(launched: Launched, run: LiveRun, console: Console) -> None:
    """Start what the robot walks without as well, where it is installed."""
    topic = launched.chosen['mocap_topic']
    if launched.chosen['teleop'] == 'true':
        _start_tool(run, console, 'joy', 'joy_node', tools.joystick(launched.namespace), 'no joystick is read')
    if launched.chosen['rviz'] == 'true':
        _start_tool(run, console, 'rviz2', 'rviz2', tools.rviz(launched.namespace, topic), 'nothing is shown')


def _start_tool(run: LiveRun, console: Console, package: str, name: str, command: list[str], without: str) -> None:
    if command:
        run.start_tool(name, command)
    else:
        console.tell(f'{package} is not installed (apt install ros-$ROS_DISTRO-{package}): {without}')


def main() -> int:
    """Run the program; returns the exit code."""
    # Nothing is drawn here. MuJoCo would start a child to look for a screen, and Ctrl-C would reach that one, too.
    os.environ.setdefault(GRAPHICS, 'disabled')
    try:
        launched, launcher = read_command_line(sys.argv[1:])
        with Interrupts(launcher) as interrupts:
            code = run_launched(launched, interrupts, Console())
            ignore()
            return code
    except (UserError, DeviceError) as error:
        Console(sys.stderr).tell(f'error: {error}')
        return BAD_INPUT if isinstance(error, UserError) else FAILED


if __name__ == '__main__':
    sys.exit(main())
