"""One sitting of learning, in real time: the robot walks, a trainer beside it trains, its models are swapped in.

`millirobot learn` and `learn.launch.py` conduct it alike; they differ in who chooses parameters, and who arms.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.analysis.replay.rollouts import executed_actions
from millirobot_adapt.app.run_outcome import report
from millirobot_adapt.bringup.learning_run import LearningRun, mean_cost
from millirobot_adapt.bringup.processes import (
    COLLECTING,
    CONTROLLER,
    MANAGER,
    MOCK_FENCE,
    MOCK_ROBOT,
    RECORDER,
    NodeProcess,
)
from millirobot_adapt.bringup.robot_choice import FLOORS, LATEST, choices_of
from millirobot_adapt.bringup.run_folder import Parameters, RunFolder
from millirobot_adapt.core.config import build, flatten, nest
from millirobot_adapt.core.dynamics.bundle import MANIFEST
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.planning.path_source import TOPIC
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.learning.online.kept_legs import RANDOM, kept_legs, save_unkept
from millirobot_adapt.learning.online.learn_config import LearnConfig
from millirobot_adapt.learning.online.learning_page import write_learning_page
from millirobot_adapt.learning.online.progress_file import ProgressFile, read_progress
from millirobot_adapt.learning.online.schedule import Schedule
from millirobot_adapt.learning.online.sitting_folder import FIRST, LEGS, MODELS, newest_bundle, write_settings
from millirobot_adapt.learning.rollout_file import cut_walks
from millirobot_adapt.learning.train_config import TrainConfig, fixed_parameters

TRAINER = 'trainer'


@dataclass(frozen=True)
class LearningSetup:
    """What is learned, and how."""

    robot: str
    """Name or file of the robot."""
    mock: bool
    """The mock takes the robot's place."""
    learn: LearnConfig
    train: TrainConfig
    resume: Path | None = None
    """Run folder whose walks and models this run goes on with."""
    operator_arms: bool = False
    """Nothing moves before an operator arms the bridge; else the sitting arms it."""

    @property
    def processes(self) -> tuple[NodeProcess, ...]:
        """Return what runs."""
        return (RECORDER, MANAGER, *((MOCK_ROBOT,) if self.mock else ()), *COLLECTING, CONTROLLER)

    def parameters(self) -> dict[str, dict[str, Any]]:
        """Return what a sitting changes in the shipped parameters: node -> dotted name -> value."""
        robot, name = load_robot(self.robot), self.robot
        changes: dict[str, dict[str, Any]] = {
            'manager': {'nodes': [node.name for node in (RECORDER, *COLLECTING)]},
            'bridge': {'robot': name},
            'estimator': {'robot': name},
            'collector': {'robot': name, 'minutes': self.learn.leg_seconds / 60.0},
            'controller': {'robot': name, 'path': TOPIC, 'deadline': LATEST * robot.dt},
        }
        if self.mock:
            changes['bridge'] |= {'gate.fence': MOCK_FENCE, **choices_of(robot, mock=True).get('bridge', {})}
            changes['controller']['objective.fence_corners'] = MOCK_FENCE
            changes['mock_robot'] = {'robot': name, 'condition': FLOORS[robot.driver.kind]}
        return changes

    def check(self) -> None:
        """Check what can be checked before a run folder is made.

        Raises:
            UserError: there is nothing to go on with.
        """
        if self.resume is not None and not (self.resume / LEGS).is_dir():
            raise UserError(f'{self.resume}: has no {LEGS}/; name the folder of a run of `millirobot learn`')

    def prepare(self, folder: RunFolder) -> None:
        """Make what the trainer reads; an earlier run's walks and newest model are taken over."""
        newest = None if self.resume is None else newest_bundle(self.resume)
        train = self.train if newest is None else _going_on(self.train, newest)
        write_settings(folder.path, self.robot, self.learn, train)
        for name in (LEGS, MODELS):
            (folder.path / name).mkdir()
        if self.resume is not None:
            for path in sorted((self.resume / LEGS).glob('*.npz')):
                shutil.copy2(path, folder.path / LEGS / path.name)
            save_unkept(self.resume, folder.path / LEGS)
            if newest is not None:
                shutil.copytree(newest, folder.path / FIRST)


def _going_on(train: TrainConfig, bundle: Path) -> TrainConfig:
    """Return how to train the model of a bundle on: its method, network and window are given."""
    values = flatten(train) | fixed_parameters(read_yaml(bundle / MANIFEST))
    return build(TrainConfig, nest(values), str(bundle / MANIFEST))


