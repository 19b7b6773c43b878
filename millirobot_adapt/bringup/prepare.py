"""Prepare a live run: check what runs, make its run folder, write down everything that is known before it starts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from millirobot_adapt.bringup.run_folder import (
    Parameters,
    RunFolder,
    make_run_folder,
    write_node_parameters,
    write_parameters,
)
from millirobot_adapt.core.config import build, flatten, nest
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.ros.ros_version import ros_version


def prepare_run(nodes: Parameters, out: Path, command: str, namespace: str = '') -> RunFolder:
    """Make the run folder under `out` and write the parameters into it; the recorder's bag goes there too.

    Args:
        nodes: Resolved parameters of every node, those of the recorder and of the controller or the collector among
            them. Where there is a mock robot, it and the bridge meet at a port in the run folder.
        out: Where run folders go.
        command: What the user typed.
        namespace: Of the nodes, such as `robot1`; '' for none.

    Raises:
        UserError: model, robot, path or condition are not there or do not fit; the folder cannot be made. Then
            nothing is left.
    """
    if 'mock_robot' in nodes:
        from millirobot_adapt.sim.conditions import load_condition  # needs the simulator, which a robot does not

        load_condition(nodes['mock_robot']['condition'])
    driver = nodes['controller' if 'controller' in nodes else 'collector']
    robot, model = load_robot(driver['robot']), None
    if 'controller' in nodes:
        model = assemble(build(ControllerConfig, nest(driver), 'parameters of the controller')).bundle.path
    now = datetime.now()
    folder = make_run_folder(out, now)
    nodes = {name: dict(values) for name, values in nodes.items()}
    nodes['recorder'] |= {'bag': str(folder.bag), 'run_file': str(folder.parameters)}
    if 'mock_robot' in nodes:
        nodes['mock_robot']['port'] = nodes['bridge']['port'] = str(folder.port)
    write_node_parameters(folder.node_parameters, nodes, namespace)
    write_parameters(
        folder.parameters,
        command=command,
        seed=driver['seed'],
        robot=flatten(robot),
        model=model,
        nodes=nodes,
        ros=ros_version(),
        now=now,
    )
    return folder
