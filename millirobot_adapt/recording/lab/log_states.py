"""Estimate the states of the lab's logs, as the estimator node would have done live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.assembly import state_of
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.recording.lab.lab_log import OPEN_LOOP, LabRollout, read_lab_log, telemetry_of


@dataclass(frozen=True)
class LoggedWalk:
    """One rollout of N records, seen as the controller would have seen it."""

    session: str
    """Terrain, date and time: rollouts of one session were recorded one after the other."""
    stamps: FloatArray
    """Times of the telemetry replies [s since the epoch], shape (N,)."""
    states: FloatArray
    """State at each reply, shape (N, 24); NaN where the log repeats an old reply or there is no estimate."""
    actions: FloatArray
    """Setpoint sent at each reply, which acts until the next one [rad/s], shape (N, 2)."""


def read_logged_walks(log: Path, estimator: EstimatorConfig, robot: RobotConfig) -> list[LoggedWalk]:
    """Read a log and estimate its states, rollout by rollout; those in open-loop PWM, without setpoints, are left out.

    Raises:
        UserError: the log is missing or malformed, or holds nothing of use.
    """
    wanted = [rollout for rollout in read_lab_log(log) if rollout.mode != OPEN_LOOP]
    if not wanted:
        raise UserError(f'{log}: holds no rollout with leg velocity setpoints; name a log that was driven under PID')
    bar = tqdm(wanted, desc=f'estimating {log.stem}', unit='rollout', disable=None, leave=False)
    return [
        LoggedWalk(
            rollout.session,
            rollout.stamps,
            np.array(list(_states(rollout, make_estimator(estimator, robot), robot))),
            rollout.records['cmd'] / robot.counts_per_ms,
        )
        for rollout in bar
    ]


def _states(rollout: LabRollout, estimator: Estimator, robot: RobotConfig) -> Iterator[FloatArray]:
    """Give the estimator what the host held at each reply, and ask it for the state then."""
    records = rollout.records
    for i, reply in enumerate(telemetry_of(rollout, robot)):
        if records['mocap_valid'][i] and (i == 0 or records['t_mocap'][i] != records['t_mocap'][i - 1]):
            position, quaternion = records['pos'][i].astype(float), records['quat'][i].astype(float)
            estimator.on_pose(PoseSample(float(records['t_mocap'][i]), position, quaternion))
        estimate = None
        if reply is not None:
            estimator.on_telemetry(reply)
            estimate = estimator.estimate(reply.stamp)
        yield (
            np.full(robot.layout.nx, np.nan) if reply is None or estimate is None else state_of(estimate, reply, robot)
        )
