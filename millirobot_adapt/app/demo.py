"""The demo: walk a path in real time with a mock robot, break something at half-time, leave a report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millirobot_adapt.app.run_outcome import FAILED, INTERRUPTED, OK, report
from millirobot_adapt.bringup.environment import run_environment
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.live_run import InterruptedRunError, LiveRun, RunFailedError, Surroundings
from millirobot_adapt.bringup.prepare import Place, prepare_run
from millirobot_adapt.bringup.processes import (
    CONTROLLER,
    MANAGED,
    MANAGER,
    MOCK_FENCE,
    MOCK_ROBOT,
    RECORDER,
    SIMULATION,
    parse_override,
    resolve,
)
from millirobot_adapt.bringup.robot_choice import choices_of
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.bringup.run_progress import RunProgress
from millirobot_adapt.core.config import read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.dynamics.method_factory import check_method, model_for_method
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.sim.conditions import load_condition
from millirobot_adapt.sim.firmware_board import check_firmware


@dataclass(frozen=True)
class Demo:
    """What the user asked for; None leaves the choice to the parameter files."""

    seconds: float
    shape: str | None
    condition: str | None
    method: str | None
    model: str | None
    seed: int
    out: Path
    overrides: Sequence[str]
    firmware: str | None = None
    """What runs on the mock's microcontroller."""
    robot: str | None = None
    """Name or file of the robot."""


def run_demo(demo: Demo, command: str) -> int:
    """Run the demo and return the exit code: 0 walked to the end, 1 ended early, 130 interrupted.

    Raises:
        UserError: bad input; the robot has not walked.
    """
    with Interrupts() as interrupts:
        folder, complaint = walk_demo(demo, command, interrupts)
    if interrupts.requested:
        return INTERRUPTED
    if not complaint:
        print(f'look at it: millirobot film {folder}, or millirobot view {folder}', flush=True)
    return FAILED if complaint else OK


def walk_demo(demo: Demo, command: str, interrupts: Interrupts) -> tuple[Path, str]:
    """Walk once and write the report; returns the run folder and why the run ended early, empty if it did not.

    Raises:
        UserError: bad input; the robot has not walked.
    """
    folder, nodes = _prepare(demo, command)
    complaint = _drive(demo, folder, nodes, interrupts)
    if complaint:
        print(f'millirobot: {complaint}', file=sys.stderr)
        folder.note_end(complaint)
    report(folder)
    return folder.path, complaint


def _prepare(demo: Demo, command: str) -> tuple[RunFolder, Parameters]:
    """Resolve and check what can be checked before anything starts; make the run folder."""
    if demo.firmware is not None:
        check_firmware(demo.firmware)
    nodes = resolve(SIMULATION, node_overrides(demo))
    return prepare_run(nodes, Place(demo.out), command), nodes


def node_overrides(demo: Demo) -> dict[str, dict[str, Any]]:
    """Turn the options into parameters of nodes; `--set` comes last and wins."""
    robot = load_robot(demo.robot or ControllerConfig.robot)
    fitting = choices_of(robot, mock=True, method=demo.method or '')
    if not demo.robot:
        del fitting['controller']['model']
    options: dict[str, dict[str, Any]] = {
        'mock_robot': {
            'condition': demo.condition, 'fault_time': demo.seconds / 2, 'seed': demo.seed, 'firmware': demo.firmware,
            'robot': demo.robot,
        },
        'bridge': {'gate.fence': MOCK_FENCE, 'robot': demo.robot},
        'estimator': {'robot': demo.robot},
        'controller': {
            'path': demo.shape, 'method': demo.method, 'model': _model(demo, robot.name), 'seed': demo.seed,
            'objective.fence_corners': MOCK_FENCE, 'robot': demo.robot,
        },
    }  # fmt: skip
    given = {
        node: fitting.get(node, {}) | {name: v for name, v in values.items() if v is not None}
        for node, values in options.items()
    }
    for text in demo.overrides:
        node, name, value = parse_override(text, SIMULATION)
        given.setdefault(node, {})[name] = value
    return given


def _model(demo: Demo, robot: str) -> str | None:
    """Return the model asked for; with a method alone, the one that ships for it; None: no word of it."""
    given = check_method(demo.method) if demo.method else None
    if demo.model or not given or demo.robot:
        return demo.model
    shipped = read_params(CONTROLLER.parameter_file, 'controller', ControllerConfig)
    return model_for_method(given, shipped.model, robot)


def _drive(demo: Demo, folder: RunFolder, nodes: Parameters, interrupts: Interrupts) -> str:
    """Let the robot walk; returns why the run ended early, empty if it did not."""
    progress = RunProgress(demo.seconds)
    try:
        with (
            run_environment(own_domain=True, mock_hooks=folder.logs / 'mock_hooks') as environment,
            LiveRun(folder, Surroundings(environment), interrupts) as run,
        ):
            domain = environment['ROS_DOMAIN_ID']
            names = ', '.join(node.name for node in SIMULATION)
            print(f'{folder.path}: starting {names} in ROS domain {domain}', flush=True)
            run.start((RECORDER, MANAGER, MOCK_ROBOT))
            if load_robot(nodes['bridge']['robot']).baud is not None:
                run.wait_for_file(folder.port)
            run.start(MANAGED)
            run.wait_until_ready()
            print(_story(demo, nodes), flush=True)
            named = f' --robot {demo.robot}' if demo.robot else ''
            print(f'watch it: millirobot view --live --domain {domain}{named}', flush=True)
            run.walk(demo.seconds, progress)
    except InterruptedRunError:
        return 'interrupted; the robot stands and every process has ended'
    except RunFailedError as error:
        return str(error)
    finally:
        progress.close()
    return ''


def _story(demo: Demo, nodes: Parameters) -> str:
    """Say what is going to happen."""
    controller, mock = nodes['controller'], nodes['mock_robot']
    return (
        f'following {controller["path"]} for {demo.seconds:g} s with {controller["model"]} under '
        f'{Path(mock["condition"]).stem}, {faults_text(mock["condition"], mock["fault_time"], demo.seconds)}'
    )


def faults_text(condition: str, fault_time: float, seconds: float) -> str:
    """Say which faults of a condition begin, and when, in a walk of some length [s].

    Args:
        condition: Name or file of the condition.
        fault_time: When its first fault begins [s]; below 0: when the condition says.
        seconds: How long the robot walks.

    Raises:
        UserError: there is no such condition, or it is bad.
    """
    chosen = load_condition(condition)
    if fault_time >= 0:
        chosen = chosen.with_faults_from(fault_time)
    begin = [f'{fault.text.replace("_", " ")} at {fault.time:g} s' for fault in chosen.faults if fault.time < seconds]
    if not begin:
        return 'whose fault would begin after the end' if chosen.faults else 'which has no fault'
    return ', '.join(begin)
