"""What every estimator offers, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from millirobot_adapt.core.estimation.health import EstimatorHealth
from millirobot_adapt.core.estimation.quality import StateQuality
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
from millirobot_adapt.core.robot.state import FloatArray


@dataclass(frozen=True)
class Estimate:
    """Pose of the robot body at one instant, and its twist.

    The filter's twist is the mean over the control period that ends at the stamp (parameter `twist_period`): what the
    model predicts is the motion of a period, and a legged body shakes within each stride.
    """

    stamp: float
    """Time the estimate is for [s, host clock]."""
    position: FloatArray
    """[m; world], shape (3,)."""
    quaternion: FloatArray
    """Orientation xyzw, body in world, shape (4,)."""
    velocity: FloatArray
    """[m/s; world], shape (3,)."""
    angular_velocity: FloatArray
    """[rad/s; body], shape (3,)."""
    pose_covariance: FloatArray
    """Position [m^2; world], then rotation [rad^2; world], shape (6, 6)."""
    twist_covariance: FloatArray
    """Velocity [(m/s)^2; body], then angular velocity [(rad/s)^2; body], shape (6, 6)."""
    pose_age: float
    """Age of the newest accepted pose at `stamp` [s]."""


class Estimator(Protocol):
    """Fuse poses and telemetry; samples are given in the order of their arrival, stamps may be late or repeated."""

    @property
    def robot(self) -> RobotConfig:
        """The robot that it estimates."""

    def on_pose(self, sample: PoseSample) -> None:
        """Take a pose; bad ones (not finite, repeated, jumping) are counted and left out."""

    def on_telemetry(self, sample: Telemetry) -> None:
        """Take a telemetry reply."""

    def estimate(self, stamp: float) -> Estimate | None:
        """Return the estimate for time `stamp` [s], or None while there is none (no pose yet, or lost for too long)."""

    def quality(self) -> StateQuality:
        """Say how far the pose of the last estimate can be trusted."""

    def counters(self) -> dict[str, int]:
        """Return what was accepted and left out, by reason."""

    def health(self) -> EstimatorHealth:
        """Return how it is doing, for diagnostics."""
