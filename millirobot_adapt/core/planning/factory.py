"""Make the planner that the parameters name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.planning.interface import Planner
from millirobot_adapt.core.planning.mppi import Mppi
from millirobot_adapt.core.planning.random_shooting import RandomShooting
from millirobot_adapt.core.robot import RobotConfig


@dataclass(frozen=True)
class PlannerConfig(Config):
    """How to search for the next action."""

    method: str = param('mppi', 'Planner.', choices=('mppi', 'random_shooting'))
    samples: int = param(400, 'K, candidate sequences a tick.', low=1, high=100_000)
    horizon: int = param(12, 'H, steps that a candidate looks ahead.', unit='ticks', low=2, high=100)
    chunk: int = param(
        200, 'Candidates rolled out at once; results depend on it, as each has its own generator.', low=1
    )
    hold: int = param(3, 'Steps that share one random draw.', unit='ticks', low=1, high=100)
    noise: float = param(0.25, 'MPPI: sd of the noise as a fraction of the action range.', low=1e-6, high=10.0)
    temperature: float = param(0.1, 'MPPI: temperature relative to the sd of the costs.', low=1e-6, high=100.0)


def make_planner(config: PlannerConfig, robot: RobotConfig) -> Planner:
    """Return the planner `config.method` with the robot's action range as bounds."""
    return _PLANNERS[config.method](config, robot)


def _mppi(config: PlannerConfig, robot: RobotConfig) -> Planner:
    return Mppi(
        robot.action_low,
        robot.action_high,
        samples=config.samples,
        horizon=config.horizon,
        chunk=config.chunk,
        hold=config.hold,
        noise=config.noise,
        temperature=config.temperature,
    )


def _random_shooting(config: PlannerConfig, robot: RobotConfig) -> Planner:
    return RandomShooting(
        robot.action_low,
        robot.action_high,
        samples=config.samples,
        horizon=config.horizon,
        chunk=config.chunk,
        hold=config.hold,
    )


_PLANNERS: dict[str, Callable[[PlannerConfig, RobotConfig], Planner]] = {
    'mppi': _mppi,
    'random_shooting': _random_shooting,
}
