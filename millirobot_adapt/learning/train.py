"""Train MB (supervised) or GrBAL (meta-learning, Algorithm 9 of Clavera's thesis, UCB/EECS-2020-234)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from millirobot_adapt.core.config import Config, param, section
from millirobot_adapt.core.dynamics.targets import TARGET_NAMES
from millirobot_adapt.learning.augment import AugmentConfig, augment
from millirobot_adapt.learning.kinematics import FEATURE_NAMES
from millirobot_adapt.learning.loss import Losses, adapt, losses
from millirobot_adapt.learning.network import LayerStep, initialise
from millirobot_adapt.learning.segments import DataSet, Segments

METHODS = ('mb', 'grbal')


@dataclass(frozen=True)
class TrainConfig(Config):
    """How a network is trained."""

    method: str = param('grbal', 'Method to train for.', choices=METHODS)
    seed: int = param(0, 'Seed of everything random.', low=0)
    threads: int = param(1, 'Threads of PyTorch; on a busy machine more than 1 is far slower.', low=1, high=64)
    hidden: tuple[int, ...] = param((256, 256, 256), 'Units of each hidden layer.', low=1, high=4096)
    window: int = param(24, 'T1: past transitions used to adapt.', low=1, high=500)
    horizon: int = param(15, 'T2: future transitions the loss looks at; the planning horizon.', low=1, high=100)
    batch: int = param(64, 'Segments in a batch.', low=1, high=10_000)
    steps: int = param(6000, 'Gradient steps at most.', low=1)
    check_every: int = param(100, 'Gradient steps between two looks at the validation part.', low=1)
    patience: int = param(12, 'Looks without a better result before training ends.', low=1)
    learning_rate: float = param(1e-3, "Adam's step size.", low=1e-6, high=1.0)
    gradient_clip: float = param(10.0, "Largest norm of a batch's gradient.", low=1e-3)
    inner_rate: float = param(0.1, 'Inner step size psi of every tensor at the start; learned.', low=1e-6)
    open_loop: float = param(1.0, 'Weight of the open-loop loss beside the one-step loss.', low=0.0)
    augment: AugmentConfig = section(AugmentConfig, 'Disturbances in meta-training (grbal).')


@dataclass
class Model:
    """What is trained: theta and, for grbal, the logarithm of the inner step sizes."""

    theta: list[Tensor]
    log_psi: list[Tensor]

    @property
    def psi(self) -> list[Tensor]:
        """Inner step sizes, one for each tensor of theta; empty for mb."""
        return [value.exp() for value in self.log_psi]

    def tensors(self) -> list[Tensor]:
        """Everything that is trained."""
        return [*self.theta, *self.log_psi]


@dataclass
class Curves:
    """What the looks at the validation part found, for the figure."""

    step: list[int] = field(default_factory=list)
    training_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    position: list[float] = field(default_factory=list)
    heading: list[float] = field(default_factory=list)


class Trainer:
    """Train one model on one data set; equal seeds and data give equal models on the same machine."""

    def __init__(self, config: TrainConfig, data: DataSet, dt: float):
        self.config = config
        self.data = data
        self.dt = dt
        self.generator = torch.Generator().manual_seed(config.seed)
        sizes = (len(FEATURE_NAMES), *config.hidden, len(TARGET_NAMES))
        theta = [tensor.requires_grad_() for tensor in initialise(sizes, self.generator)]
        start = torch.tensor(config.inner_rate).log()
        adapting = config.method == 'grbal'
        self.model = Model(theta, [start.clone().requires_grad_() for _ in theta] if adapting else [])
        self.curves = Curves()
        self._validation = self._validation_segments()

    def run(self, progress: Callable[[int, str], None]) -> Model:
        """Train until it gets no better or is out of steps; return the model of the best look.

        `progress` gets the number of steps done and a line to show.
        """
        optimiser = torch.optim.Adam(self.model.tensors(), lr=self.config.learning_rate)
        best, best_loss, waited = copy.deepcopy(self.model), float('inf'), 0
        total = 0.0
        for step in range(1, self.config.steps + 1):
            total += self._train_batch(optimiser)
            if step % self.config.check_every and step < self.config.steps:
                continue
            loss = self._look(step, total / self.config.check_every)
            total = 0.0
            progress(step, self._line())
            if loss < best_loss:
                best, best_loss, waited = copy.deepcopy(self.model), loss, 0
            else:
                waited += 1
            if waited >= self.config.patience:
                break
        return best

    def score(self, model: Model, segments: Segments, *, adapted: bool = True) -> Losses:
        """Score a model on segments, after its inner update unless `adapted` is False or the model has none."""
        past, future = segments.divide(self.config.window)
        step: list[LayerStep] | None = None
        if adapted and model.log_psi:
            step = adapt(model.theta, model.psi, self.data.normalisation, past).step
        return losses(model.theta, self.data.normalisation, future, step)

    def _train_batch(self, optimiser: torch.optim.Optimizer) -> float:
        rows = torch.randint(len(self.data.training), (self.config.batch,), generator=self.generator)
        segments = self.data.training.part(rows)
        if self.model.log_psi:
            segments = augment(segments, self.config.augment, self.dt, self.generator)
        loss = self._total(self.score(self.model, segments))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.tensors(), self.config.gradient_clip)
        optimiser.step()
        return float(loss.detach())

    def _look(self, step: int, training_loss: float) -> float:
        """Score the model on the validation part, open loop, after its inner update: what planning will see."""
        with torch.no_grad():
            found = self.score(self.model, self._validation)
        loss = float(found.open_loop)
        self.curves.step.append(step)
        self.curves.training_loss.append(training_loss)
        self.curves.validation_loss.append(loss)
        self.curves.position.append(float(found.position))
        self.curves.heading.append(float(found.heading))
        return loss

    def _total(self, found: Losses) -> Tensor:
        return found.one_step + self.config.open_loop * found.open_loop

    def _line(self) -> str:
        curves = self.curves
        return (
            f'loss {curves.training_loss[-1]:.3f}, validation {curves.validation_loss[-1]:.3f}: '
            f'{1e3 * curves.position[-1]:.0f} mm, {curves.heading[-1]:.3f} rad at H = {self.config.horizon}'
        )

    def _validation_segments(self) -> Segments:
        """Fix the segments that are looked at; for grbal every second one is disturbed, as adapting is what counts."""
        rows = torch.randperm(len(self.data.validation), generator=self.generator)[:512]
        segments = self.data.validation.part(rows)
        if not self.model.log_psi:
            return segments
        disturbed = augment(segments.part(slice(0, None, 2)), self.config.augment, self.dt, self.generator)
        return disturbed.joined(segments.part(slice(1, None, 2)))
