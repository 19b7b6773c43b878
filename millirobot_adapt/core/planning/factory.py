"""Make the planner that the parameters name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.planning.bounds import Bounds
from millirobot_adapt.core.planning.icem import Icem
from millirobot_adapt.core.planning.interface import Planner
from millirobot_adapt.core.planning.mppi import Mppi
from millirobot_adapt.core.planning.random_shooting import RandomShooting
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig


class PlannerConfig(Config):
    """How to search for the next action."""

    method: str = param('mppi', 'Planner.', choices=('mppi', 'icem', 'random_shooting'))
    samples: int = param(400, 'K, candidate sequences a tick.', low=1, high=100_000, live='any')
    horizon: int = param(12, 'H, steps that a candidate looks ahead.', unit='ticks', low=2, high=100)
    chunk: int = param(
        200, 'Candidates rolled out at once, with a generator of their own; iCEM learns from each chunk.', low=1
    )
    slew: float = param(
        20.0, 'Largest change of a leg rate from one action to the next; more than the range is no limit.',
        unit='rev/s', low=0.01, high=100.0,
    )  # fmt: skip
    hold: int = param(3, 'MPPI, random shooting: steps that share one random draw.', unit='ticks', low=1, high=100)
    noise: float = param(
        0.25, 'MPPI: sd of the noise as a fraction of the action range.', low=1e-6, high=10.0, live='any'
    )
    temperature: float = param(
        0.1, 'MPPI: temperature relative to the sd of the costs.', low=1e-6, high=100.0, live='any'
    )
    width: float = param(
        0.5, 'iCEM: sd of the first chunk as a fraction of the action range.', low=1e-6, high=10.0, live='any'
    )
    colour: float = param(
        2.0, 'iCEM: exponent of the noise; 0 is white, the larger the slower it varies.', low=0.0, high=8.0
    )
    elites: int = param(5, 'iCEM: cheapest candidates that the next chunk is drawn about.', low=2, high=10_000)


def make_planner(config: PlannerConfig, robot: RobotConfig) -> Planner:
    """Return the planner `config.method` with the robot's action range as bounds."""
    low, high = robot.action_low, robot.action_high
    bounds = Bounds(low, high, np.full(len(low), config.slew * RADIANS_PER_REVOLUTION))
    return _PLANNERS[config.method](config, bounds)


def _mppi(config: PlannerConfig, bounds: Bounds) -> Planner:
    return Mppi(
        bounds,
        samples=config.samples,
        horizon=config.horizon,
        chunk=config.chunk,
        hold=config.hold,
        noise=config.noise,
        temperature=config.temperature,
    )


def _icem(config: PlannerConfig, bounds: Bounds) -> Planner:
    return Icem(
        bounds,
        samples=config.samples,
        horizon=config.horizon,
        chunk=config.chunk,
        width=config.width,
        colour=config.colour,
        elites=config.elites,
    )


def _random_shooting(config: PlannerConfig, bounds: Bounds) -> Planner:
    return RandomShooting(bounds, samples=config.samples, horizon=config.horizon, chunk=config.chunk, hold=config.hold)


_PLANNERS: dict[str, Callable[[PlannerConfig, Bounds], Planner]] = {
    'mppi': _mppi,
    'icem': _icem,
    'random_shooting': _random_shooting,
}
