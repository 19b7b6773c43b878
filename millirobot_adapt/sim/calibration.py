"""Hold the mock against the real robot: walk as the lab's random policy did, and compare the figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
from tqdm import tqdm

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.sim import measure
from millirobot_adapt.sim.conditions import Condition

RUNS = 6
"""Runs on each terrain."""
HOLDS = (1, 10)
"""Control periods for which runs hold a setpoint, in turn; together about as persistent as the lab's."""
FROZEN, JUMPS = 0.01, 2.2e-4
"""Shares of replies with frozen encoders and of poses that jump, as in the lab; by default a condition has none."""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    terrain: str
    name: str
    unit: str
    low: float
    """Of the real robot."""
    high: float
    """Equal to `low` where a single number is known."""
    mock: float
    deviation: float
    """Of the mock from the real robot's range, relative to its nearer end; 0.0 inside."""
    tolerance: float

    @property
    def within(self) -> bool:
        """Whether the mock is like the real robot; False where it has no such figure."""
        return abs(self.deviation) <= self.tolerance


@dataclass(frozen=True)
class CalibrationTargets:
    """What is known of the real robot."""

    path: Path
    tolerances: dict[str, float]
    ranges: dict[str, list[list[float]]]
    """Ranges of setpoints of the runs on each terrain [rev/s]."""
    figures: dict[str, dict[str, Any]]

    def compare(self, terrain: str, mock: dict[str, float]) -> list[Figure]:
        """Set the mock's figures on a terrain beside the real robot's."""
        return [self._compare(terrain, name, mock.get(name, math.nan)) for name in self.figures]

    def _compare(self, terrain: str, name: str, mock: float) -> Figure:
        figure = self.figures[name]
        real = figure[terrain]
        low, high = real if isinstance(real, list) else (real, real)
        nearest = min(max(mock, low), high)
        return Figure(
            terrain=terrain,
            name=name,
            unit=figure['unit'],
            low=low,
            high=high,
            mock=mock,
            deviation=(mock - nearest) / abs(nearest),
            tolerance=self.tolerances[figure['kind']],
        )


def load_targets(path: Path) -> CalibrationTargets:
    """Read the real robot's figures.

    Raises:
        UserError: no such file, or it is not a table of figures.
    """
    values = read_yaml(path)
    tolerances, ranges, figures = (values.get(name) or {} for name in ('tolerances', 'ranges', 'figures'))
    if not all(isinstance(group, dict) and group for group in (tolerances, ranges, figures)):
        raise UserError(
            f'{path}: needs the groups tolerances, ranges, figures; see params/calibration/velociroach.yaml'
        )
    for terrain, spans in ranges.items():
        if not isinstance(spans, list) or not spans or not all(_is_range(span) for span in spans):
            raise UserError(f'{path}: ranges: {terrain} must be a list of ranges [low, high]')
    for name, figure in figures.items():
        if not isinstance(figure, dict) or figure.get('kind') not in tolerances or 'unit' not in figure:
            raise UserError(f'{path}: {name}: give unit, kind ({", ".join(tolerances)}) and a number for each terrain')
        for terrain in ranges:
            if not _is_figure(figure.get(terrain)):
                raise UserError(f'{path}: {name}: {terrain} must be a number other than 0 or a range [low, high]')
    return CalibrationTargets(path, tolerances, ranges, figures)


def _is_figure(value: Any) -> bool:
    """Whether it is a number that a deviation can be relative to, or a range of such."""
    return _is_range(value) or (isinstance(value, int | float) and value != 0)


def _is_range(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(isinstance(number, int | float) for number in value) and 0 < value[0] <= value[1]


def calibrate(
    robot: RobotConfig, targets: CalibrationTargets, terrains: Sequence[str], seconds: float, seed: int, jobs: int
) -> list[Figure]:
    """Walk RUNS times `seconds` on each terrain, on `jobs` processes, and compare."""
    tasks = [(terrain, run) for terrain in terrains for run in range(RUNS)]
    running = joblib.Parallel(n_jobs=jobs, return_as='generator')(
        joblib.delayed(walk)(robot, Condition(terrain=terrain), targets.ranges[terrain], run, seconds, seed)
        for terrain, run in tasks
    )
    runs = list(tqdm(running, total=len(tasks), desc='walking', unit='run', disable=None))
    found = []
    for terrain in terrains:
        there = [record for record, (walked, _) in zip(runs, tasks, strict=True) if walked == terrain]
        found += targets.compare(terrain, measure.figures(robot, there))
    return found


def walk(
    robot: RobotConfig, condition: Condition, ranges: Sequence[Sequence[float]], run: int, seconds: float, seed: int
) -> measure.Record:
    """Walk run number `run` under a condition, with all the noise that the real robot has."""
    lifelike = dataclasses.replace(
        condition, step_noise=1.0, frozen_encoders=FROZEN, mocap=dataclasses.replace(condition.mocap, jumps=JUMPS)
    )
    low, high = ranges[run % len(ranges)]
    hold = HOLDS[run // len(ranges) % len(HOLDS)]
    commands = measure.random_commands(robot, seconds, hold, seed + run, (low, high))
    return measure.record(robot, lifelike, commands, seed + run)
