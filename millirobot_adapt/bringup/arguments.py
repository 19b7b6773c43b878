"""The arguments of the launch files: their names, what they say, and which parameters of which nodes they set.

Both sides read this module: the launch files on the system's Python, which declare the arguments to `ros2 launch`, and
the program that they start, which turns them into parameters. It imports the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from millirobot_adapt.contract.topics import MOCAP_POSE
from millirobot_adapt.core.errors import UserError, did_you_mean

SWITCH = ('true', 'false')


@dataclass(frozen=True)
class Argument:
    """An argument of a launch file."""

    name: str
    doc: str
    sets: tuple[str, ...] = ()
    """Parameters, as node.dotted.name; those of nodes that are not started are left out."""
    choices: tuple[str, ...] = ()
    default: str = ''
    """Empty: as the parameter files say."""
    required: bool = False


ROBOT = Argument(
    'robot', 'the robot: a name in params/robots or the path of a YAML file',
    (
        'bridge.robot', 'estimator.robot', 'controller.robot', 'collector.robot', 'mock_robot.robot', 'teleop.robot',
    ),
)  # fmt: skip
RECORDED_ROBOT = Argument(
    'robot', 'the robot: a name in params/robots or the path of a YAML file; empty: the one that the bag names',
    ('estimator.robot',),
)  # fmt: skip
PORT = Argument('port', "serial port of the robot's radio or bus", ('bridge.port',))
DRY_RUN = Argument('dry_run', 'decide and show as always, but send zero', ('bridge.dry_run',), SWITCH)
TRAJECTORY = Argument('trajectory', 'path to follow: a shape or a file of waypoints', ('controller.path',))
MODEL = Argument('model', 'model bundle: a name in models or a folder', ('controller.model',))
METHOD = Argument('method', "adaptation method, if not the model's own", ('controller.method',))
CONDITION = Argument(
    'condition', 'what the mock meets: a name in params/conditions or a file', ('mock_robot.condition',)
)
FIRMWARE = Argument(
    'firmware', "what runs on the mock's microcontroller: python (its own), or the reference firmware: host, qemu",
    ('mock_robot.firmware',),
)  # fmt: skip
SEED = Argument('seed', 'seed of everything random', ('controller.seed', 'collector.seed', 'mock_robot.seed'))
MOCK = Argument('mock', 'whether the mock walks in place of a robot; empty: where no port is named', choices=SWITCH)
MINUTES = Argument('minutes', 'how long to walk [min]', ('collector.minutes',))
LEARN_MINUTES = Argument('minutes', 'how long to learn [min]', default='20')
RESUME = Argument('resume', 'run folder of an earlier sitting, to go on with its walks and models; empty: from nothing')
SETTINGS = Argument(
    'settings', 'of learning and training, apart by spaces: "learn.random_share=0.5 train.hidden=64,64"; empty: as '
    '`millirobot learn` has them',
)  # fmt: skip
BAG = Argument('bag', 'bag or run folder to play', ('player.bag',), required=True)
START = Argument('start', 'where to begin, after the first message [s]', ('player.start',))

LAUNCHES: Mapping[str, tuple[Argument, ...]] = {
    'sim': (ROBOT, CONDITION, FIRMWARE, TRAJECTORY, MODEL, METHOD, SEED),
    'robot': (ROBOT, PORT, TRAJECTORY, MODEL, METHOD, SEED, DRY_RUN),
    'collect': (ROBOT, PORT, MOCK, CONDITION, MINUTES, SEED, DRY_RUN),
    'learn': (ROBOT, PORT, MOCK, CONDITION, LEARN_MINUTES, RESUME, SETTINGS, SEED),
    'replay': (BAG, START, RECORDED_ROBOT),
}
"""Launch file -> its own arguments."""


def arguments_of(launch: str) -> tuple[Argument, ...]:
    """Return every argument of a launch file: its own, then those of all launch files."""
    recorded = 'false' if launch == 'replay' else 'true'
    common = (
        Argument('params', 'a parameter file of your own, with some parameters of some nodes'),
        Argument('namespace', 'of nodes, topics, services and run folders, for several robots side by side'),
        Argument('mocap_topic', 'where motion capture publishes PoseStamped', default=MOCAP_POSE.name),
        Argument('out', 'where run folders go', default='runs'),
        Argument('record', 'record into a run folder', choices=SWITCH, default=recorded),
        Argument('teleop', 'drive by joystick while no controller runs', choices=SWITCH, default='false'),
        Argument('rmw', 'middleware of every process, such as rmw_zenoh_cpp; empty: as RMW_IMPLEMENTATION says'),
        Argument('rviz', 'watch in RViz', choices=SWITCH, default='false'),
    )
    # What is learned is kept in the run folder, so that one is always made.
    return (*LAUNCHES[launch], *(each for each in common if launch != 'learn' or each.name != 'record'))


def refuse_unknown(launch: str, command: Sequence[str]) -> None:
    """Refuse a misspelt argument of a launch file, which `ros2 launch` itself accepts silently.

    Args:
        launch: Name of the launch file.
        command: The command line of `ros2 launch`.

    Raises:
        UserError: names the argument, and the nearest one if there is one near.
    """
    if f'{launch}.launch.py' not in [Path(word).name for word in command]:
        return  # included by another launch file, whose arguments these are
    known = [argument.name for argument in arguments_of(launch)]
    for word in command:
        name, assigned, _ = word.partition(':=')
        if assigned and name not in known:
            raise UserError(f'{word}: unknown argument{did_you_mean(name, known)} (--show-args lists all)')


def check_names(namespace: str, mocap_topic: str) -> None:
    """Refuse a namespace or topic that ROS would refuse later, when a run folder has been made.

    Raises:
        UserError: names the first character that a ROS name cannot hold.
    """
    for argument, name in (('namespace', namespace.strip('/')), ('mocap_topic', mocap_topic.lstrip('/'))):
        wrong = re.search(r'[^A-Za-z0-9_/]', name)
        if wrong is not None:
            raise UserError(
                f'{argument}:={name}: {wrong[0]!r} cannot stand in a ROS name; use letters, digits, _ and /'
            )
        for part in name.split('/') if name else ():
            if not part or part[0].isdigit():
                raise UserError(f'{argument}:={name}: each part of a ROS name begins with a letter or _')
    if not mocap_topic:
        raise UserError('mocap_topic:=: is empty; name the topic of your motion capture')
