"""Prepare a live run: check what runs, make its run folder, write down everything that is known before it starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from millirobot_adapt.bringup.environment import check_log_folder
from millirobot_adapt.bringup.middleware import VARIABLE, refuse_absent
from millirobot_adapt.bringup.parameter_sources import parameter_sources
from millirobot_adapt.bringup.run_folder import (
    Parameters,
    RunFolder,
    make_run_folder,
    make_temporary_folder,
    write_node_parameters,
    write_parameters,
)
from millirobot_adapt.core.config import build, flatten, nest
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.ros.ros_version import ros_version


@dataclass(frozen=True)
class Place:
    """Where a run's folder goes, and under which name its nodes run."""

    out: Path
    """Where run folders go."""
    namespace: str = ''
    """Of the nodes, such as `robot1`; '' for none. Its run folders go below it."""
    option: str = '--out'
    """How the user names another place, for errors."""
    recorded: bool = True
    """Not recorded, it has a temporary folder."""


def prepare_run(
    nodes: Parameters, place: Place, command: str, own_files: Sequence[Path] = (), later_model: str = ''
) -> RunFolder:
    """Make the run folder and write the parameters into it; the recorder's bag goes there too.

    Args:
        nodes: Resolved parameters of every node. Where there is a mock robot, it and the bridge meet at a port in the
            run folder.
        place: Where it goes.
        command: What the user typed.
        own_files: The user's own parameter files.
        later_model: Folder in the run folder where the controller's model will be when it starts; '': it is there now.

    Raises:
        UserError: model, robot, path or condition are not there or do not fit; the firmware cannot run here; the
            middleware is not installed; the folder cannot be made. Then nothing is left.
    """
    if 'mock_robot' in nodes:
        # They need the simulator, which a robot does not.
        from millirobot_adapt.sim.conditions import load_condition
        from millirobot_adapt.sim.firmware_board import check_firmware

        load_condition(nodes['mock_robot']['condition'])
        check_firmware(nodes['mock_robot']['firmware'])
    check_log_folder(os.environ)
    refuse_absent(os.environ.get(VARIABLE, ''), f'{VARIABLE}=')
    driver = next(nodes[name] for name in ('controller', 'collector', 'estimator') if name in nodes)
    robot, model = load_robot(driver['robot']), None
    if 'controller' in nodes and not later_model:
        model = assemble(build(ControllerConfig, nest(driver), 'parameters of the controller')).bundle.path
    now = datetime.now()
    if place.recorded:
        folder = make_run_folder(place.out / place.namespace, now, place.option)
    else:
        folder = make_temporary_folder()
    nodes = {name: dict(values) for name, values in nodes.items()}
    if later_model:
        nodes['controller']['model'] = str(folder.path.resolve() / later_model)
    if 'recorder' in nodes:
        nodes['recorder'] |= {'bag': str(folder.bag), 'run_file': str(folder.parameters)}
    if 'mock_robot' in nodes:
        nodes['mock_robot']['port'] = nodes['bridge']['port'] = str(folder.port)
    write_node_parameters(folder.node_parameters, nodes, place.namespace)
    write_parameters(
        folder.parameters,
        command=command,
        seed=driver.get('seed'),
        robot=flatten(robot),
        model=model,
        nodes=nodes,
        sources=parameter_sources(nodes, own_files),
        ros=ros_version(),
        now=now,
    )
    return folder
