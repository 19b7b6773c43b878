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
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from millirobot_adapt.app.run_outcome import BAD_INPUT, FAILED, OK, report
from millirobot_adapt.bringup import tools
from millirobot_adapt.bringup.arguments import arguments_of, check_names
from millirobot_adapt.bringup.console import Console
from millirobot_adapt.bringup.environment import process_environment
from millirobot_adapt.bringup.interrupts import Interrupts, ignore
from millirobot_adapt.bringup.live_run import InterruptedRunError, LiveRun, RunFailedError, Surroundings
from millirobot_adapt.bringup.middleware import choose_middleware
from millirobot_adapt.bringup.occupied import claim_namespace
from millirobot_adapt.bringup.own_parameters import own_parameters
from millirobot_adapt.bringup.parameter_sources import describe_sources
from millirobot_adapt.bringup.prepare import Place, prepare_run
from millirobot_adapt.bringup.processes import (
    COLLECTING,
    MANAGEABLE,
    MANAGER,
    MOCK_FENCE,
    MOCK_ROBOT,
    PLAYING,
    RECORDER,
    ROBOT,
    SIMULATION,
    TELEOP,
    NodeProcess,
    resolve,
)
from millirobot_adapt.bringup.robot_choice import choices_of
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.contract.topics import MOCAP_POSE
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import DeviceError, UserError
from millirobot_adapt.core.files import user_path
from millirobot_adapt.core.robot.description import load_robot

PROCESSES: Mapping[str, tuple[NodeProcess, ...]] = {
    'sim': SIMULATION,
    'robot': (RECORDER, *ROBOT),
    'collect': (RECORDER, MOCK_ROBOT, *COLLECTING, MANAGER),
    'replay': (*PLAYING, MANAGER),
}
"""Launch file -> what it starts; a mock gives way to a port that is chosen."""
DIFFERING: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    'sim': {'bridge': {'gate.fence': MOCK_FENCE}, 'controller': {'objective.fence_corners': MOCK_FENCE}},
}
"""Launch file -> parameters that differ from the shipped files: node -> dotted name -> value."""
GRAPHICS = 'MUJOCO_GL'
"""Environment variable by which MuJoCo chooses its graphics library."""
PATHS = ('params', 'out', 'bag', 'model', 'trajectory', 'condition', 'robot')
"""Arguments that may be paths: a shell leaves the ~ alone after `:=`."""


@dataclass(frozen=True)
class Launched:
    """One launch: the file, and what was chosen."""

    launch: str
    chosen: Mapping[str, str]

    @property
    def namespace(self) -> str:
        """Namespace of the nodes, without slashes at its ends."""
        return self.chosen['namespace'].strip('/')

    @property
    def mock(self) -> bool:
        """Whether a mock takes the robot's place."""
        said = self.chosen.get('mock', '')
        return MOCK_ROBOT in PROCESSES[self.launch] and (said == 'true' if said else not self.chosen.get('port'))

    @property
    def processes(self) -> tuple[NodeProcess, ...]:
        """What is started."""
        leave_out = set()
        if self.chosen['record'] == 'false':
            leave_out.add(RECORDER)
        if not self.mock:
            leave_out.add(MOCK_ROBOT)
        wanted = tuple(node for node in PROCESSES[self.launch] if node not in leave_out)
        return (*wanted, TELEOP) if self.chosen['teleop'] == 'true' else wanted

    @property
    def own_files(self) -> list[Path]:
        """The user's parameter files."""
        return [Path(self.chosen['params'])] if self.chosen['params'] else []


def run_launched(launched: Launched, interrupts: Interrupts, console: Console) -> int:
    """Conduct a run and return the exit code: 0 ended as it should or by request, 1 ended early.

    Raises:
        UserError: bad input, or a robot runs there already; nothing has been started, and no folder made.
    """
    check_names(launched.namespace, launched.chosen['mocap_topic'])
    choose_middleware(launched.chosen['rmw'])
    nodes = parameters(launched)
    claim = claim_namespace(launched.namespace, list(nodes))
    try:
        recorded = RECORDER.name in nodes
        place = Place(Path(launched.chosen['out']), launched.namespace, 'out:=...', recorded)
        folder = prepare_run(nodes, place, _command(launched), launched.own_files)
        for line in describe_sources(nodes, launched.own_files):
            console.tell(line)
        if launched.launch in DIFFERING:
            console.tell(describe_differing(launched.launch))
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
            report(folder, console.tell)
    return FAILED if failure is not None else OK


def describe_differing(launch: str) -> str:
    """Return the line that tells what a launch file itself sets, whatever the shipped files say."""
    names = [f'{node}.{name}' for node, values in DIFFERING[launch].items() for name in values]
    return f'{launch}.launch.py itself sets {", ".join(names)}: only params:=... changes them'


