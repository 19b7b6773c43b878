"""Learn in lock-step with the mock: the learner of a live run on a clock of its own.

Time is walking, and training at a rate of gradient steps a second. Asynchronous, both pass at once: during a walk of
20 s the learner does 20 s worth of steps, and what it exports is walked with in the next one. In batch, all walks are
at random and training follows when they are over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.analysis.statistics import MeanCost
from millirobot_adapt.core.control.random_policy import RandomPolicy
from millirobot_adapt.core.control.wiring import assemble
from millirobot_adapt.core.estimation.estimator_factory import EstimatorConfig, make_estimator
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.experiments.episode import summarise_episode
from millirobot_adapt.experiments.judged_walks import JudgedWalks, judge, learned_controller
from millirobot_adapt.experiments.recorded_robot import RecordedRobot
from millirobot_adapt.experiments.runner import walk
from millirobot_adapt.learning.collect import walk_at_random
from millirobot_adapt.learning.online.learn_config import LearnConfig
from millirobot_adapt.learning.online.learner import Learner
from millirobot_adapt.learning.online.progress_file import ProgressFile
from millirobot_adapt.learning.online.schedule import Schedule
from millirobot_adapt.learning.rollout_file import CollectedRollouts, cut_walks
from millirobot_adapt.learning.train_config import TrainConfig
from millirobot_adapt.sim.conditions import load_condition
from millirobot_adapt.sim.lockstep_robots import make_stepped

_LEG = 1  # key of generators


@dataclass(frozen=True)
class LockstepLearning:
    """What is learned, where, and by which clock."""

    robot: str
    condition: str
    """What the mock walks on."""
    learn: LearnConfig
    train: TrainConfig
    out: Path
    rate: float
    """Gradient steps a second, as a live run on the machine does them."""
    batch: bool = False
    """Collect first, then train."""
    marks: tuple[float, ...] = ()
    """Minutes walked after which the newest model is judged."""
    walks: int = 0
    """Walks by which a model is judged."""
    radius: float = 1.0
    """Safety circle of the random walks [m]."""
    change_at: float = 0.0
    """Minutes walked after which the mock walks on something else; 0: never."""
    then: str = ''
    """The condition from then on."""


def learn_in_lockstep(what: LockstepLearning, say: Callable[[str], object] = print) -> list[dict[str, Any]]:
    """Learn; returns the rows that `progress.jsonl` in the folder holds, too.

    A row has walked_min and clock_min (minutes walked, and of the clock), and for a leg shape and cost, for a look
    step, held_out, position and waits, for a model bundle, for a mark cost_judged and condition. Where the condition
    changes, the newest model is judged on both.

    Raises:
        UserError: robot, condition or a path is not there.
    """
    return _Run(what, say).run()


class _Run:
    def __init__(self, what: LockstepLearning, say: Callable[[str], object]) -> None:
        self._what, self._say = what, say
        self._robot = load_robot(what.robot)
        self._condition = load_condition(what.condition)
        self._then = load_condition(what.then) if what.change_at else None
        (what.out / 'models').mkdir(parents=True, exist_ok=True)
        self._learner = Learner(what.train, what.learn, self._robot, what.out / 'models')
        self._schedule = Schedule(what.learn.random_minutes, what.learn.random_share, what.learn.shapes)
        self._progress = ProgressFile(what.out)
        self._rows: list[dict[str, Any]] = []
        self._clock = self._budget = 0.0
        self._bundle: Path | None = None
        self._marks = list(what.marks)

    def run(self) -> list[dict[str, Any]]:
        learn, batch = self._what.learn, self._what.batch
        leg = 0
        while self._schedule.walked < 60.0 * learn.minutes - 1e-6:
            shape = self._schedule.next_leg(self._bundle is not None and not batch)
            rollouts, cost = self._walk(shape, leg)
            name = f'{leg + 1:04}.npz'
            rollouts.save(self._what.out / 'legs' / name)
            self._schedule.add(shape, learn.leg_seconds)
            self._clock += learn.leg_seconds
            self._add(shape=shape or 'random', cost=cost)
            self._learner.take(name, rollouts)
            if not batch:
                self._train_beside(learn.leg_seconds)
                self._judge_at_marks()
            self._change()
            leg += 1
        if batch:
            self._train_afterwards()
            self._judge_at_marks()
        return self._rows

    def _train_beside(self, seconds: float) -> None:
        """Do the steps for which there was time beside a leg; time in which training waited is gone."""
        every = self._what.train.check_every
        self._budget += seconds * self._what.rate
        while self._budget >= every and not self._learner.waiting:
            self._look()
            self._budget -= every
        if self._learner.waiting:
            self._budget = 0.0
        self._serve()

    def _train_afterwards(self) -> None:
        """Train until it gets no better, as `millirobot train` does; the robot stands meanwhile."""
        config, best, waited = self._what.train, float('inf'), 0
        while self._learner.step < config.steps and waited < config.patience:
            held_out = self._look()
            self._clock += config.check_every / self._what.rate
            waited = 0 if held_out < best else waited + 1
            best = min(best, held_out)
        self._serve()

    def _look(self) -> float:
        look = self._learner.work()
        self._add(step=look.step, held_out=look.held_out, position=look.position, waits=look.waits)
        return look.held_out

    def _serve(self) -> None:
        folder = self._learner.serve(self._clock)
        if folder is not None:
            self._bundle = folder
            self._add(bundle=folder.name)
            self._say(f'{self._times()}: model {folder.name} after {self._learner.step} steps')

    def _times(self) -> str:
        return f'{self._schedule.walked / 60:.1f} min walked, clock {self._clock / 60:.1f} min'

    def _change(self) -> None:
        """Change the condition when it is time; before, and at once after, judge the newest model."""
        if self._then is None or self._schedule.walked < 60.0 * self._what.change_at - 1e-6:
            return
        self._judge()
        self._condition, self._then = self._then, None
        self._say(f'{self._times()}: the mock walks on {self._condition.name} from now on')
        self._judge()

    def _judge_at_marks(self) -> None:
        while self._marks and self._schedule.walked >= 60.0 * self._marks[0] - 1e-6:
            mark = self._marks.pop(0)
            if self._then is None or mark != self._what.change_at:  # else judged when it changes
                self._judge()

    def _judge(self) -> None:
        if self._bundle is None or not self._what.walks:
            return
        costs = judge(JudgedWalks(self._what.robot, self._condition, self._what.walks), self._bundle)
        found, bundle = MeanCost(tuple(costs)), self._bundle.name
        told = {'interval': found.interval, 'costs': costs, 'bundle': bundle, 'condition': self._condition.name}
        self._add(cost_judged=found.cost, **told)
        self._say(f'{self._times()}: cost {found} in {len(costs)} walks with model {bundle}')

    def _add(self, **row: Any) -> None:
        row = {'walked_min': self._schedule.walked / 60.0, 'clock_min': self._clock / 60.0, **row}
        self._rows.append(row)
        self._progress.add(wall_s=time.time(), **row)

    def _walk(self, shape: str, leg: int) -> tuple[CollectedRollouts, float | None]:
        """Walk one leg; returns what was walked, and the cost of a step along a path."""
        what, robot = self._what, self._robot
        rng = generator(what.learn.seed, _LEG, leg)
        condition = replace(self._condition, start_yaw=float(rng.uniform(-np.pi, np.pi)))
        seed = int(rng.integers(2**31))
        recorded = RecordedRobot(make_stepped(robot, condition, make_estimator(EstimatorConfig(), robot), seed))
        ticks, cost = round(what.learn.leg_seconds / robot.dt), None
        if shape:
            assert self._bundle is not None
            loop = assemble(learned_controller(what.robot, str(self._bundle), shape, seed)).loop
            table, _, _ = walk(recorded, loop, make_path(shape), ticks)
            found = summarise_episode(table, robot.dt)
            cost = found.cost if found else None
        else:
            walk_at_random(recorded, RandomPolicy(robot.layout, what.radius, rng), ticks)
        metadata = {
            'origin': 'mock', 'robot': robot.name, 'dt': robot.dt, 'version': __version__,
            'estimator': EstimatorConfig().method, 'shape': shape or 'random',
        }  # fmt: skip
        return cut_walks([recorded.walk()], ticks, robot, metadata), cost
