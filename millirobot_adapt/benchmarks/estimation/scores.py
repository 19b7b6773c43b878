"""Judge traces of an estimator against the truth: errors, honesty of the covariance, delay, silent jumps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.benchmarks.estimation.streams import Truth
from millirobot_adapt.benchmarks.estimation.trace import Trace
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.world import TICK

WARM_UP = 1.0
"""Control times before it are not judged: the legs begin to move, the filter begins to know them [s]."""
LONGEST_LAG = 0.06
"""Delays are sought between minus and plus this [s]."""
JUMP_DISTANCE = 0.05
"""The output jumps when it moves by this much more in a control period than the body ever did in that run [m]..."""
JUMP_ANGLE = 0.35
"""... or turns by this much more [rad]..."""
JUMP_DEVIATIONS = 5.0
"""... unless the covariance before had said so: within this many standard deviations."""


@dataclass(frozen=True)
class EstimateErrors:
    """Estimate minus truth at the control times of a run; rows without an estimate hold NaN."""

    stamps: FloatArray
    """[s], shape (T,)."""
    position: FloatArray
    """[m; world], shape (T, 3)."""
    rotation: FloatArray
    """Rotation vector [rad; world], shape (T, 3)."""
    velocity: FloatArray
    """[m/s; body], shape (T, 3)."""
    angular_velocity: FloatArray
    """[rad/s; body], shape (T, 3)."""

    @property
    def judged(self) -> np.ndarray:
        """Where there is an estimate after the warm-up, shape (T,)."""
        return (self.stamps > WARM_UP) & np.isfinite(self.position[:, 0])


def errors_of(trace: Trace, truth: Truth, period: float) -> EstimateErrors:
    """Compare a trace with the true pose and the true mean twist of the control period [s] before each stamp."""
    positions, rotations = truth.pose(trace.stamps)
    velocity, angular_velocity = truth.mean_twist(trace.stamps, period)
    # A stand-in where there is no estimate; its error is NaN through the position of that row.
    estimated = Rotation.from_quat(np.where(trace.given[:, None], trace.quaternion, [0.0, 0.0, 0.0, 1.0]))
    rotation = (estimated * rotations.inv()).as_rotvec()
    rotation[~trace.given] = np.nan
    return EstimateErrors(
        stamps=trace.stamps,
        position=trace.position - positions,
        rotation=rotation,
        velocity=estimated.inv().apply(trace.velocity - velocity),
        angular_velocity=trace.angular_velocity - angular_velocity,
    )


def rms(vectors: FloatArray) -> float:
    """Return the root mean square length of vectors, shape (N, n), or NaN of none."""
    return float(np.sqrt(np.mean(np.sum(np.square(vectors), axis=1)))) if len(vectors) else float('nan')


def nees(errors: FloatArray, covariances: FloatArray) -> FloatArray:
    """Return the normalised estimation error squared per degree of freedom, shape (N,); its mean is 1 if all is honest.

    e' P^-1 e / n (Bar-Shalom, Li, Kirubarajan, 'Estimation with Applications to Tracking and Navigation', chapter 5,
    on consistency tests).
    """
    solved = np.linalg.solve(covariances, errors[..., None])[..., 0]
    return np.asarray(np.sum(errors * solved, axis=1) / errors.shape[1])


def delay(estimates: Sequence[FloatArray], truths: Sequence[FloatArray]) -> float:
    """Return by how much the estimates lag behind the truth [s]: the lag of the largest cross-correlation.

    Args:
        estimates: Of each run the estimated signals at the control times, shape (T, n).
        truths: Of each run the true signals at every lag of `lags()`, shape (lags, T, n).
    """
    shifts = lags()
    found = np.concatenate(estimates)
    found = found - found.mean(axis=0)
    shifted = np.concatenate(truths, axis=1)
    shifted = shifted - shifted.mean(axis=1, keepdims=True)
    correlation = np.einsum('tn,ltn->l', found, shifted) / np.sqrt(np.einsum('ltn,ltn->l', shifted, shifted))
    best = int(np.argmax(correlation))
    if not 0 < best < len(shifts) - 1:
        return float(shifts[best])
    left, top, right = correlation[best - 1 : best + 2]
    # The top of the parabola through the three largest values: between two lags of the grid.
    return float(shifts[best] + 0.5 * TICK * (left - right) / (left - 2.0 * top + right))


def lags() -> FloatArray:
    """Return the lags at which delays are sought [s], from negative (too early) to positive (late), `TICK` apart."""
    steps = round(LONGEST_LAG / TICK)
    return np.asarray(np.arange(-steps, steps + 1) * TICK, dtype=float)


def silent_jumps(trace: Trace, truth: Truth) -> int:
    """Count where the output moved by more than the body could, and neither a counter nor the covariance told.

    An output that returns after having said 'no estimate' is no jump: the gap has told it.
    """
    positions, rotations = truth.pose(trace.stamps)
    estimated = Rotation.from_quat(np.where(trace.given[:, None], trace.quaternion, [0.0, 0.0, 0.0, 1.0]))
    variances = np.diagonal(trace.pose_covariance, axis1=1, axis2=2)[:-1]
    jumped = np.zeros(max(0, len(trace.stamps) - 1), dtype=bool)
    for moved, body_moved, margin, variance in (
        (_steps(trace.position), _steps(positions), JUMP_DISTANCE, variances[:, :3]),
        (_turns(estimated), _turns(rotations), JUMP_ANGLE, variances[:, 3:]),
    ):
        told = JUMP_DEVIATIONS * np.sqrt(np.sum(variance, axis=1))
        jumped |= moved > np.max(body_moved, initial=0.0) + np.maximum(margin, told)
    counted = np.diff(trace.told) > 0
    return int(np.sum(jumped & trace.given[1:] & trace.given[:-1] & ~counted))


def _steps(positions: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(np.diff(positions, axis=0), axis=1))


def _turns(rotations: Rotation) -> FloatArray:
    return np.asarray((rotations[1:] * rotations[:-1].inv()).magnitude())


def non_finite(trace: Trace) -> int:
    """Count the estimates that hold a number that is not finite."""
    rows = np.column_stack(
        [
            trace.position, trace.quaternion, trace.velocity, trace.angular_velocity,
            trace.pose_covariance.reshape(-1, 36), trace.twist_covariance.reshape(-1, 36),
        ]
    )  # fmt: skip
    return int(np.sum(trace.given & ~np.isfinite(rows).all(axis=1)))
