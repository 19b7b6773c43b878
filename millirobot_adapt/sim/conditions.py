"""Describe under what conditions the mock walks: what holds from the start, what begins later, start, noise.

A key of `Circumstances` may stand at the top of a condition's file, and then holds from the start, or in an entry of
its list `faults`, beside the time at which it begins. A fault of `FAULT_KINDS` (`mocap.freeze`, `radio.loss`, ...) may
stand in `faults` only.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Discriminator, Strict, Tag

from millirobot_adapt.core.config import Config, build, param, section
from millirobot_adapt.core.errors import UserError, not_one_of
from millirobot_adapt.core.share import find
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.sim.fault_kinds import FAULT_KINDS, check_duration, fault_kind, is_fault
from millirobot_adapt.sim.leg_names import LEGS
from millirobot_adapt.sim.terrain import TERRAINS, Terrain


def _kind_of_floor(value: Any) -> str:
    return '<group>' if isinstance(value, Mapping | Terrain) else '<name>'


Floor = Annotated[
    Annotated[str, Tag('<name>'), Strict()] | Annotated[Terrain, Tag('<group>')], Discriminator(_kind_of_floor)
]
"""A name in `TERRAINS`, or numbers of its own."""
TRAINING_TERRAINS = ('carpet', 'styrofoam', 'turf')
"""The floors on which data are collected, as in the paper."""


class Slope(Config):
    """How the floor is inclined."""

    angle: float = param(0.0, 'Inclination.', unit='rad', low=0.0, high=0.6)
    direction: float = param(0.0, 'Where it climbs to, from x towards y.', unit='rad', low=-math.tau, high=math.tau)


class Payload(Config):
    """What the robot carries, or pulls over the ground on a rope."""

    mass: float = param(0.0, 'Mass; some grams for a robot of 30 g.', unit='kg', low=0.0, high=5.0)
    rope: float = param(0.0, 'Length of the rope; 0: carried on the back.', unit='m', low=0.0, high=0.5)
    offset: float = param(
        0.0, 'Where the rope is tied to the rear edge: to the left of the middle.', unit='m', low=-0.05, high=0.05
    )
    friction: float = param(0.3, 'Coulomb friction between the pulled load and the ground.', low=0.0, high=1.5)


class Circumstances(Config):
    """What may hold from the start or begin while the robot walks; the default is a new robot on level carpet."""

    terrain: Floor = param('carpet', f'Floor: {", ".join(TERRAINS)}, or a group of numbers (see `Terrain`).')
    slope: Slope = section(Slope, 'Inclination of the floor.')
    missing_legs: tuple[str, ...] = param((), 'Legs that are broken off.', choices=LEGS)
    payload: Payload = section(Payload, 'What the robot carries or pulls.')
    pose_offset: tuple[float, ...] = param(
        (0.0,) * 6, 'Misalignment of the marker body, unknown to the estimator: x y z [m], roll pitch yaw [rad].',
        unit='m, rad', low=-math.pi, high=math.pi, length=6,
    )  # fmt: skip
    wear: tuple[float, ...] = param(
        (0.0,) * len(LEGS),
        f'Wear of each foot, 0 = new, 1 = worn smooth and short, in the order {", ".join(LEGS)}.',
        low=0.0, high=1.0, length=len(LEGS),
    )  # fmt: skip
    motor_gain: tuple[float, ...] = param(
        (1.0, 1.0), 'Strength of the left and right motor, 1 = new.', low=0.0, high=1.5, length=2
    )
    wheel_gain: tuple[float, ...] = param(
        (1.0, 1.0, 1.0, 1.0), 'Share of its speed that each wheel of a rover reaches: front left, rear left, front '
        'right, rear right.',
        low=0.0, high=1.5, length=4,
    )  # fmt: skip
    frozen_encoders: float = param(
        0.0, 'Share of replies that repeat the encoders of the one before; about 0.01 on the real robot.',
        low=0.0, high=1.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        if isinstance(self.terrain, str) and self.terrain not in TERRAINS:
            raise UserError(f'terrain = {not_one_of(self.terrain, TERRAINS)}; or write a group of numbers')

    @property
    def floor(self) -> Terrain:
        """What `terrain` means."""
        return TERRAINS[self.terrain] if isinstance(self.terrain, str) else self.terrain


CIRCUMSTANCES = tuple(field.name for field in dataclasses.fields(Circumstances))
"""Keys of a condition that may change while the robot walks."""


@dataclass(frozen=True)
class Fault:
    """A key of `Circumstances` that takes a new value while the robot walks, or one of `FAULT_KINDS` that begins."""

    what: str
    """The key, or the name in `FAULT_KINDS`."""
    value: Any
    """What the key becomes (missing legs are lost besides those that are lost already), or the value of the fault."""
    time: float = 0.0
    """When, counted from the first non-zero motor command [s]."""
    duration: float = 0.0
    """How long it lasts [s]; 0: until the end."""

    @property
    def lasts(self) -> bool:
        """It continues after it has begun."""
        return self.what not in FAULT_KINDS or FAULT_KINDS[self.what].lasts

    @property
    def name(self) -> str:
        """What the run's record calls it."""
        match self.what:
            case 'missing_legs':
                return f'missing_leg {" ".join(self.value)}'
            case 'terrain':
                return f'terrain {self.value}' if isinstance(self.value, str) else 'terrain'
            case 'slope':
                return f'slope {math.degrees(self.value.angle):.0f} deg'
            case 'payload':
                return f'payload {1e3 * self.value.mass:.0f} g{" on a rope" if self.value.rope else ""}'
        return f'{self.what} {self.value}' if self.what in FAULT_KINDS and self.value is not True else self.what

    @property
    def text(self) -> str:
        """Describe what happens."""
        if self.what == 'missing_legs':
            return f'{", ".join(self.value)} leg lost'
        lasting = f' for {self.duration:g} s' if self.duration else ''
        if self.what == 'robot.servo':
            return f'{self.value} servo dead{lasting}'
        return f'{self.name} begins{lasting}' if self.lasts else self.name