class Sitting:
    """Legs, their files, the trainer beside them, its models."""

    def __init__(self, setup: LearningSetup, folder: RunFolder, nodes: Parameters, say: Callable[[str], None]) -> None:
        """Prepare the run folder; nothing is started yet.

        Args:
            setup: What is learned.
            folder: Where it is kept.
            nodes: Resolved parameters of the nodes.
            say: Takes a line for the user after each leg.
        """
        setup.prepare(folder)
        self._setup, self._folder, self._say = setup, folder, say
        self._robot: RobotConfig = load_robot(setup.robot)
        learn, collector = setup.learn, nodes['collector']
        self._schedule = Schedule(learn.random_minutes, learn.random_share, learn.shapes)
        self._centre, self._radius = np.array(collector['centre']), float(collector['radius'])
        self._progress = ProgressFile(folder.path)
        for shape, seconds in kept_legs(folder.path):
            self._schedule.add(shape, seconds)
        self._legs = len(list((folder.path / LEGS).glob('*.npz')))
        self._in_force: Path | None = None
        self._model = 'no model yet'
        self._cost = float('nan')

    def conduct(self, run: LearningRun) -> None:
        """Start everything, and learn for the time that was asked for.

        Raises:
            As `LiveRun.wait_for_file`.
        """
        self._bring_up(run)
        end = time.monotonic() + 60.0 * self._setup.learn.minutes
        while time.monotonic() < end:
            self._leg(run)

    def _bring_up(self, run: LearningRun) -> None:
        run.listen()
        run.start((RECORDER, MANAGER))
        if self._setup.mock:
            run.start((MOCK_ROBOT,))
            if self._robot.baud is not None:
                run.wait_for_file(self._folder.port)
        run.start(COLLECTING)
        run.wait_until_ready()
        run.start_tool(TRAINER, self._trainer)
        if self._setup.operator_arms:
            self._say('ready to learn: call /bridge/arm to begin')
            run.wait_until_armed()
        else:
            run.arm()
        self._say(f'learning for {self._setup.learn.minutes:g} min; Ctrl-C stops the robot')

    @property
    def _trainer(self) -> list[str]:
        return [sys.executable, '-m', 'millirobot_adapt.learning.online.trainer_process', str(self._folder.path)]

    def _leg(self, run: LearningRun) -> None:
        """Walk one leg, keep what was walked, swap in a model that is new."""
        if run.restart_tool(TRAINER, self._trainer):
            self._say('the trainer has ended and was started again; it goes on from its newest model')
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
                cost = mean_cost(run.leg_along(path, self._setup.learn.leg_seconds, self._inside))
            else:
                run.leg_at_random()
        finally:  # a leg that ended before its time is learned from, too: by whoever resumes this run
            seconds = time.monotonic() - began
            self._schedule.add(shape, seconds)
            self._keep(run, shape, seconds, cost)
        self._say(self._line(run.model))

    def _swap(self, run: LearningRun) -> None:
        """Start the controller with the first model, and give it each later one."""
        newest = newest_bundle(self._folder.path)
        if newest is None or newest == self._in_force:
            return
        if self._in_force is None:
            run.bring_up((CONTROLLER,))
            answer = 'in use from the start'
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
            'origin': 'mock' if self._setup.mock else 'real', 'robot': self._robot.name, 'dt': self._robot.dt,
            'version': __version__, 'estimator': 'live', 'shape': shape or RANDOM,
        }  # fmt: skip
        self._legs += 1
        rollouts = cut_walks([(stamps, states, actions)], len(stamps) - 1, self._robot, metadata)
        rollouts.save(self._folder.path / LEGS / f'{self._legs:04}.npz')
        known = bool(np.isfinite(cost))
        self._cost = cost if known else self._cost
        told = {'walked_min': self._walked, 'shape': shape or RANDOM, 'seconds': seconds}
        self._progress.add(wall_s=time.time(), cost=cost if known else None, **told)

    @property
    def _walked(self) -> float:
        return self._schedule.walked / 60.0

    def _line(self, now: str) -> str:
        """Return how it stands; `now` is the model in use, which is another one where the newest lost its trial."""
        back = f' (now {now})' if self._in_force is not None and now not in ('', self._in_force.name) else ''
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


def report_sitting(folder: RunFolder, tell: Callable[[str], None]) -> None:
    """Write the report of the run and the page of what was learned; `tell` takes a line for each."""
    report(folder, tell)
    if any('shape' in row for row in read_progress(folder.path)):
        tell(f'what was learned: {write_learning_page(folder.path)}')
