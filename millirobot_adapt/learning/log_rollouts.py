"""Read recorded runs as rollouts, and hold parts of them out so that nothing leaks from training into a test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.robot.layout import PLANE
from millirobot_adapt.learning.rollout_file import (
    LAYOUT,
    CollectedRollouts,
    concatenate,
    cut_walks,
    holds_rollouts,
    load_rollouts,
    mark_valid,
)
from millirobot_adapt.learning.sources import PIECE, check_alike, read_walks
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
    robot: RobotConfig = field(default_factory=RobotConfig)
    """The robot that walked."""

    def __len__(self) -> int:
        return len(self.sessions)

    def part(self, rows: np.ndarray) -> Log:
        """Take some of the rollouts."""
        taken = self.rollouts
        part = CollectedRollouts(
            taken.states[rows], taken.actions[rows], taken.stamps[rows], taken.valid[rows], taken.metadata
        )  # fmt: skip
        return Log(self.name, part, tuple(self.sessions[row] for row in rows), self.robot)


def read_log(path: Path, estimator: EstimatorConfig, robot: RobotConfig | None = None) -> Log:
    """Read a bag, a run folder, a file that `collect` wrote or one of the lab's logs (both npz).

    A live run holds its states; it is cut into rollouts of 20 s, and where its setpoint was zero nothing is learned or
    predicted. Those of the lab's logs, imported or not, are estimated as they would have been live. Each rollout of a
    file of rollouts is a session of its own.

    Args:
        path: What to read.
        estimator: Estimates the states of logs that do not name their own.
        robot: Robot of the lab's logs, VelociRoACH if None; a bag names its own.

    Raises:
        UserError: it is missing or malformed, or holds nothing of use.
    """
    if path.suffix != '.npz':
        log = _read_bag(path, estimator)
    elif holds_rollouts(path):
        log = _read_rollouts(path, robot)
    else:
        log = _read_lab_log(path, estimator, robot or RobotConfig())
    if not log.rollouts.valid.any():
        raise UserError(f'{path}: holds no two states a control period apart; is it a log of {log.robot.name}?')
    return log


def _read_lab_log(path: Path, estimator: EstimatorConfig, robot: RobotConfig) -> Log:
    walks = read_logged_walks(path, estimator, robot)
    metadata = {
        'origin': 'real', 'robot': robot.name, 'dt': robot.dt, 'logs': {path.stem: _digest(path)},
    }  # fmt: skip
    return Log(path.stem, _as_rollouts(walks, robot, metadata), tuple(walk.session for walk in walks), robot)


def _read_rollouts(path: Path, robot: RobotConfig | None) -> Log:
    rollouts = load_rollouts(path)
    own = robot if robot is not None and robot.name == rollouts.metadata['robot'] else None
    rollouts.metadata['logs'] = {path.stem: rollouts.digest()}
    sessions = tuple(f'{path.resolve()} {number}' for number in range(len(rollouts.valid)))
    return Log(path.stem, rollouts, sessions, own or load_robot(rollouts.metadata['robot']))


def _read_bag(path: Path, estimator: EstimatorConfig) -> Log:
    found = read_walks(path, estimator)
    name, robot = found.name, found.robot
    if found.live:
        rollouts = cut_walks(found.walks, PIECE, robot, found.metadata)
        sessions = (name,) * len(rollouts.valid)
    else:
        walks = [LoggedWalk(session, *walk) for session, walk in zip(found.sessions, found.walks, strict=True)]
        rollouts, sessions = _as_rollouts(walks, robot, found.metadata), tuple(found.sessions)
    rollouts.metadata['logs'] = {name: rollouts.digest()}
    return Log(name, rollouts, sessions, robot)


def join_logs(logs: Sequence[Log]) -> Log:
    """Put logs one after the other; shorter rollouts are filled up with transitions that are not valid.

    Raises:
        UserError: a session is in two of the logs; they are of different robots or control periods.
    """
    for index, log in enumerate(logs):
        check_apart(logs[:index], [log])
    check_alike([log.name for log in logs], [log.rollouts for log in logs])
    named = {name: digest for log in logs for name, digest in log.rollouts.metadata['logs'].items()}
    metadata = {**logs[0].rollouts.metadata, 'logs': named}
    sessions = tuple(session for log in logs for session in log.sessions)
    rollouts = concatenate([log.rollouts for log in logs], metadata)
    return Log(' + '.join(log.name for log in logs), rollouts, sessions, logs[0].robot)


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


def hold_out_of_each(logs: Sequence[Log], part: float, seed: int) -> tuple[Log, Log]:
    """Divide every log by whole sessions, see `hold_out`; logs of one session, such as runs, are divided together.

    Raises:
        UserError: there is a single session; a session is in two of the logs; the logs are of different robots.
    """
    single = [log for log in logs if len(set(log.sessions)) == 1]
    divided = [log for log in logs if log not in single] + ([join_logs(single)] if single else [])
    parts = [hold_out(log, part, generator(seed, index)) for index, log in enumerate(divided)]
    return join_logs([part[0] for part in parts]), join_logs([part[1] for part in parts])


def hold_out(log: Log, part: float, rng: np.random.Generator) -> tuple[Log, Log]:
    """Divide a log by whole sessions: training sessions, and held-out sessions with about `part` of its rollouts.

    Raises:
        UserError: it has a single session.
    """
    sessions = sorted(set(log.sessions))
    if len(sessions) < 2:
        raise UserError(f'{log.name}: has only one session, so none can be held out; name longer logs or more runs')
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
    known = np.isfinite(actions[:, :-1]).all(-1)
    valid = mark_valid(states, stamps, robot.dt) & ~(moved > JUMP) & known
    return CollectedRollouts(
        np.nan_to_num(states).astype(np.float32),
        np.nan_to_num(actions[:, :-1]).astype(np.float32),
        stamps,
        valid,
        {**metadata, LAYOUT: robot.layout.record()},
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