class MocapNoise(Config):
    """Errors of motion capture."""

    position: float = param(
        0.00005, 'Noise of each coordinate, standard deviation; 0.03 to 0.05 mm in the lab, legs standing.',
        unit='m', low=0.0, high=0.1,
    )  # fmt: skip
    angle: float = param(
        0.0015, 'Noise about each axis, standard deviation; 0.4 to 1.8 mrad in the lab, legs standing.',
        unit='rad', low=0.0, high=0.5,
    )  # fmt: skip
    latency: float = param(
        0.001, 'Longest delay from exposure to arrival (evenly spread).', unit='s', low=0.0, high=0.2
    )
    repeated: float = param(0.018, 'Share of frames that repeat the previous one.', low=0.0, high=1.0)
    jumps: float = param(0.0, 'Share of frames that jump aside.', low=0.0, high=1.0)
    jump_size: float = param(0.2, 'How far a frame jumps.', unit='m', low=0.0, high=2.0)


class Condition(Circumstances):
    """One set of conditions; the default is a new robot on level carpet with moderate noise."""

    name: str = param('flat', 'Name of the condition.')
    start_x: float = param(0.0, 'Where the robot starts.', unit='m', low=-2.0, high=2.0)
    start_y: float = param(0.0, 'Where the robot starts.', unit='m', low=-2.0, high=2.0)
    start_yaw: float = param(0.0, 'Where the robot looks at the start.', unit='rad', low=-math.tau, high=math.tau)
    tilt_drift: float = param(0.0, 'Largest tilt of the drifting, unevenly lying floor.', unit='rad', low=0.0, high=0.2)
    grip_drift: float = param(0.0, 'Share by which grip shifts from one side to the other.', low=0.0, high=0.8)
    drift_period: float = param(20.0, 'Period of both drifts.', unit='s', low=1.0, high=1000.0)
    drift_phase: float = param(0.0, 'Phase of both drifts at the start.', unit='rad', low=-math.tau, high=math.tau)
    step_noise: float = param(
        0.5, "Random pushes of the ground on the walking robot, 1 = as strong as the real robot's yaw noise.",
        low=0.0, high=2.0,
    )  # fmt: skip
    mocap: MocapNoise = section(MocapNoise, 'Motion capture.')
    faults: tuple[Fault, ...] = param((), 'What begins later, and when.')

    def after(self, fault: Fault) -> Condition:
        """Return the condition that holds once the fault has begun."""
        value = (*self.missing_legs, *fault.value) if fault.what == 'missing_legs' else fault.value
        change: dict[str, Any] = {fault.what: value}
        return dataclasses.replace(self, **change)

    def with_faults_from(self, time: float) -> Condition:
        """Return the condition with its first fault at `time` [s] and the others as much later or earlier."""
        if not self.faults:
            return self
        later = time - min(fault.time for fault in self.faults)
        faults = tuple(dataclasses.replace(fault, time=fault.time + later) for fault in self.faults)
        return dataclasses.replace(self, faults=faults)