def parameters(launched: Launched) -> Parameters:
    """Return every parameter of the nodes: as shipped, as this launch file differs, as the user wants it.

    Raises:
        UserError: as `own_parameters` and `resolve`; an argument that is not of its parameter's type.
    """
    processes, chosen = launched.processes, launched.chosen
    differing = DIFFERING.get(launched.launch, {})
    changes = {node.name: dict(differing.get(node.name, {})) for node in processes}
    changes['manager']['nodes'] = [node.name for node in processes if node in MANAGEABLE]
    for file in launched.own_files:
        for name, values in own_parameters(file, processes, launched.namespace).items():
            changes[name] |= values
    _fit_robot(launched, changes)
    defaults = {node.name: flatten(node.config_class()()) for node in processes}
    for argument in arguments_of(launched.launch):
        for node, _, parameter in (target.partition('.') for target in argument.sets):
            if chosen[argument.name] and node in changes:
                is_text = isinstance(defaults[node][parameter], str)
                changes[node][parameter] = chosen[argument.name] if is_text else _value(chosen[argument.name])
    return resolve(processes, changes, 'launch arguments:')


def _fit_robot(launched: Launched, changes: dict[str, dict[str, Any]]) -> None:
    """Add what follows from the robot or the method that an argument names and no file of the user's decides."""
    chosen = launched.chosen
    named, method = chosen.get('robot', ''), chosen.get('method', '')
    if not named and not method:
        return
    choices = choices_of(load_robot(named or ControllerConfig.robot), launched.mock, method)
    if not named:  # a method alone brings a model, and nothing else
        choices = {'controller': {'model': choices['controller']['model']}}
    for node, values in choices.items():
        if node in changes:
            changes[node] = values | changes[node]


def _value(text: str) -> Any:
    """Read a switch or a number as in a YAML file."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _conduct(
    launched: Launched, nodes: Parameters, folder: RunFolder, interrupts: Interrupts, console: Console
) -> RunFailedError | None:
    """Start everything and watch it to its end; return why the run ended early, None if it did not."""
    hooks = folder.logs / 'mock_hooks' if MOCK_ROBOT in launched.processes else None
    surroundings = Surroundings(process_environment(hooks), launched.namespace, _remappings(launched))
    try:
        with LiveRun(folder, surroundings, interrupts, console) as run:
            wanted = launched.processes
            run.start([node for node in wanted if node in (RECORDER, MANAGER, MOCK_ROBOT)])
            if MOCK_ROBOT in wanted and load_robot(nodes['bridge']['robot']).baud is not None:
                run.wait_for_file(folder.port)
            run.start([node for node in wanted if node not in (RECORDER, MANAGER, MOCK_ROBOT)])
            _start_tools(launched, run, console)
            run.watch()
    except InterruptedRunError:
        console.tell('the robot stands, and every process has ended')
    except RunFailedError as error:
        return error
    return None


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


def _remappings(launched: Launched) -> dict[str, str]:
    chosen = launched.chosen['mocap_topic']
    rules = {MOCAP_POSE.name: chosen} if chosen != MOCAP_POSE.name else {}
    if launched.namespace:
        rules['/tf'] = 'tf'  # each robot has a frame of the same name
    return rules


def _command(launched: Launched) -> str:
    """Return what the user may have typed: the arguments that are not as they would be without."""
    words = [
        f'{argument.name}:={launched.chosen[argument.name]}'
        for argument in arguments_of(launched.launch)
        if launched.chosen[argument.name] != argument.default
    ]
    return shlex.join(['ros2', 'launch', 'millirobot_adapt', f'{launched.launch}.launch.py', *words])


def read_command_line(words: Sequence[str]) -> tuple[Launched, int | None]:
    """Read `LAUNCH [--launcher=PID] name:=value ...`; return what is requested and the launcher's process id.

    Raises:
        UserError: no such launch or argument, or a required one is missing.
    """
    launch, *rest = words or ['']
    if launch not in PROCESSES:
        raise UserError(f'{launch!r}: no such launch; known are {", ".join(PROCESSES)}')
    launcher = next((int(word.partition('=')[2]) for word in rest if word.startswith('--launcher=')), None)
    given = dict(word.split(':=', 1) for word in rest if ':=' in word)
    known = {argument.name: argument for argument in arguments_of(launch)}
    for name in given:
        if name not in known:
            raise UserError(f'{name}:=...: unknown argument of {launch}; known are {", ".join(known)}')
    chosen = {name: given.get(name, argument.default) for name, argument in known.items()}
    for name, argument in known.items():
        if argument.required and not chosen[name]:
            raise UserError(f'{name}:= is missing; {argument.doc}, e.g. {name}:=runs/latest')
    for name in PATHS:
        if chosen.get(name, '').startswith('~'):
            chosen[name] = str(user_path(chosen[name]))
    return Launched(launch, chosen), launcher


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
