"""Make the estimator that a configuration names."""

from __future__ import annotations

from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.estimation.finite_difference import FiniteDifference
from millirobot_adapt.core.estimation.pose_filter import PoseFilter
from millirobot_adapt.core.robot.description import RobotConfig

__all__ = ['ESTIMATORS', 'EstimatorConfig', 'make_estimator']

ESTIMATORS: dict[str, type[PoseFilter] | type[FiniteDifference]] = {
    'filter': PoseFilter,
    'finite_difference': FiniteDifference,
}


def make_estimator(config: EstimatorConfig, robot: RobotConfig) -> Estimator:
    """Return a new estimator by `config.method`, for the robot's marker offset."""
    return ESTIMATORS[config.method](config, robot)
