"""Train while the robot walks: warm, a few steps at a time, waiting for data when it gets no better."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.learner_file import Start
from millirobot_adapt.learning.methods.training_interface import Model
from millirobot_adapt.learning.online.learn_config import LearnConfig
from millirobot_adapt.learning.online.walk_store import WalkStore
from millirobot_adapt.learning.rollout_file import Walk
from millirobot_adapt.learning.segments import DataSet, Segments
from millirobot_adapt.learning.train import Descent, Trainer, move
from millirobot_adapt.learning.train_config import TrainConfig

_JUDGED = 400
"""About how many held-out segments are looked at."""


@dataclass(frozen=True)
class Look:
    """What a look at the held-out pieces found."""

    step: int
    """Gradient steps so far."""
    held_out: float
    """Open-loop loss after adaptation, on held-out pieces; undisturbed."""
    position: float
    """Position error at the horizon there [m]."""
    average: float
    """Exponential average of `held_out` since data last came."""
    waits: bool
    """It was above that average: training waits for data."""


class OnlineTrainer:
    """One model, one growing store of walks."""

    def __init__(self, train: TrainConfig, learn: LearnConfig, robot: RobotConfig, start: Start | None = None) -> None:
        """Make a trainer; nothing is trained before there are data to train on and to judge by.

        Args:
            train: Method, network, batches.
            learn: What is held out, and when training waits.
            robot: Whose walks come.
            start: Model to begin with; None: a new one, normalised by the first data.

        Raises:
            UserError: the method is not trained by gradient descent.
        """
        self._config, self._learn, self._robot = train, learn, robot
        self.store = WalkStore(robot, train.window + train.horizon, learn.held_out, learn.memory, learn.recent)
        self._start = start
        self._trainer: Trainer | None = None
        self._descent: Descent | None = None
        self._average = float('nan')
        self._best_loss = float('inf')
        self.best: Model | None = None
        """The model of the best look since data last came."""
        self.waiting = True
        """Training waits for data."""

    def take(self, walks: list[Walk]) -> None:
        """Take what was walked; training goes on with it, where it waited from the model of the best look."""
        self.store.add(walks)
        if not self.store.ready:
            return
        training, held_out = self.store.training, self.store.held_out
        if self._trainer is None:
            normalisation = self._start.model.normalisation if self._start else self.store.normalisation()
            data = DataSet(training, held_out, normalisation)
            model = self._start.model if self._start else None
            self._trainer = Trainer(self._config, data, self._robot.dt, model)
            if not self._trainer.model.trained():
                raise UserError(f'method {self._config.method} is fitted at once; learn with mb, grbal or rebal')
            self._descent = self._trainer.begin()
        elif self.waiting and self.best is not None and self._descent is not None:
            # What it learned after that look was of no use for walks that it had not seen.
            for model in (self._trainer.model, self._descent.followed):
                move(model, self.best, 1.0)
        self._trainer.data = DataSet(training, held_out, self._trainer.model.normalisation)
        self.waiting, self._average, self._best_loss = self._sated, float('nan'), float('inf')
        if self.best is not None:  # the pieces to judge by are others now
            self._best_loss = self.judge(self.best)[0]

    @property
    def _sated(self) -> bool:
        """Each segment was drawn so often, on average, that more steps would learn by heart."""
        return self.step * self._config.batch >= self._learn.epochs * len(self.store.training)

    @property
    def step(self) -> int:
        """Gradient steps so far."""
        return self._descent.step if self._descent else 0

    def train(self, steps: int) -> Look:
        """Do some gradient steps, then look at the moving average of the model over them.

        Raises:
            RuntimeError: there are no data yet.
        """
        if self._trainer is None or self._descent is None:
            raise RuntimeError('take() walks first')
        for _ in range(steps):
            self._trainer.train_step(self._descent)
        loss, position = self.judge(self._descent.followed)
        if loss < self._best_loss:
            self.best, self._best_loss = copy.deepcopy(self._descent.followed), loss
        first = self._average != self._average
        self.waiting = self._sated or (not first and loss > self._average)
        keep = self._learn.smoothing
        self._average = loss if first else keep * self._average + (1.0 - keep) * loss
        return Look(self._descent.step, loss, position, self._average, self.waiting)

    def judge(self, model: Model) -> tuple[float, float]:
        """Return loss and position error [m] of a model on the held-out pieces, after its adaptation."""
        assert self._trainer is not None
        segments = _some(self.store.held_out)
        loss, whole = self._trainer.judge(model, segments)
        return loss, float(whole.position)


def _some(segments: Segments) -> Segments:
    return segments.part(slice(0, None, max(1, len(segments) // _JUDGED)))
