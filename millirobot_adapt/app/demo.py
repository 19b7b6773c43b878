"""The demo: walk a path in real time with the mock robot, lose a leg at half-time, leave a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millirobot_adapt.analysis.report import REPORT, write_report
from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.live_run import InterruptedRunError, LiveRun, RunFailedError
from millirobot_adapt.bringup.prepare import prepare_run
from millirobot_adapt.bringup.processes import (
    MANAGED,
    MANAGER,
    MOCK_FENCE,
    MOCK_ROBOT,
    RECORDER,
    SIMULATION,
    parse_override,
    resolve,
)
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.bringup.run_progress import RunProgress
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import shipped_model

OK, FAILED, INTERRUPTED = 0, 1, 130


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


def run_demo(demo: Demo, command: str) -> int:
    """Run the demo and return the exit code: 0 walked to the end, 1 ended early, 130 interrupted.

    Raises:
        UserError: bad input; the robot has not walked.
    """
    with Interrupts() as interrupts:
        folder, nodes = _prepare(demo, command)
        complaint = _drive(demo, folder, nodes, interrupts)
        if complaint:
            print(f'millirobot: {complaint}', file=sys.stderr)
            folder.note_end(complaint)
        _report(folder)
    if interrupts.requested:
        return INTERRUPTED
    return FAILED if complaint else OK


def _prepare(demo: Demo, command: str) -> tuple[RunFolder, Parameters]:
    """Resolve and check what can be checked before anything starts; make the run folder."""
    nodes = resolve(SIMULATION, node_overrides(demo))
    return prepare_run(nodes, demo.out, command), nodes


def node_overrides(demo: Demo) -> dict[str, dict[str, Any]]:
    """Turn the options into parameters of nodes; `--set` comes last and wins."""
    options: dict[str, dict[str, Any]] = {
        'mock_robot': {'condition': demo.condition, 'fault_time': demo.seconds / 2, 'seed': demo.seed},
        'bridge': {'gate.fence': MOCK_FENCE},
        'controller': {
            'path': demo.shape, 'method': demo.method, 'model': _model(demo), 'seed': demo.seed,
            'objective.fence_corners': MOCK_FENCE,
        },
    }  # fmt: skip
    given = {node: {name: v for name, v in values.items() if v is not None} for node, values in options.items()}
    for text in demo.overrides:
        node, name, value = parse_override(text, SIMULATION)
        given.setdefault(node, {})[name] = value
    return given


def _model(demo: Demo) -> str | None:
    """Return the model asked for; with a method alone, the one that ships for it."""
    return demo.model or (shipped_model(ControllerConfig.robot, demo.method) if demo.method else None)


def _drive(demo: Demo, folder: RunFolder, nodes: Parameters, interrupts: Interrupts) -> str:
    """Let the robot walk; returns why the run ended early, empty if it did not."""
    domain = reserve_domain()
    environment = local_environment(domain.number, folder.logs / 'mock_hooks')
    os.environ.update(environment)  # the operator lives in this process
    print(
        f'{folder.path}: starting {", ".join(node.name for node in SIMULATION)} in ROS domain {domain.number}',
        flush=True,
    )
    progress = RunProgress(demo.seconds)
    try:
        with LiveRun(folder, environment, interrupts) as run:
            run.start((RECORDER, MANAGER, MOCK_ROBOT))
            run.wait_for_file(folder.port)
            run.start(MANAGED)
            run.wait_until_ready()
            print(_story(demo, nodes), flush=True)
            run.walk(demo.seconds, progress)
    except InterruptedRunError:
        return 'interrupted; the robot stands and every process has ended'
    except RunFailedError as error:
        return str(error)
    finally:
        progress.close()
        domain.release()
    return ''


def _story(demo: Demo, nodes: Parameters) -> str:
    """Say what is going to happen."""
    controller, mock = nodes['controller'], nodes['mock_robot']
    return (
        f'walking {controller["path"]} for {demo.seconds:g} s with {controller["model"]} under {mock["condition"]}, '
        f'its faults at {mock["fault_time"]:g} s'
    )


def _report(folder: RunFolder) -> None:
    """Write the report of what there is, and print the figures that matter."""
    try:
        summary = write_report(folder.path)
    except UserError as error:
        print(f'no report: {error}', file=sys.stderr)
        return
    print(table(summary))
    print(f'report: {folder.path / REPORT}', flush=True)


def table(summary: Mapping[str, Any]) -> str:
    """Return the figures of a summary that a person looks at first, one a line; what is not known is a dash."""
    link, adaptation, tracking = summary['link'], summary['adaptation'], summary['tracking']
    after_fault = tracking['after_fault'] or {}
    rows = (
        ('ticks', f'{_text(summary["ticks"])}, {_text(summary["deadline_misses"])} deadlines missed'),
        ('setpoint every', _times(summary['period_ms'])),
        ('work', _times(summary['work_ms'])),
        ('link', f'{_text(link["replies"])} replies to {_text(link["sent"])} setpoints'),
        ('prediction error', f'{_text(adaptation["pre_error"])} -> {_text(adaptation["post_error"])}'),
        (
            'cost per step',
            f'{_text(tracking["cost_per_step"])}, after the fault {_text(after_fault.get("cost_per_step"))}',
        ),
    )
    stops = [f'stopped at {_text(stop["time_s"])} s: {stop["reason"]}' for stop in summary['stops']]
    return '\n'.join([f'  {name:17} {value}' for name, value in rows] + [f'  {stop}' for stop in stops])


def _times(times: Mapping[str, Any]) -> str:
    return f'{_text(times["p50"])} ms (p99 {_text(times["p99"])}, longest {_text(times["max"])})'


def _text(number: float | None) -> str:
    if number is None:
        return '-'
    return str(number) if isinstance(number, int) else f'{number:.2f}'
