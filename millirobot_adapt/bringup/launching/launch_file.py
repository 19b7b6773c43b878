"""One launch file: which processes it starts, with which parameters, and how they end.

What is chosen on the command line of `ros2 launch` becomes parameters of nodes, as `--set` does for `millirobot demo`:
first the shipped parameter files, then the user's own one, then the arguments. All of it is checked before the first
process starts, and written into the run folder. When one process ends, all do.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessIO
from launch.events.process import ProcessIO
from launch_ros.actions import Node

from millirobot_adapt.bringup.launching.arguments import Argument, declare, declare_common, refuse_unknown, value_of
from millirobot_adapt.bringup.launching.ending import Ending
from millirobot_adapt.bringup.launching.own_parameters import own_parameters
from millirobot_adapt.bringup.launching.tools import tools
from millirobot_adapt.bringup.prepare import prepare_run
from millirobot_adapt.bringup.processes import (
    BRIDGE,
    MANAGEABLE,
    MANAGER,
    MOCK_ROBOT,
    RECORDER,
    TELEOP,
    NodeProcess,
    resolve,
)  # fmt: skip
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder, write_node_parameters
from millirobot_adapt.contract.topics import MOCAP_POSE
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.share import shipped_model

SERVING = b'serving the radio'
"""What the mock says once the bridge may open its port."""
PATIENCE = '10'
"""A process that was asked to end and has not done so is ended after this time [s]: a bag takes a while to finish."""


@dataclass(frozen=True)
class Launch:
    """What a launch file starts."""

    file: str
    """Path of the launch file."""
    processes: tuple[NodeProcess, ...]
    """In the order of their start; a mock gives way to a port that is chosen, else the bridge waits for its port."""
    arguments: tuple[Argument, ...]
    """What can be chosen beside that which every launch file offers."""
    differing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Parameters that differ from the shipped files: node -> dotted name -> value."""

    def describe(self) -> LaunchDescription:
        """Return the launch description: what can be chosen, and what starts then."""
        declared = [*map(declare, self.arguments), *declare_common(record=RECORDER in self.processes)]

        def start(context: LaunchContext) -> list[Action]:
            refuse_unknown(self.file, sys.argv, [argument.name for argument in declared])
            return self._start(context.launch_configurations)

        return LaunchDescription([*declared, OpaqueFunction(function=start)])

    def _start(self, chosen: Mapping[str, str]) -> list[Action]:
        """Check everything, write it down, and return the processes to start.

        Raises:
            UserError: as `resolve`, `own_parameters` and `prepare_run`.
        """
        wanted = list(self.processes)
        if chosen['record'] == 'false':
            wanted = [node for node in wanted if node is not RECORDER]
        if chosen.get('port'):
            wanted = [node for node in wanted if node is not MOCK_ROBOT]
        if chosen['teleop'] == 'true':
            wanted.append(TELEOP)
        file, folder = _write(self._parameters(wanted, chosen), chosen)
        ending = Ending(folder)
        processes = {node: _process(node.name, file, chosen, ending) for node in wanted}
        actions: list[Action] = [LogInfo(msg=f'parameters: {file}'), ending.listen()]
        if MOCK_ROBOT in processes:
            actions.append(_once_serving(processes[MOCK_ROBOT], processes.pop(BRIDGE)))
        return [*actions, *processes.values(), *tools(chosen)]

    def _parameters(self, processes: Sequence[NodeProcess], chosen: Mapping[str, str]) -> Parameters:
        """Return every parameter of the processes: as shipped, as this launch file differs, as the user wants it."""
        changes = {node.name: dict(self.differing.get(node.name, {})) for node in processes}
        if MANAGER in processes:
            changes['manager']['nodes'] = [node.name for node in processes if node in MANAGEABLE]
        if chosen['params']:
            for name, values in own_parameters(Path(chosen['params']), processes, chosen['namespace']).items():
                changes[name] |= values
        for argument in self.arguments:
            for node, _, parameter in (target.partition('.') for target in argument.sets):
                if chosen[argument.name] and node in changes:
                    changes[node][parameter] = value_of(argument, chosen[argument.name])
        if chosen.get('method') and 'controller' in changes:  # with a method alone, the model that ships for it
            changes['controller'].setdefault('model', shipped_model(ControllerConfig.robot, chosen['method']))
        return resolve(processes, changes, 'launch arguments:')


def _write(nodes: Parameters, chosen: Mapping[str, str]) -> tuple[Path, RunFolder | None]:
    """Write the parameter file of the processes: into a run folder if one is recorded, else into a temporary one."""
    namespace = chosen['namespace'].strip('/')
    if RECORDER.name in nodes:
        run = prepare_run(nodes, Path(chosen['out'], namespace), shlex.join(sys.argv), namespace)
        return run.node_parameters, run
    folder = Path(tempfile.mkdtemp(prefix='millirobot_'))
    if MOCK_ROBOT.name in nodes:
        nodes['mock_robot']['port'] = nodes['bridge']['port'] = str(folder / 'radio')
    write_node_parameters(folder / 'nodes.yaml', nodes, namespace)
    return folder / 'nodes.yaml', None


def _process(name: str, parameters: Path, chosen: Mapping[str, str], ending: Ending) -> Node:
    """Return the action that starts a node; when it ends, everything does."""
    remappings = [(MOCAP_POSE.name, chosen['mocap_topic'])]
    if chosen['namespace']:
        remappings.append(('/tf', 'tf'))  # each robot has a frame of the same name
    return Node(
        package='millirobot_adapt', executable=name, namespace=chosen['namespace'], parameters=[str(parameters)],
        remappings=remappings, output='screen', on_exit=ending.of(name), sigterm_timeout=PATIENCE,
    )  # fmt: skip


def _once_serving(mock: Node, bridge: Node) -> RegisterEventHandler:
    """Start the bridge when the mock has made its port."""

    def on_output(event: ProcessIO) -> Node | None:
        return bridge if SERVING in event.text else None

    return RegisterEventHandler(OnProcessIO(target_action=mock, on_stdout=on_output, on_stderr=on_output))
