"""Learn in one sitting, in real time: the robot walks, a trainer beside it trains, its models are swapped in."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.analysis.replay.rollouts import executed_actions
from millirobot_adapt.app.run_outcome import FAILED, INTERRUPTED, OK, report
from millirobot_adapt.bringup.environment import run_environment
from millirobot_adapt.bringup.interrupts import Interrupts
from millirobot_adapt.bringup.learning_run import LearningRun, mean_cost
from millirobot_adapt.bringup.live_run import InterruptedRunError, RunFailedError, Surroundings
from millirobot_adapt.bringup.prepare import Place, prepare_run
from millirobot_adapt.bringup.processes import (
    COLLECTING,
    CONTROLLER,
    MANAGER,
    MOCK_FENCE,
    MOCK_ROBOT,
    RECORDER,
    NodeProcess,
    parse_override,
    resolve,
)
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.path_source import TOPIC
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.learning.online.learn_config import LearnConfig
from millirobot_adapt.learning.online.learning_page import write_learning_page
from millirobot_adapt.learning.online.progress_file import ProgressFile, read_progress
from millirobot_adapt.learning.online.schedule import Schedule
from millirobot_adapt.learning.online.trainer_process import LEGS, MODELS, newest_bundle, write_settings
from millirobot_adapt.learning.rollout_file import cut_walks
from millirobot_adapt.learning.train_config import TrainConfig

TRAINER = 'trainer'
FIRST = f'{MODELS}/0001'
"""The model with which the controller starts."""


@dataclass(frozen=True)
class Learning:
    """What the user asked for."""

    robot: str
    port: str
    """Serial port of the robot's radio; '': the mock robot takes its place."""
    condition: str
    seed: int
    out: Path
    learn: LearnConfig
    train: TrainConfig
    overrides: Sequence[str]
    resume: Path | None = None
    """Run folder whose walks and models this run goes on with."""

    @property
    def processes(self) -> tuple[NodeProcess, ...]:
        """Return what runs."""
        return (RECORDER, MANAGER, *(() if self.port else (MOCK_ROBOT,)), *COLLECTING, CONTROLLER)


def run_learning(learning: Learning, command: str) -> int:
    """Learn; returns the exit code: 0 to the end, 1 ended early, 130 interrupted.

    Raises:
        UserError: bad input; the robot has not walked.
    """
    robot = load_robot(learning.robot)
    if learning.resume is not None and not (learning.resume / LEGS).is_dir():
        raise UserError(f'{learning.resume}: has no {LEGS}/; name the folder of a run of `millirobot learn`')
    with Interrupts() as interrupts:
        nodes = _parameters(learning, robot)
        folder = prepare_run(nodes, Place(learning.out), command, later_model=FIRST)
        _prepare(learning, folder)
        complaint = _Sitting(learning, robot, folder, nodes, interrupts).run()
    if complaint:
        print(f'millirobot: {complaint}', file=sys.stderr)
        folder.note_end(complaint)
    report(folder)
    if any('shape' in row for row in read_progress(folder.path)):
        print(f'what was learned: {write_learning_page(folder.path)}')
    if interrupts.requested:
        return INTERRUPTED
    return FAILED if complaint else OK


def _parameters(learning: Learning, robot: RobotConfig) -> Parameters:
    """Turn the options into parameters of the nodes; `--set` comes last and wins."""
    learn, fence = learning.learn, {} if learning.port else {'gate.fence': MOCK_FENCE}
    given: dict[str, dict[str, Any]] = {
        'manager': {'nodes': [node.name for node in (RECORDER, *COLLECTING)]},
        'bridge': {'robot': learning.robot, **fence, **({'port': learning.port} if learning.port else {})},
        'estimator': {'robot': learning.robot},
        'collector': {'robot': learning.robot, 'minutes': learn.leg_seconds / 60.0, 'seed': learning.seed},
        'controller': {
            'robot': learning.robot, 'path': TOPIC, 'seed': learning.seed,
            'deadline': 0.9 * robot.dt,
            **({} if learning.port else {'objective.fence_corners': MOCK_FENCE}),
        },
        'mock_robot': {'robot': learning.robot, 'condition': learning.condition, 'seed': learning.seed},
    }  # fmt: skip
    for text in learning.overrides:
        node, name, value = parse_override(text, learning.processes)
        given[node] = given.get(node, {}) | {name: value}
    return resolve(learning.processes, given)


def _prepare(learning: Learning, folder: RunFolder) -> None:
    """Make what the trainer reads; an earlier run's walks and newest model are taken over."""
    write_settings(folder.path, learning.robot, learning.learn, learning.train)
    for name in (LEGS, MODELS):
        (folder.path / name).mkdir()
    if learning.resume is not None:
        for path in sorted((learning.resume / LEGS).glob('*.npz')):
            shutil.copy2(path, folder.path / LEGS / path.name)
        newest = newest_bundle(learning.resume)
        if newest is not None:
            shutil.copytree(newest, folder.path / FIRST)


