"""Collect data in real time, with the real robot or the mock: walk at random inside a circle and leave a bag."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from millirobot_adapt.app.run_outcome import FAILED, INTERRUPTED, OK
from millirobot_adapt.bringup.environment import run_environment
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.live_run import InterruptedRunError, LiveRun, RunFailedError, Surroundings
from millirobot_adapt.bringup.prepare import Place, prepare_run
from millirobot_adapt.bringup.processes import (
    COLLECTING,
    MANAGER,
    MOCK_ROBOT,
    RECORDER,
    NodeProcess,
    parse_override,
    resolve,
)
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.core.robot.description import load_robot


@dataclass(frozen=True)
class Collecting:
    """What the user asked for."""

    minutes: float
    port: str
    """Serial port of the robot's radio or bus; '': as the parameters say."""
    condition: str
    """What the mock walks on."""
    robot: str
    """Name or file of the robot."""
    mock: bool
    """The mock takes the robot's place."""
    seed: int
    out: Path
    overrides: Sequence[str]

    @property
    def processes(self) -> tuple[NodeProcess, ...]:
        """Return what runs."""
        return (RECORDER, MANAGER, *((MOCK_ROBOT,) if self.mock else ()), *COLLECTING)


def run_collecting(collecting: Collecting, command: str) -> tuple[int, Path]:
    """Collect; return the exit code (0 to the end, 1 ended early, 130 interrupted) and the run folder.

    Raises:
        UserError: bad input; the robot has not walked.
    """
    with Interrupts() as interrupts:
        folder = prepare_run(_parameters(collecting), Place(collecting.out), command)
        complaint = _drive(collecting, folder, interrupts)
    if complaint:
        print(f'millirobot: {complaint}', file=sys.stderr)
        folder.note_end(complaint)
    if interrupts.requested:
        return INTERRUPTED, folder.path
    return FAILED if complaint else OK, folder.path


def _parameters(collecting: Collecting) -> Parameters:
    """Turn the options into parameters of the nodes; `--set` comes last and wins."""
    names, robot = [node.name for node in (RECORDER, *COLLECTING)], collecting.robot
    given: dict[str, dict[str, Any]] = {
        'manager': {'nodes': names},
        'bridge': {'robot': robot, **({'port': collecting.port} if collecting.port else {})},
        'estimator': {'robot': robot},
        'collector': {'robot': robot, 'minutes': collecting.minutes, 'seed': collecting.seed},
    }
    if collecting.mock:
        given['mock_robot'] = {'robot': robot, 'condition': collecting.condition, 'seed': collecting.seed}
    for text in collecting.overrides:
        node, name, value = parse_override(text, collecting.processes)
        given[node] = given.get(node, {}) | {name: value}
    return resolve(collecting.processes, given)


def _drive(collecting: Collecting, folder: RunFolder, interrupts: Interrupts) -> str:
    """Let the robot walk; returns why it ended early, empty if it did not."""
    print(f'{folder.path}: starting {", ".join(node.name for node in collecting.processes)}', flush=True)
    try:
        with (
            run_environment(own_domain=collecting.mock) as environment,
            LiveRun(folder, Surroundings(environment), interrupts) as run,
            _Progress(60.0 * collecting.minutes) as progress,
        ):
            run.start((RECORDER, MANAGER))
            if collecting.mock:
                run.start((MOCK_ROBOT,))
                if load_robot(collecting.robot).baud is not None:
                    run.wait_for_file(folder.port)
            run.start(COLLECTING)
            run.wait_until_ready()
            print(f'walking at random for {60 * collecting.minutes:g} s; Ctrl-C stops the robot', flush=True)
            run.collect(progress)
    except InterruptedRunError:
        return 'interrupted; the robot stands and every process has ended'
    except RunFailedError as error:
        return str(error)
    return ''


class _Progress:
    """A moving line of the seconds walked, on a terminal; call it now and then."""

    def __init__(self, seconds: float) -> None:
        self._bar = tqdm(total=seconds, desc='collecting', unit='s', disable=None, bar_format='{l_bar}{bar}| {n:.0f} s')
        self._begin: float | None = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self) -> None:
        """Show the time since the first call."""
        now = time.monotonic()
        self._begin = now if self._begin is None else self._begin
        self._bar.update(min(now - self._begin, self._bar.total) - self._bar.n)
