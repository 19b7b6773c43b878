"""Describe under what conditions the mock walks: terrain, slope, faults, wear, load, start, noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.core.config import Config, build, param, read_yaml, section
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import find
from millirobot_adapt.sim.model import LEGS
from millirobot_adapt.sim.terrain import TERRAINS


@dataclass(frozen=True)
class Fault(Config):
    """Something that goes wrong while the robot walks."""

    kind: str = param('missing_leg', 'What happens.', choices=('missing_leg',))
    leg: str = param('middle_left', 'Which leg.', choices=LEGS)
    time: float = param(0.0, 'When, counted from the first non-zero motor command.', unit='s', low=0.0, high=3600.0)

    @property
    def name(self) -> str:
        """What the run's record calls it."""
        return f'{self.kind} {self.leg}'


@dataclass(frozen=True)
class MocapNoise(Config):
    """Errors of motion capture."""

    position: float = param(
        0.00005, 'Noise of each coordinate, standard deviation; 0.03 to 0.05 mm in the lab, legs at rest.',
        unit='m', low=0.0, high=0.1,
    )  # fmt: skip
    angle: float = param(
        0.0015, 'Noise about each axis, standard deviation; 0.4 to 1.8 mrad in the lab, legs at rest.',
        unit='rad', low=0.0, high=0.5,
    )  # fmt: skip
    latency: float = param(
        0.001, 'Longest delay from exposure to arrival (evenly spread).', unit='s', low=0.0, high=0.2
    )
    repeated: float = param(0.018, 'Share of frames that repeat the previous one.', low=0.0, high=1.0)
    jumps: float = param(0.0, 'Share of frames that jump aside.', low=0.0, high=1.0)
    jump_size: float = param(0.2, 'How far a frame jumps.', unit='m', low=0.0, high=2.0)


@dataclass(frozen=True)
class Condition(Config):
    """One set of conditions; the default is a new robot on level carpet with moderate noise."""

    name: str = param('flat', 'Name of the condition.')
    terrain: str = param('carpet', 'What the floor is made of.', choices=tuple(TERRAINS))
    slope: float = param(0.0, 'Inclination of the floor.', unit='rad', low=0.0, high=0.6)
    slope_direction: float = param(0.0, 'Direction in which the slope climbs, from x towards y.', unit='rad')
    wear: tuple[float, ...] = param(
        (0.0,) * len(LEGS),
        f'Wear of each foot, 0 = new, 1 = worn smooth and short, in the order {", ".join(LEGS)}.',
        low=0.0,
        high=1.0,
    )
    motor_gain: tuple[float, ...] = param(
        (1.0, 1.0), 'Strength of the left and right motor, 1 = new.', low=0.3, high=1.5
    )
    payload: float = param(0.0, 'Mass carried on the back.', unit='kg', low=0.0, high=0.1)
    pose_offset: tuple[float, ...] = param(
        (0.0,) * 6, 'Marker body askew, unknown to the estimator: x y z [m], roll pitch yaw [rad].', unit='m, rad'
    )
    start_y: float = param(0.0, 'Where the robot starts.', unit='m', low=-2.0, high=2.0)
    start_yaw: float = param(0.0, 'Where the robot looks at the start.', unit='rad')
    tilt_drift: float = param(0.0, 'Largest tilt of the drifting, unevenly lying floor.', unit='rad', low=0.0, high=0.2)
    grip_drift: float = param(0.0, 'Share by which grip shifts from one side to the other.', low=0.0, high=0.8)
    drift_period: float = param(20.0, 'Period of both drifts.', unit='s', low=1.0, high=1000.0)
    drift_phase: float = param(0.0, 'Phase of both drifts at the start.', unit='rad')
    step_noise: float = param(
        0.5, "Random pushes of the ground on the walking robot, 1 = as strong as the real robot's yaw noise.",
        low=0.0, high=2.0,
    )  # fmt: skip
    mocap: MocapNoise = section(MocapNoise, 'Motion capture.')
    faults: tuple[Fault, ...] = param((), 'What goes wrong, and when.')

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, wanted in (('wear', len(LEGS)), ('motor_gain', 2), ('pose_offset', 6)):
            if len(getattr(self, name)) != wanted:
                raise UserError(f'{name} has {len(getattr(self, name))} numbers; give {wanted}')


def load_condition(name: str) -> Condition:
    """Load a condition by its shipped name or by the path of a YAML file.

    Raises:
        UserError: no such condition, an unknown key, a wrong type, a value out of range.
    """
    path = find('params/conditions', name, '.yaml')
    values = read_yaml(path)
    faults = values.pop('faults', None) or []
    if not isinstance(faults, list):
        raise UserError(f'{path}: faults must be a list, not {faults!r}')
    condition = build(Condition, {'name': path.stem} | values, str(path))
    return dataclasses.replace(
        condition, faults=tuple(_fault(fault, f'{path}: faults[{i}]') for i, fault in enumerate(faults))
    )


def _fault(values: Any, where: str) -> Fault:
    if not isinstance(values, Mapping):
        raise UserError(f'{where} must be a group of parameters (kind, leg, time), not {values!r}')
    return build(Fault, values, where)


def sample_training_condition(rng: np.random.Generator) -> Condition:
    """Draw a condition whose hidden variation lasts for a whole run, as training data needs it.

    Each leg is worn differently, the floor's tilt and the grip of the two sides drift slowly. Without such variation
    there is nothing to adapt to, and meta-learning learns not to adapt.
    """
    return Condition(
        name='training',
        wear=tuple(float(wear) for wear in rng.uniform(0.0, 1.0, len(LEGS)) * rng.uniform(0.0, 1.0)),
        motor_gain=tuple(float(gain) for gain in rng.uniform(0.8, 1.1, 2)),
        payload=float(rng.uniform(0.0, 0.008)),
        start_yaw=float(rng.uniform(-np.pi, np.pi)),
        tilt_drift=float(rng.uniform(0.0, 0.07)),
        grip_drift=float(rng.uniform(0.0, 0.5)),
        drift_period=float(rng.uniform(15.0, 40.0)),
        drift_phase=float(rng.uniform(-np.pi, np.pi)),
    )