class _Sitting:
    """One run: legs, their files, the trainer beside them, its models."""

    def __init__(
        self, learning: Learning, robot: RobotConfig, folder: RunFolder, nodes: Parameters, interrupts: Interrupts
    ) -> None:
        self._learning, self._robot, self._folder, self._interrupts = learning, robot, folder, interrupts
        learn, collector = learning.learn, nodes['collector']
        self._schedule = Schedule(learn.random_minutes, learn.random_share, learn.shapes)
        self._centre, self._radius = np.array(collector['centre']), float(collector['radius'])
        self._progress = ProgressFile(folder.path)
        self._origin = 'real' if learning.port else 'mock'
        self._legs = len(list((folder.path / LEGS).glob('*.npz')))
        self._in_force: Path | None = None
        self._model = 'no model yet'
        self._cost = float('nan')

    def run(self) -> str:
        """Learn; returns why it ended early, empty if it did not."""
        learning = self._learning
        print(f'{self._folder.path}: starting {", ".join(node.name for node in learning.processes)}', flush=True)
        try:
            with (
                run_environment(own_domain=not learning.port) as environment,
                LearningRun(self._folder, Surroundings(environment), self._interrupts) as run,
            ):
                self._bring_up(run)
                end = time.monotonic() + 60.0 * learning.learn.minutes
                while time.monotonic() < end:
                    self._leg(run)
        except InterruptedRunError:
            return 'interrupted; the robot stands and every process has ended'
        except RunFailedError as error:
            return str(error)
        return ''

    def _bring_up(self, run: LearningRun) -> None:
        learning = self._learning
        run.listen()
        run.start((RECORDER, MANAGER))
        if not learning.port:
            run.start((MOCK_ROBOT,))
            run.wait_for_file(self._folder.port)
        run.start(COLLECTING)
        run.wait_until_ready()
        run.start_tool(TRAINER, self._trainer)
        run.arm()
        print(f'learning for {learning.learn.minutes:g} min; Ctrl-C stops the robot', flush=True)

    @property
    def _trainer(self) -> list[str]:
        return [sys.executable, '-m', 'millirobot_adapt.learning.online.trainer_process', str(self._folder.path)]

    def _leg(self, run: LearningRun) -> None:
        """Walk one leg, keep what was walked, swap in a model that is new."""
        if run.restart_tool(TRAINER, self._trainer):
            print('the trainer has ended and was started again; it goes on from its newest model', flush=True)
        self._swap(run)
        state = run.state
        shape = self._schedule.next_leg(self._in_force is not None and state is not None and self._inside(state))
        began, cost = time.monotonic(), float('nan')
        run.walked()
        try:
            if shape and state is not None:
                view = StateView(state)
                x, y = (float(value) for value in view.position[:2])
                path = make_path(shape).placed(x, y, self._home(x, y))
                cost = mean_cost(run.leg_along(path, self._learning.learn.leg_seconds, self._inside))
            else:
                run.leg_at_random()
        finally:  # a leg that ended before its time is learned from, too: by whoever resumes this run
            seconds = time.monotonic() - began
            self._schedule.add(shape, seconds)
            self._keep(run, shape, seconds, cost)
        self._say(run)

    def _swap(self, run: LearningRun) -> None:
        """Start the controller with the first model, and give it each later one."""
        newest = newest_bundle(self._folder.path)
        if newest is None or newest == self._in_force:
            return
        if self._in_force is None:
            run.bring_up((CONTROLLER,))
            answer = 'in force from the start'
            newest = self._folder.path / FIRST
        else:
            _, answer = run.load_model(newest)
        self._in_force, self._model = newest, f'model {newest.name} {answer}'
        self._progress.add(wall_s=time.time(), walked_min=self._walked, swap=newest.name, answer=answer)

    def _keep(self, run: LearningRun, shape: str, seconds: float, cost: float) -> None:
        """Write what was walked to a file for the trainer."""
        stamps, states, sent_stamps, sent = run.walked()
        if len(stamps) < 2 or not len(sent_stamps):
            return
        actions = executed_actions(stamps, sent_stamps, sent, self._robot.dt)
        metadata = {
            'origin': self._origin, 'robot': self._robot.name, 'dt': self._robot.dt, 'version': __version__,
            'estimator': 'live', 'shape': shape or 'random',
        }  # fmt: skip
        self._legs += 1
        rollouts = cut_walks([(stamps, states, actions)], len(stamps) - 1, self._robot, metadata)
        rollouts.save(self._folder.path / LEGS / f'{self._legs:04}.npz')
        known = bool(np.isfinite(cost))
        self._cost = cost if known else self._cost
        told = {'walked_min': self._walked, 'shape': shape or 'random', 'seconds': seconds}
        self._progress.add(wall_s=time.time(), cost=cost if known else None, **told)

    def _say(self, run: LearningRun) -> None:
        """Say how it stands; a model that lost its trial is no longer in force."""
        now = run.model
        back = f' (now {now})' if self._in_force is not None and now not in ('', self._in_force.name) else ''
        print(self._line(back), flush=True)

    @property
    def _walked(self) -> float:
        return self._schedule.walked / 60.0

    def _line(self, back: str) -> str:
        looks = [row for row in read_progress(self._folder.path) if 'step' in row]
        trained = (
            f'step {looks[-1]["step"]}, held-out error {1e3 * looks[-1]["position"]:.0f} mm at the horizon'
            if looks else 'not trained yet'
        )  # fmt: skip
        cost = f', cost of the last path {self._cost:.2f}' if np.isfinite(self._cost) else ''
        return f'{self._walked:.1f} min walked | {trained} | {self._model}{back}{cost}'

    def _inside(self, state: FloatArray) -> bool:
        """Tell whether a state lies inside the safety circle; outside the collector turns home."""
        return bool(np.hypot(*(StateView(state).position[:2] - self._centre)) < self._radius)

    def _home(self, x: float, y: float) -> float:
        """Return the direction to the centre of the safety circle [rad]."""
        return float(np.arctan2(self._centre[1] - y, self._centre[0] - x))
