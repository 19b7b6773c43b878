"""Read real logs as rollouts, and hold parts of them out so that nothing leaks from training into a test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import PLANE
from millirobot_adapt.learning.rollout_file import LAYOUT, CollectedRollouts, concatenate, mark_valid
from millirobot_adapt.recording.lab.log_states import LoggedWalk, read_logged_walks

JUMP = 0.15
"""An estimate that moves further between two replies was re-initialised by motion capture [m]."""


@dataclass(frozen=True)
class Log:
    """The rollouts of one file, or of several."""

    name: str
    rollouts: CollectedRollouts
    sessions: tuple[str, ...]
    """Session of each rollout: what was recorded in one go is never divided between training and test."""

    def __len__(self) -> int:
        return len(self.sessions)

    def part(self, rows: np.ndarray) -> Log:
        """Take some of the rollouts."""
        taken = self.rollouts
        part = CollectedRollouts(
            taken.states[rows], taken.actions[rows], taken.stamps[rows], taken.valid[rows], taken.metadata
        )  # fmt: skip
        return Log(self.name, part, tuple(self.sessions[row] for row in rows))


def read_log(path: Path, estimator: EstimatorConfig, robot: RobotConfig) -> Log:
    """Read one of the lab's logs; its states are estimated as they would have been live.

    Raises:
        UserError: the log is missing or malformed, or holds nothing of use.
    """
    walks = read_logged_walks(path, estimator, robot)
    metadata = {
        'origin': 'real', 'robot': robot.name, 'dt': robot.dt, 'logs': {path.stem: _digest(path)},
        LAYOUT: robot.layout.record(),
    }  # fmt: skip
    rollouts = _as_rollouts(walks, robot, metadata)
    if not rollouts.valid.any():
        raise UserError(f'{path}: holds no two states a control period apart; is it a log of {robot.name}?')
    return Log(path.stem, rollouts, tuple(walk.session for walk in walks))


def join_logs(logs: Sequence[Log]) -> Log:
    """Put logs one after the other; shorter rollouts are filled up with transitions that are not valid.

    Raises:
        UserError: a session is in two of the logs.
    """
    for index, log in enumerate(logs):
        check_apart(logs[:index], [log])
    named = {name: digest for log in logs for name, digest in log.rollouts.metadata['logs'].items()}
    metadata = {**logs[0].rollouts.metadata, 'logs': named}
    sessions = tuple(session for log in logs for session in log.sessions)
    rollouts = concatenate([log.rollouts for log in logs], metadata)
    return Log(' + '.join(log.name for log in logs), rollouts, sessions)


def check_apart(logs: Sequence[Log], others: Sequence[Log]) -> None:
    """Make sure that no session is in both.

    Raises:
        UserError: one is.
    """
    for log in logs:
        for other in others:
            both = sorted(set(log.sessions) & set(other.sessions))
            if both:
                raise UserError(
                    f'{other.name}: its session {both[0]} is in {log.name}, too; what is learned from must not be '
                    'tested on: name each log once (a part of the training logs is held out and tested anyway)'
                )


def hold_out(log: Log, part: float, rng: np.random.Generator) -> tuple[Log, Log]:
    """Divide a log by whole sessions: training sessions, and held-out sessions with about `part` of its rollouts.

    Raises:
        UserError: it has a single session.
    """
    sessions = sorted(set(log.sessions))
    if len(sessions) < 2:
        raise UserError(f'{log.name}: has only one session, so none can be held out; name longer logs')
    held_out: set[str] = set()
    for session in rng.permutation(sessions)[:-1]:
        if sum(one in held_out for one in log.sessions) >= part * len(log):
            break
        held_out.add(str(session))
    is_held_out = np.array([session in held_out for session in log.sessions])
    return log.part(np.flatnonzero(~is_held_out)), log.part(np.flatnonzero(is_held_out))


def _as_rollouts(walks: Sequence[LoggedWalk], robot: RobotConfig, metadata: dict[str, object]) -> CollectedRollouts:
    """Stack walks of different lengths; transition i leads from record i to record i + 1."""
    count, length = len(walks), max(len(walk.stamps) for walk in walks)
    states = np.full((count, length, robot.layout.nx), np.nan)
    actions, stamps = np.zeros((count, length, robot.layout.nu)), np.zeros((count, length))
    for row, walk in enumerate(walks):
        records = len(walk.stamps)
        states[row, :records], actions[row, :records], stamps[row, :records] = walk.states, walk.actions, walk.stamps
    moved = np.linalg.norm(np.diff(states[..., PLANE], axis=1), axis=-1)
    valid = mark_valid(states, stamps, robot.dt) & ~(moved > JUMP)
    return CollectedRollouts(
        np.nan_to_num(states).astype(np.float32), actions[:, :-1].astype(np.float32), stamps, valid, metadata
    )  # fmt: skip


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
