"""How fast the mock can go in a straight line under a condition, whoever drives it: a bound for every controller.

The robot starts at many headings and holds each of many actions for a short walk. Each walk is a sample: velocity over
ground and yaw rate. A controller that changes between them, at no cost, reaches any mixture of samples. So a linear
program over the shares of time finds the fastest mixture that goes along a course, does not drift off it and does not
turn in the mean. It is a bound from above for what was sampled: changes cost time and their order matters.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import joblib
import numpy as np
from scipy.optimize import linprog
from tqdm import tqdm

from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.lockstep import NoEstimateError
from millirobot_adapt.sim.lockstep_robots import make_stepped
from millirobot_adapt.sim.measure import OVERTURNED

SETTLING = 0.8
"""So long after the start a walk is not measured [s]: the legs gather speed."""


@dataclass(frozen=True)
class ReachBench:
    """What is tried."""

    headings: int
    """Start headings, spread over the circle."""
    levels: int
    """Levels of each action, from the lowest to the highest of its range."""
    seed: int = 0
    seconds: float = 2.0
    """Length of a walk [s]."""

    def actions(self, robot: RobotConfig) -> FloatArray:
        """Return all combinations of levels, shape (levels ** nu, nu), in the units of the robot's actions."""
        levels = [np.linspace(each.low, each.high, self.levels) for each in robot.layout.actions]
        return np.array(list(itertools.product(*levels)))


@dataclass(frozen=True)
class Fastest:
    """The fastest way along a course."""

    course: float
    """Direction in `world` [rad]."""
    speed: float
    """[m/s]; NaN: no mixture of samples goes there without drift."""
    headings: tuple[float, ...] = ()
    """At which headings [rad] ..."""
    shares: tuple[float, ...] = ()
    """... for which part of the time."""


def sample_walks(robot: RobotConfig, condition: Condition, bench: ReachBench, jobs: int = 1) -> FloatArray:
    """Walk from each heading with each action.

    Returns:
        Start heading [rad], velocity along x and y of `world` [m/s], yaw rate [rad/s], one row for each walk, shape
        (N, 4). Walks in which the robot fell over, or the estimator lost it, are left out.
    """
    headings = np.arange(bench.headings) * math.tau / bench.headings - math.pi
    tasks = list(itertools.product(headings, bench.actions(robot)))
    walks = joblib.Parallel(n_jobs=jobs, return_as='generator')(
        joblib.delayed(_walk)(robot, condition, float(heading), action, bench) for heading, action in tasks
    )
    rows = [row for row in tqdm(walks, total=len(tasks), desc='walks', disable=None, leave=False) if row is not None]
    return np.array(rows).reshape(-1, 4)


def fastest(samples: FloatArray, courses: Sequence[float]) -> list[Fastest]:
    """Return the fastest mixture of samples, shape (N, 4) as `sample_walks` returns them, along each course [rad]."""
    if len(samples) == 0:
        return [Fastest(course, math.nan) for course in courses]
    return [_fastest(samples, course) for course in courses]


def _walk(
    robot: RobotConfig, condition: Condition, heading: float, action: FloatArray, bench: ReachBench
) -> tuple[float, float, float, float] | None:
    start = replace(condition, start_yaw=heading, start_y=0.0)
    run = make_stepped(robot, start, make_estimator(EstimatorConfig(), robot), bench.seed)
    try:
        seen = [run.reset()] + [run.step(action) for _ in range(round(bench.seconds / robot.dt))]
    except NoEstimateError:
        return None
    if max(abs(each.true_rpy[0]) for each in seen) > OVERTURNED:
        return None
    first = round(SETTLING / robot.dt)
    positions = np.array([each.true_position for each in seen[first:]])
    yaw = np.unwrap([each.true_rpy[2] for each in seen[first:]])
    passed = (len(seen) - 1 - first) * robot.dt
    (east, north), turned = (positions[-1] - positions[0])[:2] / passed, (yaw[-1] - yaw[0]) / passed
    return heading, float(east), float(north), float(turned)


def _fastest(samples: FloatArray, course: float) -> Fastest:
    along = np.cos(course) * samples[:, 1] + np.sin(course) * samples[:, 2]
    across = np.cos(course) * samples[:, 2] - np.sin(course) * samples[:, 1]
    kept = np.vstack([across, samples[:, 3], np.ones(len(samples))])
    found = linprog(-along, A_eq=kept, b_eq=[0.0, 0.0, 1.0], bounds=(0.0, None))
    if not found.success:
        return Fastest(course, math.nan)
    used = np.flatnonzero(found.x > 1e-6)
    return Fastest(
        course,
        float(-found.fun),
        tuple(float(heading) for heading in samples[used, 0]),
        tuple(float(share) for share in found.x[used]),
    )