def load_condition(name: str) -> Condition:
    """Load a condition by its shipped name or by the path of a YAML file.

    Raises:
        UserError: no such condition, an unknown key, a wrong type, a value out of range.
    """
    path = find('params/conditions', name, '.yaml')
    return make_condition(read_yaml(path), path.stem, str(path))


def make_condition(values: Mapping[str, Any], name: str, where: str) -> Condition:
    """Make a condition of this name from the keys of its file; `where` names the file in errors.

    Raises:
        UserError: an unknown key, a wrong type, a value out of range.
    """
    entries = values.get('faults') or []
    if not isinstance(entries, list):
        raise UserError(f'{where}: faults must be a list, not {entries!r}')
    faults = [fault for i, entry in enumerate(entries) for fault in _faults(entry, f'{where}: faults[{i}]')]
    rest = {key: value for key, value in values.items() if key != 'faults'}
    condition = build(Condition, {'name': name} | rest, where)
    return dataclasses.replace(condition, faults=tuple(faults))


class _Entry(Circumstances):
    """One entry of the list of faults."""

    time: float = param(0.0, 'When, counted from the first non-zero motor command.', unit='s', low=0.0, high=3600.0)
    duration: float = param(0.0, 'How long it lasts; 0: until the end.', unit='s', low=0.0, high=3600.0)


def _faults(entry: Any, where: str) -> list[Fault]:
    """Read one entry: each key besides the time is a fault of its own."""
    if not isinstance(entry, Mapping):
        raise UserError(
            f'{where} must be a group (time, and what begins then: missing_legs, slope, ...), not {entry!r}'
        )
    built = build(_Entry, {key: value for key, value in entry.items() if not is_fault(str(key))}, where)
    keys = [key for key in entry if key not in ('time', 'duration')]
    if not keys:
        raise UserError(f'{where} has a time but does not say what begins then; add missing_legs, slope, payload, ...')
    try:
        return [
            Fault(
                key,
                fault_kind(key).read(entry[key], key) if is_fault(key) else getattr(built, key),
                built.time,
                check_duration(key, built.duration),
            )
            for key in keys
        ]
    except UserError as error:
        raise UserError(f'{where}: {error}') from None


def make_fault(name: str, value: Any, duration: float = 0.0) -> Fault:
    """Make the fault of this name from a value as it may stand in a condition's file, to begin at once.

    Raises:
        UserError: an unknown name (the nearest one is named), a wrong or missing value, a wrong duration.
    """
    if not is_fault(name) and name not in CIRCUMSTANCES:
        fault_kind(name, CIRCUMSTANCES)
    (fault,) = _faults({name: value, 'duration': check_duration(name, duration)}, 'fault')
    return fault


HEAVIEST_IN_TRAINING = 0.008
"""Load on the back in the training data [kg]."""


def in_training(condition: Condition) -> bool:
    """Tell whether a condition is of the kind that `sample_training_condition` draws: a floor of the training data.

    Level, on one of its terrains, on all legs, with a light load on the back at most, a marker body where it belongs,
    and no fault on the way.
    """
    return (
        condition.terrain in TRAINING_TERRAINS
        and condition.slope.angle == 0.0
        and not condition.missing_legs
        and not condition.faults
        and condition.payload.mass <= HEAVIEST_IN_TRAINING
        and not any(condition.pose_offset)
    )


def sample_training_condition(rng: np.random.Generator) -> Condition:
    """Draw a condition whose hidden variation lasts for a whole run, as training data needs it.

    One of the three terrains of the paper; each leg is worn differently, the floor's tilt and the grip of the two sides
    drift slowly. Without such variation there is nothing to adapt to, and meta-learning learns not to adapt.
    """
    return Condition(
        name='training',
        terrain=TRAINING_TERRAINS[int(rng.integers(len(TRAINING_TERRAINS)))],
        wear=tuple(float(wear) for wear in rng.uniform(0.0, 1.0, len(LEGS)) * rng.uniform(0.0, 1.0)),
        motor_gain=tuple(float(gain) for gain in rng.uniform(0.8, 1.1, 2)),
        payload=Payload(mass=float(rng.uniform(0.0, HEAVIEST_IN_TRAINING))),
        start_yaw=float(rng.uniform(-np.pi, np.pi)),
        tilt_drift=float(rng.uniform(0.0, 0.07)),
        grip_drift=float(rng.uniform(0.0, 0.5)),
        drift_period=float(rng.uniform(15.0, 40.0)),
        drift_phase=float(rng.uniform(-np.pi, np.pi)),
    )
