"""The robot as data: what it measures, what it is told, how often and through what; from params/robots/<name>.yaml."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from millirobot_adapt.core.config import Config, build, param, section
from millirobot_adapt.core.errors import PlacedError, UserError
from millirobot_adapt.core.robot.drivers import DriverConfig, ImageprocConfig, TwistConfig
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.core.robot.former_files import present_form
from millirobot_adapt.core.robot.layout import Action, Effort, FloatArray, Joint, StateLayout
from millirobot_adapt.core.share import find
from millirobot_adapt.core.yaml_file import line_finder, read_yaml

Driver = TypeVar('Driver', ImageprocConfig, DynamixelConfig)
RADIANS_PER_REVOLUTION = 2 * np.pi
TWIST_UNITS = {'forward': 'm/s', 'lateral': 'm/s', 'turn': 'rad/s'}
"""Actions of the driver twist: linear.x, linear.y and angular.z of the command."""
_NAME = re.compile(r'[a-z][a-z0-9_]*')


def _check_name(name: str, *place: str | int) -> None:
    if not _NAME.fullmatch(name):
        raise PlacedError(f'name = {name!r} must be of small letters, digits and _, a letter first', *place, 'name')


class JointConfig(Config):
    """A joint, or several that turn together, that reports its velocity."""

    name: str = param('', 'Name; an action of this name in rad/s is its velocity.')
    phase: bool = param(False, 'It turns round and round, and where it stands in its turn matters.')


class EffortConfig(Config):
    """What each joint reports of its effort."""

    name: str = param('effort', 'Name, such as back_emf or current.')
    unit: str = param('', 'Unit.')


class BatteryConfig(Config):
    """The battery, where the robot reports its voltage."""

    low: float = param(3.508, 'Below this voltage the robot is stopped.', unit='V', low=0.0, high=100.0)


class ActionConfig(Config):
    """One number that the robot is told in every control period."""

    name: str = param('', 'Name.')
    unit: str = param('', 'Unit of the numbers below; everywhere else it is SI (rad/s where this is rev/s).')
    low: float = param(0.0, 'Lowest value.')
    high: float = param(1.0, 'Highest value.')
    neutral: float = param(0.0, 'Stands still: 0, which may lie outside the range, or a value in it.')
    slew: float = param(0.0, 'Largest change from one that is sent to the next; 0: no limit.', low=0.0)
    speed_gain: float = param(0.0, 'Forward speed for each unit, nominal [m/s]; 0: it does not drive.')
    turn_gain: float = param(0.0, 'Yaw rate for each unit, nominal [rad/s], left is positive; 0: it does not turn.')

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.low < self.high:
            raise PlacedError(f'low = {self.low:g} is not below high = {self.high:g}', 'low')
        if self.neutral != 0.0 and not self.low <= self.neutral <= self.high:
            raise PlacedError(
                f'neutral = {self.neutral:g} is neither 0 nor inside {self.low:g} to {self.high:g}', 'neutral'
            )

    def action(self) -> Action:
        """Return it in SI."""
        factor, unit = (RADIANS_PER_REVOLUTION, 'rad/s') if self.unit == 'rev/s' else (1.0, self.unit)
        return Action(
            self.name, unit, low=self.low * factor, high=self.high * factor, neutral=self.neutral * factor,
            slew=self.slew * factor if self.slew else np.inf,
            speed_gain=self.speed_gain / factor, turn_gain=self.turn_gain / factor,
        )  # fmt: skip


class SensorNoiseConfig(Config):
    """White noise of the telemetry, standard deviations; the covariance of the state rests on them."""

    joint_angle: float = param(1.1e-4, 'Angle of a joint: 14 bits a turn, rounded.', unit='rad', low=0.0, high=1.0)
    gyro: float = param(0.01, 'Gyro, each axis.', unit='rad/s', low=0.0, high=10.0)
    effort: float = param(0.64, "Effort, in its unit: about 100 counts on the lab's logs.", low=0.0, high=1000.0)
    battery: float = param(0.11, "Battery: 24 counts on the lab's logs.", unit='V', low=0.0, high=10.0)


_LEFT = ActionConfig(name='left', unit='rev/s', low=2.0, high=9.0, speed_gain=0.025, turn_gain=-0.205)
_RIGHT = ActionConfig(name='right', unit='rev/s', low=2.0, high=9.0, speed_gain=0.025, turn_gain=0.205)


class RobotConfig(Config):
    """The robot as its YAML describes it; the defaults are those of VelociRoACH."""

    name: str = param('velociroach', 'Name of the robot; a model bundle names the robot it was trained for.')
    dt: float = param(0.1, 'Control period.', unit='s', low=0.02, high=0.2)
    driver: DriverConfig = param(ImageprocConfig(), 'What carries actions to the robot, and telemetry back.')
    joints: tuple[JointConfig, ...] = param(
        (JointConfig(name='left', phase=True), JointConfig(name='right', phase=True)), 'What reports its velocity.'
    )
    effort: EffortConfig | None = param(EffortConfig(name='back_emf', unit='V'), 'What joints report of their effort.')
    battery: BatteryConfig | None = param(BatteryConfig(), 'The battery, where its voltage is reported.')
    gyro: bool = param(True, 'It reports its angular velocity; false: the estimator derives it from poses.')
    actions: tuple[ActionConfig, ...] = param((_LEFT, _RIGHT), 'What the robot is told in every control period.')
    marker_offset: tuple[float, ...] = param(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        'Marker body in the robot body: x y z [m], roll pitch yaw [rad].',
        unit='m, rad',
        length=6,
    )
    sensor_noise: SensorNoiseConfig = section(SensorNoiseConfig, 'Noise of the telemetry.')

    def __post_init__(self) -> None:
        if self.effort is not None:
            _check_name(self.effort.name, 'effort')
        named = {'joints': [each.name for each in self.joints], 'actions': [each.name for each in self.actions]}
        for kind, names in named.items():
            for number, name in enumerate(names):
                _check_name(name, kind, number)
                if name in names[:number]:
                    raise PlacedError(f'the name {name!r} is given twice', kind, number, 'name')
        if not self.actions:
            raise PlacedError('a robot needs at least one action; list them under actions', 'actions')
        if self.effort is not None and not self.joints:
            raise PlacedError('there are no joints that could report it; take it out', 'effort')
        repeated = [name for name, count in Counter(self.layout.state_names).items() if count > 1]
        if repeated:
            raise PlacedError(f'two numbers of the state are called {repeated[0]!r}; rename a joint', 'joints')
        _check_driver(self)

    @cached_property
    def layout(self) -> StateLayout:
        """Where each number of state and action stands."""
        effort = None if self.effort is None else Effort(self.effort.name, self.effort.unit)
        return StateLayout(
            tuple(Joint(joint.name, joint.phase) for joint in self.joints),
            effort,
            self.battery is not None,
            tuple(self._gained(action).action() for action in self.actions),
        )

    def _gained(self, action: ActionConfig) -> ActionConfig:
        """Let the velocity commands of the driver twist do what they say."""
        if not isinstance(self.driver, TwistConfig) or action.speed_gain or action.turn_gain:
            return action
        return replace(action, speed_gain=float(action.name == 'forward'), turn_gain=float(action.name == 'turn'))

    @property
    def action_low(self) -> FloatArray:
        """Lowest action of the range, shape (nu,)."""
        return self.layout.action_low

    @property
    def action_high(self) -> FloatArray:
        """Highest action of the range, shape (nu,)."""
        return self.layout.action_high

    @property
    def imageproc(self) -> ImageprocConfig:
        """The settings of the driver imageproc.

        Raises:
            UserError: the robot has another driver.
        """
        return self._settings(ImageprocConfig, 'imageproc')

    @property
    def dynamixel(self) -> DynamixelConfig:
        """The settings of the driver dynamixel.

        Raises:
            UserError: the robot has another driver.
        """
        return self._settings(DynamixelConfig, 'dynamixel')

    def _settings(self, driver: type[Driver], kind: str) -> Driver:
        if not isinstance(self.driver, driver):
            raise UserError(f'robot {self.name} has driver {self.driver.kind}; this needs one with driver {kind}')
        return self.driver

    @property
    def baud(self) -> int | None:
        """Speed of its serial port [bit/s]; None: it has none, as velocity commands reach it under ROS."""
        match self.driver:
            case ImageprocConfig(radio=radio):
                return radio.baud
            case DynamixelConfig(baud=baud):
                return baud
        return None

    @property
    def counts_per_ms(self) -> float:
        """Firmware velocity units of an ImageProc board per rad/s: 65.536 counts/ms is one revolution per second."""
        return self.imageproc.scales.encoder_counts / RADIANS_PER_REVOLUTION / 1000.0


def _check_driver(robot: RobotConfig) -> None:
    """Compare what the robot is said to report and to be told with what its driver carries."""
    if isinstance(robot.driver, ImageprocConfig | DynamixelConfig):
        driver = f'driver {robot.driver.kind}'
        for kind, names in (('joints', robot.layout.joints), ('actions', robot.layout.actions)):
            if [entry.name for entry in names] != ['left', 'right']:
                raise PlacedError(f'{driver} has two sides: name them left and right, in this order', kind)
        if set(robot.layout.action_units) != {'rad/s'}:
            raise PlacedError(f'{driver} takes leg rates: give the unit rev/s or rad/s', 'actions')
    if isinstance(robot.driver, DynamixelConfig) and robot.gyro:
        raise PlacedError('driver dynamixel brings no angular velocity; write gyro: false', 'gyro')
    if isinstance(robot.driver, TwistConfig):
        for kind, there in (('joints', robot.joints), ('battery', robot.battery), ('gyro', robot.gyro)):
            if there:
                raise PlacedError('driver twist brings no telemetry; take it out, or choose another driver', kind)
        for number, action in enumerate(robot.actions):
            if action.unit != TWIST_UNITS.get(action.name):
                known = ', '.join(f'{name} [{unit}]' for name, unit in TWIST_UNITS.items())
                raise PlacedError(
                    f'{action.name} [{action.unit}] is no action of driver twist; it has {known}', 'actions', number
                )


def robot_from(values: Mapping[str, Any], source: str) -> RobotConfig:
    """Make a robot of the mapping that a file or a recorded run holds, also of the form of an earlier version.

    Raises:
        UserError: a key is missing or unknown, a wrong type, a value out of range, parts that do not fit each other;
            with the line, where `source` is a YAML file.
    """
    form, line = present_form(values, source), line_finder(Path(source))
    robot = build(RobotConfig, form, source, line)
    for place, what in _limits_not_given(form):
        number = line(place)
        raise UserError(f'{source}{"" if number is None else f", line {number}"}: {what}')
    return robot


def _limits_not_given(form: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Return the place of each limit that the file leaves out, and what is missing.

    A default would be the limit of another robot, and the gate would guard that.
    """
    for number, action in enumerate(form.get('actions', ())):
        for key in ('low', 'high'):
            if isinstance(action, Mapping) and key not in action:
                yield ('actions', number), f'actions[{number}]: {key} is missing; give the range of {action["name"]}'
    battery = form.get('battery')
    if isinstance(battery, Mapping) and 'low' not in battery:
        yield ('battery',), 'battery: low is missing; give the voltage below which the robot is stopped'


def load_robot(name: str) -> RobotConfig:
    """Load a robot by its shipped name or by the path of a YAML file.

    Raises:
        UserError: no such robot, or what `robot_from` raises.
    """
    path = find('params/robots', name, '.yaml')
    return robot_from(read_yaml(path), str(path))
