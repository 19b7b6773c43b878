"""Make the planner that the parameters name."""

from __future__ import annotations

from collections.abc import Callable

from millirobot_adapt.core.arrays import Array
from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.planning.candidate_place import HOST, CandidatePlace
from millirobot_adapt.core.planning.icem import Icem
from millirobot_adapt.core.planning.mppi import Mppi
from millirobot_adapt.core.planning.optimize import Planner, SearchSize
from millirobot_adapt.core.planning.planner_interface import Sampler
from millirobot_adapt.core.planning.random_shooting import RandomShooting
from millirobot_adapt.core.planning.sequences import Bounds
from millirobot_adapt.core.planning.validator import PlausiblePlan
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig


class PlannerConfig(Config):
    """How to search for the next action."""

    method: str = param('mppi', 'Planner.', choices=('mppi', 'icem', 'random_shooting'))
    samples: int = param(400, 'K, candidate sequences a tick.', low=1, high=100_000, live='any')
    horizon: int = param(12, 'H, steps that a candidate looks ahead.', unit='ticks', low=2, high=100)
    iterations: int = param(
        0, 'Rounds of drawing and learning a tick, which share the samples; 0: 4 for iCEM, 1 for the others.',
        low=0, high=100,
    )  # fmt: skip
    batch: int = param(
        200, 'Most candidates rolled out at once, with a generator of their own; the deadline is checked between '
        'batches.', low=1,
    )  # fmt: skip
    slew: float = param(
        20.0, 'Largest change of a leg rate from one action to the next, beside the slew in the file of the robot; '
        'more than the range is no limit.',
        unit='rev/s', low=0.01, high=100.0,
    )  # fmt: skip
    speed_limit: float = param(
        5.0, 'A plan that is predicted to move faster is refused: the model is wrong there.', unit='m/s', low=0.1,
        high=100.0,
    )  # fmt: skip
    hold: int = param(3, 'MPPI, random shooting: steps that share one random draw.', unit='ticks', low=1, high=100)
    noise: float = param(
        0.25, 'MPPI: sd of the noise as a fraction of the action range.', low=1e-6, high=10.0, live='any'
    )
    temperature: float = param(
        0.15, 'MPPI: temperature relative to the scale of the cheaper half of the costs.', low=1e-6, high=100.0,
        live='any',
    )  # fmt: skip
    control_cost: float = param(
        0.0, 'MPPI: factor of the control-cost term; 1: as in the cited algorithm, 0: without.', low=0.0, high=100.0,
        live='any',
    )  # fmt: skip
    width: float = param(
        0.5, 'iCEM: sd of the first iteration as a fraction of the action range.', low=1e-6, high=10.0, live='any'
    )
    colour: float = param(
        2.0, 'iCEM: exponent of the noise; 0 is white, the larger the slower it varies.', low=0.0, high=8.0
    )
    elites: int = param(5, 'iCEM: cheapest candidates that the next iteration is drawn about.', low=2, high=10_000)


ICEM_ITERATIONS = 4
"""iCEM learns this often a tick unless the parameters say otherwise; random shooting and MPPI draw once."""


def make_planner(config: PlannerConfig, robot: RobotConfig, place: CandidatePlace = HOST) -> Planner:
    """Return the planner `config.method` with the robot's action range as bounds, searching at `place`."""
    layout = robot.layout
    bounds = Bounds(
        layout.action_low, layout.action_high, layout.slew(config.slew * RADIANS_PER_REVOLUTION), layout.neutral
    )
    iterations = config.iterations or (ICEM_ITERATIONS if config.method == 'icem' else 1)
    return Planner(
        _SAMPLERS[config.method](config, place.bounds(bounds)),
        bounds,
        horizon=config.horizon,
        size=SearchSize(config.samples, iterations, config.batch),
        validator=PlausiblePlan(bounds, config.speed_limit * robot.dt),
        place=place,
    )


Start = Callable[[Array], Sampler]
"""Starts the search of a tick from its first guess, shape (H, nu)."""


def _mppi(config: PlannerConfig, bounds: Bounds) -> Start:
    return lambda guess: Mppi(
        guess,
        bounds,
        hold=config.hold,
        noise=config.noise,
        temperature=config.temperature,
        control_cost=config.control_cost,
    )


def _icem(config: PlannerConfig, bounds: Bounds) -> Start:
    return lambda guess: Icem(guess, bounds, width=config.width, colour=config.colour, elites=config.elites)


def _random_shooting(config: PlannerConfig, bounds: Bounds) -> Start:
    return lambda guess: RandomShooting(guess, bounds, config.hold)


_SAMPLERS: dict[str, Callable[[PlannerConfig, Bounds], Start]] = {
    'mppi': _mppi,
    'icem': _icem,
    'random_shooting': _random_shooting,
}
