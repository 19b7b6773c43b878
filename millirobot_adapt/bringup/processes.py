"""Describe the processes of a live run once, for `millirobot demo` and for the launch files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from millirobot_adapt.bringup.run_folder import Parameters
from millirobot_adapt.core.config import Config, build, flatten, nest, read_params
from millirobot_adapt.core.errors import UserError, did_you_mean
from millirobot_adapt.core.renames import renewed
from millirobot_adapt.core.share import share_dir


@dataclass(frozen=True)
class NodeProcess:
    """One executable with one node of the same name."""

    name: str
    """Name of the node, of its executable, of params/<name>.yaml and of the block in it."""
    module: str
    """Module with the executable's `main`."""
    config: str
    """Its parameters: module:class."""

    @property
    def parameter_file(self) -> Path:
        """The shipped parameters."""
        return share_dir() / 'params' / f'{self.name}.yaml'

    def config_class(self) -> type[Config]:
        """Import the dataclass that declares the node's parameters."""
        module, _, name = self.config.partition(':')
        found: type[Config] = getattr(import_module(module), name)
        return found

    def command(
        self, parameter_file: Path, namespace: str = '', remappings: Mapping[str, str] | None = None
    ) -> list[str]:
        """Return the command line that runs the node.

        Args:
            parameter_file: A ROS 2 parameter file with its parameters.
            namespace: Such as `robot1`; '' for none.
            remappings: Topic in the code -> topic to use.
        """
        rules = {**({'__ns': f'/{namespace.strip("/")}'} if namespace.strip('/') else {}), **(remappings or {})}
        return [
            sys.executable, '-m', 'millirobot_adapt.bringup.run_node', self.name,
            '--ros-args', '--params-file', str(parameter_file), '--disable-external-lib-logs',
            *(word for name, value in rules.items() for word in ('-r', f'{name}:={value}')),
        ]  # fmt: skip


_NODES = 'millirobot_adapt.nodes'
RECORDER = NodeProcess('recorder', f'{_NODES}.recorder', f'{_NODES}.recorder:RecorderConfig')
MOCK_ROBOT = NodeProcess('mock_robot', f'{_NODES}.mock_robot', f'{_NODES}.mock_robot:MockRobotConfig')
BRIDGE = NodeProcess('bridge', 'millirobot_adapt.nodes.bridge', 'firmware_bridge.bridge_config:BridgeConfig')
ESTIMATOR = NodeProcess(
    'estimator', f'{_NODES}.estimator', 'millirobot_adapt.core.estimation.estimator_config:EstimatorNodeConfig'
)
CONTROLLER = NodeProcess('controller', f'{_NODES}.controller', 'millirobot_adapt.core.control.wiring:ControllerConfig')
MANAGER = NodeProcess('manager', f'{_NODES}.manager', 'millirobot_adapt.ros.bring_up:ManagerConfig')
COLLECTOR = NodeProcess('collector', f'{_NODES}.collector', 'millirobot_adapt.core.control.collector:CollectorConfig')
PLAYER = NodeProcess('player', f'{_NODES}.player', f'{_NODES}.player:PlayerConfig')
TELEOP = NodeProcess('teleop', f'{_NODES}.teleop', 'millirobot_adapt.core.control.teleop:TeleopConfig')

MANAGED = (BRIDGE, ESTIMATOR, CONTROLLER)
"""What the manager brings up to drive the robot; with RECORDER before it, to record that."""
COLLECTING = (BRIDGE, ESTIMATOR, COLLECTOR)
"""What the manager brings up to collect data with the robot."""
PLAYING = (PLAYER, ESTIMATOR)
"""What the manager brings up to play a recorded run."""
MANAGEABLE = (RECORDER, *MANAGED, COLLECTOR, PLAYER)
"""What a manager can bring up."""
ROBOT = (*MANAGED, MANAGER)
"""What drives the real robot."""
SIMULATION = (RECORDER, MOCK_ROBOT, *ROBOT)
"""A whole run with the mock, in the order of their start."""
NODES = (*SIMULATION, COLLECTOR, PLAYER, TELEOP)
"""Everything that can be started."""
STOP_ORDER = (
    ('manager', 'teleop', 'collector', 'controller', 'joy_node', 'rviz2'),
    ('bridge',),
    ('estimator', 'mock_robot', 'player', 'recorder'),
)
"""Waves in which they end: setpoints end before the link does, and the recorder hears of both."""
MOCK_FENCE = [-30.0, -30.0, 30.0, 30.0]
"""Fence of the gate [m]: the mock's floor has no end, and the shapes other than the figure-8 leave the lab's arena."""


def parse_override(text: str, nodes: Sequence[NodeProcess]) -> tuple[str, str, Any]:
    """Read `node.parameter=value` (value in YAML) into node, dotted parameter name, value.

    Raises:
        UserError: not of that form, or no such node.
    """
    left, equals, right = text.partition('=')
    node, dot, name = left.strip().partition('.')
    if not equals or not dot or not name:
        raise UserError(f'--set {text}: is not of the form node.parameter=value, e.g. controller.method=mb')
    _known(node, [process.name for process in nodes], f'--set {text}: unknown node')
    try:
        return node, name, yaml.safe_load(right)
    except yaml.YAMLError:
        raise UserError(f'--set {text}: {right!r} is not a YAML value') from None


def resolve(
    nodes: Sequence[NodeProcess], overrides: Mapping[str, Mapping[str, Any]], source: str = '--set'
) -> Parameters:
    """Return every parameter of the nodes: the shipped file, then the overrides (node -> dotted name -> value).

    `source` says in errors where the overrides came from.

    Raises:
        UserError: an unknown key (the nearest is named), a wrong type, a value out of range.
    """
    resolved: Parameters = {}
    for node in nodes:
        cls = node.config_class()
        values = flatten(read_params(node.parameter_file, node.name, cls))
        try:
            given, _ = renewed(node.name, overrides.get(node.name, {}))
        except UserError as error:
            raise UserError(f'{source} {node.name}.{error}') from None
        for name in given:
            _known(name, list(values), f'{source} {node.name}.{name}: unknown parameter')
        resolved[node.name] = flatten(build(cls, nest({**values, **given}), f'{source} {node.name}'))
    return resolved


def _known(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise UserError(f'{what} {name!r}{did_you_mean(name, known)}')
