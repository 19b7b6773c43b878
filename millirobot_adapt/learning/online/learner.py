"""What learns beside the robot, with whatever clock: take walks, train a little, export what predicts better."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.dynamics.bundle import MANIFEST
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.learning.bundle_writer import write_bundle
from millirobot_adapt.learning.learner_file import Start
from millirobot_adapt.learning.lineage import descend, source_row
from millirobot_adapt.learning.methods.training_interface import Model
from millirobot_adapt.learning.online.learn_config import LearnConfig
from millirobot_adapt.learning.online.online_trainer import Look, OnlineTrainer
from millirobot_adapt.learning.rollout_file import CollectedRollouts
from millirobot_adapt.learning.train_config import TrainConfig


class Learner:
    """A trainer and the bundles that it has exported."""

    def __init__(
        self, train: TrainConfig, learn: LearnConfig, robot: RobotConfig, models: Path, start: Start | None = None
    ) -> None:
        """Make one.

        Args:
            train: How to train.
            learn: What is held out, and when a model is served.
            robot: Whose walks come.
            models: Folder for the bundles, `0001`, `0002`, ...; those that are there stay.
            start: Model to begin with; None: a new one.
        """
        self._config, self._learn, self._robot, self._models = train, learn, robot, models
        self._trainer = OnlineTrainer(train, learn, robot, start)
        self._sources: list[dict[str, Any]] = []
        self._parent: Mapping[str, Any] | None = start.record if start else None
        self._digest = start.digest if start else ''
        self._served: Model | None = None
        self._served_at = float('-inf')
        self._origin = 'unknown'
        self.count = max((int(path.name) for path in models.glob('[0-9]*')), default=0)
        """Bundles exported so far."""

    @property
    def waiting(self) -> bool:
        """Training waits for data."""
        return self._trainer.waiting

    @property
    def transitions(self) -> int:
        """Valid transitions so far."""
        return self._trainer.store.transitions

    @property
    def step(self) -> int:
        """Gradient steps so far."""
        return self._trainer.step

    def take(self, name: str, rollouts: CollectedRollouts) -> None:
        """Take what was walked in one go; `name` is where it is kept."""
        walks = zip(rollouts.stamps, rollouts.states, _known(rollouts), strict=True)
        self._trainer.take([(stamps, states.astype(float), actions.astype(float)) for stamps, states, actions in walks])
        self._sources.append(source_row(name, rollouts))
        self._origin = str(rollouts.metadata['origin'])

    def work(self) -> Look:
        """Train until the next look, `check_every` steps."""
        return self._trainer.train(self._config.check_every)

    def serve(self, now: float) -> Path | None:
        """Export the best model if it is better than the last one that was exported; returns the bundle's folder.

        Both are judged by the same held-out pieces, the newest ones. `now` is the time of the learner's clock [s].

        Raises:
            OSError: the disk does not take it.
        """
        best = self._trainer.best
        if best is None or best is self._served or now - self._served_at < 60.0 * self._learn.serve_every:
            return None
        loss, position = self._trainer.judge(best)
        if self._served is not None and loss > (1.0 - self._learn.better) * self._trainer.judge(self._served)[0]:
            return None
        self.count += 1
        folder = self._models / f'{self.count:04}'
        self._write(folder, best, loss, position)
        self._served, self._served_at = best, now
        self._digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        return folder

    def _write(self, folder: Path, model: Model, loss: float, position: float) -> None:
        held_out = {'open_loop': round(loss, 5), 'position': round(position, 5)}
        training = {
            'version': __version__,
            'parameters': flatten(self._config),
            'steps': self._trainer.step,
            'held_out': held_out,
        }
        data = {
            'origin': self._origin,
            'robot': self._robot.name,
            'dt': self._robot.dt,
            'version': __version__,
            'ticks': self._trainer.store.transitions,
        }
        lineage = descend(self._sources, self._parent, self._digest)
        write_bundle(
            folder, model, method=self._config.method, robot=self._robot, window=self._config.window, data=data,
            training=training, lineage=lineage,
        )  # fmt: skip
        self._parent = {'lineage': lineage}


def _known(rollouts: CollectedRollouts) -> FloatArray:
    """Return actions (N, L + 1, nu): the one after the last state of a rollout is not known."""
    unknown = np.full((len(rollouts.actions), 1, rollouts.actions.shape[2]), np.nan)
    actions = np.where(rollouts.valid[..., None], rollouts.actions, np.nan)
    return np.concatenate([actions, unknown], axis=1)
