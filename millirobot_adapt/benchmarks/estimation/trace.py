"""Run an estimator over a recorded stream and keep what it said at every control time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.estimation.estimator_interface import Estimate, Estimator
from millirobot_adapt.core.estimation.health import EstimatorHealth
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.mocap_faults import PoseArrival

SILENT = frozenset({'accepted', 'repeated'})
"""Counters that report nothing unusual."""


@dataclass(frozen=True)
class Trace:
    """The estimates of one run at its control times; rows without an estimate hold NaN."""

    stamps: FloatArray
    """Control times [s], shape (T,)."""
    given: np.ndarray
    """Whether there was an estimate, shape (T,)."""
    position: FloatArray
    """[m; world], shape (T, 3)."""
    quaternion: FloatArray
    """Xyzw, shape (T, 4)."""
    velocity: FloatArray
    """[m/s; world], shape (T, 3)."""
    angular_velocity: FloatArray
    """[rad/s; body], shape (T, 3)."""
    pose_covariance: FloatArray
    """Shape (T, 6, 6)."""
    twist_covariance: FloatArray
    """Shape (T, 6, 6)."""
    told: np.ndarray
    """How often anything unusual had been counted by then, shape (T,)."""
    health: EstimatorHealth
    """How the estimator said it was doing at the end."""
    cpu_seconds: float
    """Processor time of this process for all samples and estimates."""


def trace_estimator(estimator: Estimator, poses: Iterable[PoseArrival], telemetry: Sequence[Telemetry]) -> Trace:
    """Give the samples in the order of their arrival; ask for an estimate at the stamp of each reply, as the node does.

    A reply arrives at its stamp: poses that arrive later are not waited for.
    """
    waiting = list(poses)
    estimates: list[Estimate | None] = []
    told: list[int] = []
    place = 0
    started = time.process_time()
    for reply in telemetry:
        while place < len(waiting) and waiting[place].time <= reply.stamp:
            estimator.on_pose(waiting[place].pose)
            place += 1
        estimator.on_telemetry(reply)
        estimates.append(estimator.estimate(reply.stamp))
        told.append(sum(count for reason, count in estimator.counters().items() if reason not in SILENT))
    cpu_seconds = time.process_time() - started
    return Trace(
        stamps=np.array([reply.stamp for reply in telemetry]),
        given=np.array([estimate is not None for estimate in estimates]),
        position=_column(estimates, 'position', (3,)),
        quaternion=_column(estimates, 'quaternion', (4,)),
        velocity=_column(estimates, 'velocity', (3,)),
        angular_velocity=_column(estimates, 'angular_velocity', (3,)),
        pose_covariance=_column(estimates, 'pose_covariance', (6, 6)),
        twist_covariance=_column(estimates, 'twist_covariance', (6, 6)),
        told=np.array(told),
        health=estimator.health(),
        cpu_seconds=cpu_seconds,
    )


def _column(estimates: Sequence[Estimate | None], name: str, shape: tuple[int, ...]) -> FloatArray:
    missing = np.full(shape, np.nan)
    return np.array([missing if estimate is None else getattr(estimate, name) for estimate in estimates], dtype=float)
