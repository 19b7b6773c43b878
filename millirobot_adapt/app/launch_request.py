"""What a launch file was asked for: which processes, with which parameters, and what the user may have typed."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from millirobot_adapt.bringup.arguments import arguments_of
from millirobot_adapt.bringup.own_parameters import own_parameters
from millirobot_adapt.bringup.processes import (
    COLLECTING,
    CONTROLLER,
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
from millirobot_adapt.bringup.run_folder import Parameters
from millirobot_adapt.contract.topics import MOCAP_POSE
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.recording.provenance import read_provenance
from millirobot_adapt.recording.reader import open_bag

if TYPE_CHECKING:  # it needs what training needs
    from millirobot_adapt.app.learning_sitting import LearningSetup

PROCESSES: Mapping[str, tuple[NodeProcess, ...]] = {
    'sim': SIMULATION,
    'robot': (RECORDER, *ROBOT),
    'collect': (RECORDER, MOCK_ROBOT, *COLLECTING, MANAGER),
    'learn': (RECORDER, MOCK_ROBOT, *COLLECTING, CONTROLLER, MANAGER),
    'replay': (*PLAYING, MANAGER),
}
"""Launch file -> what it starts; a mock gives way to a port that is chosen."""
DIFFERING: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    'sim': {'bridge': {'gate.fence': MOCK_FENCE}, 'controller': {'objective.fence_corners': MOCK_FENCE}},
}
"""Launch file -> parameters that differ from the shipped files: node -> dotted name -> value."""
PATHS = ('params', 'out', 'bag', 'model', 'trajectory', 'condition', 'robot', 'resume')
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
        if self.chosen.get('record') == 'false':
            leave_out.add(RECORDER)
        if not self.mock:
            leave_out.add(MOCK_ROBOT)
        wanted = tuple(node for node in PROCESSES[self.launch] if node not in leave_out)
        return (*wanted, TELEOP) if self.chosen['teleop'] == 'true' else wanted

    @functools.cached_property
    def learning(self) -> LearningSetup | None:
        """What is learned; None: nothing.

        Raises:
            UserError: as `launched_setup`.
        """
        if self.launch != 'learn':
            return None
        from millirobot_adapt.app.learning_launched import launched_setup

        return launched_setup(self.chosen, self.mock)

    @property
    def differing(self) -> Mapping[str, Mapping[str, Any]]:
        """Parameters that differ from the shipped files: node -> dotted name -> value."""
        return DIFFERING.get(self.launch, {}) if self.learning is None else self.learning.parameters()

    @property
    def later_model(self) -> str:
        """Folder in the run folder where the controller's model will be when it starts; '': it is there now."""
        if self.learning is None:
            return ''
        from millirobot_adapt.learning.online.sitting_folder import FIRST

        return FIRST

    @property
    def own_files(self) -> list[Path]:
        """The user's parameter files."""
        return [Path(self.chosen['params'])] if self.chosen['params'] else []


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


def describe_differing(launched: Launched) -> str:
    """Return the line that tells what a launch file itself sets, whatever the shipped files say."""
    names = [
        f'{node}.{name}'
        for node, values in launched.differing.items()
        for name in values
        if node != MANAGER.name and name != 'robot'
    ]
    return f'{launched.launch}.launch.py itself sets {", ".join(names)}: only params:=... changes them'


def parameters(launched: Launched) -> Parameters:
    """Return every parameter of the nodes: as shipped, as this launch file differs, as the user wants it.

    Raises:
        UserError: as `own_parameters` and `resolve`; an argument that is not of its parameter's type.
    """
    processes, chosen = launched.processes, launched.chosen
    changes: dict[str, dict[str, Any]] = {node.name: {} for node in processes}
    changes['manager']['nodes'] = [node.name for node in processes if node in MANAGEABLE]
    for name, values in launched.differing.items():
        changes[name] |= values
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
    """Add what follows from robot, method or bag that an argument names and no file of the user's decides."""
    chosen = launched.chosen
    named, method = chosen.get('robot', ''), chosen.get('method', '')
    if not named and chosen.get('bag'):
        changes['estimator'] = _recorded_robot(chosen['bag']) | changes['estimator']
    if not named and not method:
        return
    choices = choices_of(load_robot(named or ControllerConfig.robot), launched.mock, method)
    if not named:  # a method alone brings a model, and nothing else
        choices = {'controller': {'model': choices['controller']['model']}}
    for node, values in choices.items():
        if node in changes:
            changes[node] = values | changes[node]


def _recorded_robot(bag: str) -> dict[str, Any]:
    """Return the robot as the parameters of a recorded run name it; nothing where they do not."""
    try:
        told = read_provenance(open_bag(Path(bag), lambda _: None))
    except UserError:  # the player says what is wrong with the bag
        return {}
    values = None if told is None else told.content.get('estimator')
    name = values.get('robot') if isinstance(values, Mapping) else None
    return {'robot': name} if isinstance(name, str) else {}


def _value(text: str) -> Any:
    """Read a switch or a number as in a YAML file."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def remappings(launched: Launched) -> dict[str, str]:
    """Return topic in the code -> topic to use."""
    chosen = launched.chosen['mocap_topic']
    rules = {MOCAP_POSE.name: chosen} if chosen != MOCAP_POSE.name else {}
    if launched.namespace:
        rules['/tf'] = 'tf'  # each robot has a frame of the same name
    return rules


def command_of(launched: Launched) -> str:
    """Return what the user may have typed: the arguments that are not as they would be without."""
    words = [
        f'{argument.name}:={launched.chosen[argument.name]}'
        for argument in arguments_of(launched.launch)
        if launched.chosen[argument.name] != argument.default
    ]
    return shlex.join(['ros2', 'launch', 'millirobot_adapt', f'{launched.launch}.launch.py', *words])
