"""The parameters of the estimators."""

from __future__ import annotations

from dataclasses import dataclass

from millirobot_adapt.core.config import Config, param


@dataclass(frozen=True)
class EstimatorConfig(Config):
    """Parameters of the estimator; those after `lost_after` are the filter's alone."""

    method: str = param('filter', 'How pose and twist are estimated.', choices=('filter', 'finite_difference'))
    lost_after: float = param(
        1.0, 'Age of the newest pose from which there is no estimate.', unit='s', low=0.02, high=10.0
    )
    twist_period: float = param(
        0.1, 'The twist is the mean over this time before the stamp: a control period.',
        unit='s', low=0.01, high=0.5,
    )  # fmt: skip
    position_noise: float = param(0.0004, 'Noise of a measured position, each axis.', unit='m', low=1e-6, high=0.1)
    rotation_noise: float = param(0.005, 'Noise of a measured orientation, each axis.', unit='rad', low=1e-5, high=1.0)
    gyro_noise: float = param(
        0.5, 'Noise of the gyro, with what the uncertainty of its time makes of the swing.',
        unit='rad/s', low=1e-3, high=1e6,
    )  # fmt: skip
    acceleration_noise: float = param(
        1.0, 'White acceleration noise of the body: how lively it moves.', unit='m/s^2/sqrt(Hz)', low=1e-3, high=100.0
    )
    angular_acceleration_noise: float = param(
        40.0, 'White angular acceleration noise of the body.', unit='rad/s^2/sqrt(Hz)', low=1e-2, high=1000.0
    )
    start_speed: float = param(
        0.5, 'Standard deviation of the unknown velocity at the start.', unit='m/s', low=0.01, high=10.0
    )
    start_angular_speed: float = param(
        3.0, 'Standard deviation of the unknown angular velocity at the start.', unit='rad/s', low=0.1, high=100.0
    )
    gate: float = param(
        8.0,
        'A pose further than this from the prediction is a jump (Mahalanobis distance).',
        unit='sd',
        low=3.0,
        high=100.0,
    )
    restart_after: int = param(
        5, 'So many jumps in a row that agree with each other restart the filter.', low=2, high=100
    )
    largest_speed: float = param(
        1.5, 'A pose that the body could only have come to faster is a jump, too.', unit='m/s', low=0.1, high=20.0
    )
    largest_angular_speed: float = param(20.0, 'The same for the rotation.', unit='rad/s', low=1.0, high=200.0)


@dataclass(frozen=True)
class EstimatorNodeConfig(EstimatorConfig):
    """Parameters of the node `estimator`."""

    robot: str = param('velociroach', 'The robot: a name under params/robots/, or the path of a YAML file.')
