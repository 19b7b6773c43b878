"""Train any method by gradient descent on batches of segments, and keep the model that predicts best."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.augment import augment
from millirobot_adapt.learning.loss import Losses
from millirobot_adapt.learning.methods import METHODS
from millirobot_adapt.learning.methods.training_interface import Model
from millirobot_adapt.learning.segments import DataSet, Segments
from millirobot_adapt.learning.short_windows import every_window, short_windows
from millirobot_adapt.learning.sweep import Trial, sweep
from millirobot_adapt.learning.train_config import TrainConfig


@dataclass
class Curves:
    """What the looks at the validation part found, for the figure."""

    step: list[int] = field(default_factory=list)
    training_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    position: list[float] = field(default_factory=list)
    heading: list[float] = field(default_factory=list)
    position_before: list[float] = field(default_factory=list)
    """The same before adaptation."""
    heading_before: list[float] = field(default_factory=list)
    psi: list[list[float]] = field(default_factory=list)
    """Inner step sizes, one for each tensor; empty for methods without."""
    rounds: list[int] = field(default_factory=list)
    """Steps after which training went on with further data."""


@dataclass
class Descent:
    """Where gradient descent stands after a look."""

    optimiser: torch.optim.Adam
    followed: Model
    """The moving average of the model over its gradient steps: what is looked at, and kept."""
    best: Model
    """The model of the best look so far."""
    best_loss: float = float('inf')
    """Its loss on the validation part."""
    waited: int = 0
    """Looks since then."""
    step: int = 0
    """Gradient steps done."""


OnLook = Callable[['Trainer', Descent], object]
"""Called after each look, when everything that going on needs is in the trainer and the descent."""


class Trainer:
    """Train one model on one data set; equal seeds and data give equal models on the same machine."""

    def __init__(self, config: TrainConfig, data: DataSet, dt: float, start: Model | None = None):
        """Make a trainer.

        Args:
            config: How to train.
            data: What to train on.
            dt: Control period [s].
            start: Model to begin with, which keeps its normalisation; None: a new one.
        """
        self.config = config
        self.data = self._clipped(data)
        self.dt = dt
        self.generator = torch.Generator().manual_seed(config.seed)
        self.model: Model = start or METHODS[config.method].create(config, self.data, self.generator)
        self.curves = Curves()
        self.trials: list[Trial] = []
        self._validation = self._validation_segments()

    def take(self, data: DataSet) -> None:
        """Go on with other data, from the best model so far; its normalisation stays."""
        self.data = self._clipped(data)
        if not self.model.trained():
            self.model = METHODS[self.config.method].create(self.config, self.data, self.generator)
        self.curves.rounds.append(self.curves.step[-1] if self.curves.step else 0)
        self._validation = self._validation_segments()

    def _clipped(self, data: DataSet) -> DataSet:
        """Return the data with inputs clipped as the parameters say."""
        clip = self.config.clip or math.inf
        return dataclasses.replace(data, normalisation=dataclasses.replace(data.normalisation, clip=clip))

    def begin(self) -> Descent:
        """Return where gradient descent stands before its first step."""
        optimiser = torch.optim.Adam(self.model.trained(), lr=self.config.learning_rate)
        return Descent(optimiser, copy.deepcopy(self.model), copy.deepcopy(self.model))

    def run(
        self,
        progress: Callable[[int, str], None],
        descent: Descent | None = None,
        on_look: OnLook = lambda trainer, descent: None,
    ) -> Model:
        """Train until it gets no better or is out of steps; return the model of the best look.

        Args:
            progress: Gets the number of steps done and a line to show.
            descent: Where an interrupted training stood; None: at the beginning.
            on_look: See `OnLook`.

        Raises:
            UserError: the predictions are not finite, however long it trains.
        """
        if not self.model.trained():
            return self._choose(self.model, progress)
        return self._choose(self._descend(descent or self.begin(), progress, on_look), progress)

    def _descend(self, at: Descent, progress: Callable[[int, str], None], on_look: OnLook) -> Model:
        """Go down the gradient of the batches' loss until the validation part gets no better."""
        since: list[float] = []
        while at.step < self.config.steps and at.waited < self.config.patience:
            since.append(self.train_step(at))
            if at.step % self.config.check_every and at.step < self.config.steps:
                continue
            loss = self._look(at, sum(since) / len(since))
            since = []
            progress(at.step, self._line())
            if loss < at.best_loss:
                at.best, at.best_loss, at.waited = copy.deepcopy(at.followed), loss, 0
            else:
                at.waited += 1
            on_look(self, at)
        if not math.isfinite(at.best_loss):
            raise UserError(
                f'training {self.config.method}: no look at the validation part found a finite error; '
                'lower learning_rate or inner_rate (--set)'
            )
        self.model = copy.deepcopy(at.best)
        return at.best

    def _choose(self, model: Model, progress: Callable[[int, str], None]) -> Model:
        """Choose the settings that training leaves open, as they do best where every second stretch is disturbed."""
        grid = model.grid(self.config)
        if not grid:
            return model
        stretches = self.data.validation if self.data.stretches is None else self.data.stretches
        stretches = self._half_disturbed(stretches)
        past, future = stretches.divide(stretches.actions.shape[1] - self.config.horizon)
        model, self.trials = sweep(model, grid, past, future, lambda line: progress(self.config.steps, line))
        return model

    def score(self, model: Model, segments: Segments, *, adapted: bool = True, mask: Tensor | None = None) -> Losses:
        """Score a model on segments, after its adaptation to their first T1 transitions, or before it.

        `mask` (B, T1) is 0 where a transition of the window is missing; None: the windows are whole.
        """
        past, future = segments.divide(self.config.window)
        return model.score(past, future, adapted=adapted, mask=mask)

    def judge(self, model: Model, segments: Segments) -> tuple[float, Losses]:
        """Return the open-loop loss of a model as planning meets it, and its losses on whole windows.

        Where training meets short windows, they weigh as much in the loss as there. Nothing is disturbed here.
        """
        part = self.config.short_windows if model.meta_trained else 0.0
        with torch.no_grad():
            whole = self.score(model, segments, adapted=model.meta_trained)
            if not part:
                return float(whole.open_loop), whole
            some = segments.part(slice(0, None, max(1, round(1 / part))))
            short = self.score(model, some, mask=every_window(len(some), self.config.window))
        return (1.0 - part) * float(whole.open_loop) + part * float(short.open_loop), whole

    def train_step(self, at: Descent) -> float:
        """Do one gradient step, and let the moving average follow; returns the loss of the batch."""
        loss = self._train_batch(at.optimiser)
        at.step += 1
        # The average of few steps is one of few: what training began with must not stay in it.
        keep = min(self.config.averaging, at.step / (at.step + 10.0))
        move(at.followed, self.model, 1.0 - keep)
        return loss

    def _train_batch(self, optimiser: torch.optim.Optimizer) -> float:
        """Do one gradient step on a batch of the training part; returns its loss."""
        rows = torch.randint(len(self.data.training), (self.config.batch,), generator=self.generator)
        segments = self.data.training.part(rows)
        if self.model.disturbed:
            segments = self._disturbed(segments)
        part, mask = self.config.short_windows, None
        if part and self.model.meta_trained:
            mask = short_windows(len(segments), self.config.window, part)
        loss = self._total(self.score(self.model, segments, adapted=self.model.meta_trained, mask=mask))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.trained(), self.config.gradient_clip)
        optimiser.step()
        return float(loss.detach())

    def _look(self, at: Descent, training_loss: float) -> float:
        """Score the moving average on the validation part, open loop, after its adaptation: what planning will see."""
        loss, found = self.judge(at.followed, self._validation)
        with torch.no_grad():
            before = self.score(at.followed, self._validation, adapted=False)
        self.curves.step.append(at.step + (self.curves.rounds[-1] if self.curves.rounds else 0))
        self.curves.training_loss.append(training_loss)
        self.curves.validation_loss.append(loss)
        self.curves.position.append(float(found.position))
        self.curves.heading.append(float(found.heading))
        self.curves.position_before.append(float(before.position))
        self.curves.heading_before.append(float(before.heading))
        self.curves.psi.append([float(psi.detach()) for psi in getattr(at.followed, 'psi', [])])
        return loss

    def _total(self, found: Losses) -> Tensor:
        return found.one_step + self.config.open_loop * found.open_loop + found.penalty

    def _line(self) -> str:
        curves = self.curves
        return (
            f'loss {curves.training_loss[-1]:.3f}, validation {curves.validation_loss[-1]:.3f}: '
            f'{1e3 * curves.position[-1]:.0f} mm, {curves.heading[-1]:.3f} rad at H = {self.config.horizon}'
        )

    def _validation_segments(self) -> Segments:
        """Fix the segments that are looked at; every second one is disturbed where training ones are."""
        rows = torch.randperm(len(self.data.validation), generator=self.generator)[:512]
        segments = self.data.validation.part(rows)
        return self._half_disturbed(segments) if self.model.disturbed else segments

    def _half_disturbed(self, segments: Segments) -> Segments:
        """Disturb every second segment."""
        return self._disturbed(segments.part(slice(0, None, 2))).joined(segments.part(slice(1, None, 2)))

    def _disturbed(self, segments: Segments) -> Segments:
        """Disturb each segment; where a disturbance changes, it does so before the H transitions that are predicted."""
        past = segments.actions.shape[1] - self.config.horizon
        return augment(segments, self.config.augment, self.dt, self.generator, past)


@torch.no_grad()
def move(model: Model, towards: Model, part: float) -> None:
    """Move what is trained of a model by a part of the way towards another one's."""
    for own, other in zip(model.trained(), towards.trained(), strict=True):
        own.lerp_(other, part)
