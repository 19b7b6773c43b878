"""`millirobot learn` in real time: parameters from options, a ROS domain of its own for the mock, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from millirobot_adapt.app.learning_sitting import LearningSetup, Sitting, report_sitting
from millirobot_adapt.app.run_outcome import FAILED, INTERRUPTED, OK
from millirobot_adapt.bringup.environment import run_environment
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.learning_run import LearningRun
from millirobot_adapt.bringup.live_run import InterruptedRunError, RunFailedError, Surroundings
from millirobot_adapt.bringup.prepare import Place, prepare_run
from millirobot_adapt.bringup.processes import parse_override, resolve
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.learning.online.sitting_folder import FIRST


@dataclass(frozen=True)
class Learning:
    """What the user asked for."""

    setup: LearningSetup
    port: str
    """Serial port of the robot's radio or bus; '': as the parameters say."""
    condition: str
    """What the mock walks on; '': what suits the robot."""
    seed: int
    out: Path
    overrides: Sequence[str]
    """Parameters of nodes, as node.parameter=value."""


def run_learning(learning: Learning, command: str) -> int:
    """Learn; returns the exit code: 0 to the end, 1 ended early, 130 interrupted.

    Raises:
        UserError: bad input; the robot has not walked.
    """
    learning.setup.check()
    with Interrupts() as interrupts:
        nodes = _parameters(learning)
        folder = prepare_run(nodes, Place(learning.out), command, later_model=FIRST)
        complaint = _conduct(learning, folder, nodes, interrupts)
    if complaint:
        print(f'millirobot: {complaint}', file=sys.stderr)
        folder.note_end(complaint)
    report_sitting(folder, print)
    if interrupts.requested:
        return INTERRUPTED
    return FAILED if complaint else OK


def _parameters(learning: Learning) -> Parameters:
    """Turn the options into parameters of the nodes; `--set` comes last and wins."""
    given = learning.setup.parameters()
    given['collector']['seed'] = given['controller']['seed'] = learning.seed
    if learning.port:
        given['bridge']['port'] = learning.port
    if learning.setup.mock:
        named = {'condition': learning.condition} if learning.condition else {}
        given['mock_robot'] |= {'seed': learning.seed, **named}
    for text in learning.overrides:
        node, name, value = parse_override(text, learning.setup.processes)
        given[node] = given.get(node, {}) | {name: value}
    return resolve(learning.setup.processes, given)


def _conduct(learning: Learning, folder: RunFolder, nodes: Parameters, interrupts: Interrupts) -> str:
    """Learn; returns why it ended early, empty if it did not."""
    setup = learning.setup
    sitting = Sitting(setup, folder, nodes, _say)
    _say(f'{folder.path}: starting {", ".join(node.name for node in setup.processes)}')
    try:
        with (
            run_environment(own_domain=setup.mock) as environment,
            LearningRun(folder, Surroundings(environment), interrupts) as run,
        ):
            sitting.conduct(run)
    except InterruptedRunError:
        return 'interrupted; the robot stands and every process has ended'
    except RunFailedError as error:
        return str(error)
    return ''


def _say(line: str) -> None:
    print(line, flush=True)
