"""The arguments of the launch files: what they are called, what they say, which parameters they set."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from launch.actions import DeclareLaunchArgument

from millirobot_adapt.contract.topics import MOCAP_POSE
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.yaml_file import is_number


@dataclass(frozen=True)
class Argument:
    """An argument of a launch file that sets parameters of nodes; left empty, it sets none."""

    name: str
    doc: str
    sets: tuple[str, ...]
    """Parameters, as node.dotted.name; those of nodes that are not started are left out."""
    choices: tuple[str, ...] = ()


ROBOT_NAME = Argument(
    'robot', 'the robot: a name in params/robots or the path of a YAML file',
    (
        'bridge.robot', 'estimator.robot', 'controller.robot', 'collector.robot', 'mock_robot.robot', 'teleop.robot',
    ),
)  # fmt: skip
PORT = Argument('port', "serial port of the robot's radio", ('bridge.port',))
DRY_RUN = Argument('dry_run', 'decide and show as always, but send zero', ('bridge.dry_run',), ('true', 'false'))
TRAJECTORY = Argument('trajectory', 'path to follow: a shape or a file of way-points', ('controller.path',))
MODEL = Argument('model', 'model bundle: a name in models or a folder', ('controller.model',))
METHOD = Argument('method', "adaptation method, if not the model's own", ('controller.method',))
CONDITION = Argument(
    'condition', 'what the mock meets: a name in params/conditions or a file', ('mock_robot.condition',)
)
SEED = Argument('seed', 'seed of everything random', ('controller.seed', 'collector.seed', 'mock_robot.seed'))
MINUTES = Argument('minutes', 'how long to walk [min]', ('collector.minutes',))
BAG = Argument('bag', 'bag or run folder to play', ('player.bag',))
START = Argument('start', 'where to begin, after the first message [s]', ('player.start',))


def declare(argument: Argument) -> DeclareLaunchArgument:
    """Declare an argument."""
    choices = ['', *argument.choices] if argument.choices else None
    doc = f'{argument.doc}; empty: as the parameter files say'
    return DeclareLaunchArgument(argument.name, default_value='', choices=choices, description=doc)


def declare_common(record: bool) -> list[DeclareLaunchArgument]:
    """Declare the arguments of every launch file."""

    def text(name: str, default: str, doc: str) -> DeclareLaunchArgument:
        return DeclareLaunchArgument(name, default_value=default, description=doc)

    def switch(name: str, on: bool, doc: str) -> DeclareLaunchArgument:
        default = str(on).lower()
        return DeclareLaunchArgument(name, default_value=default, choices=['true', 'false'], description=doc)

    return [
        text('params', '', 'a parameter file of your own, with some parameters of some nodes'),
        text('namespace', '', 'of nodes, topics, services and run folders, for several robots side by side'),
        text('mocap_topic', MOCAP_POSE.name, 'where motion capture publishes PoseStamped'),
        text('out', 'runs', 'where run folders go'),
        switch('record', record, 'record into a run folder'),
        switch('teleop', False, 'drive by joystick while no controller runs'),
        switch('rviz', False, 'watch in RViz'),
    ]


def value_of(argument: Argument, text: str) -> Any:
    """Read an argument: a switch or a number as in a YAML file, else text."""
    return yaml.safe_load(text) if argument.choices or is_number(text) else text


def refuse_unknown(file: str, command: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a misspelt argument of a launch file, which `ros2 launch` itself takes without a word.

    Raises:
        UserError: names it and the nearest one that there is.
    """
    if Path(file).name not in [Path(word).name for word in command]:
        return  # included by another launch file, whose arguments these are
    for word in command:
        name, assigned, _ = word.partition(':=')
        if assigned and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise UserError(f'{word}: unknown argument; did you mean {near}:=...? (--show-args lists all)')
