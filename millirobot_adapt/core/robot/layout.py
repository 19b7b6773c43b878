"""Where each number of the state and of the action stands: the one place that knows columns.

A state is one array of nx numbers, made from the robot's description: first the pose block, which every robot has; then
what the robot measures of itself. SI units; position and velocity in the frame `world` (z up), angular velocity in the
body frame (x forward, y left, z up, REP 103), joints positive when they drive the robot forward.

    x y z [m] | vx vy vz [m/s] | cos, sin of roll, pitch, yaw | wx wy wz [rad/s]      the pose block, 15 numbers
    cos, sin of each joint's angle | velocity of each joint | effort of each joint | battery [V]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

POSE_NAMES: tuple[str, ...] = (
    'x', 'y', 'z',
    'vx', 'vy', 'vz',
    'cos_roll', 'sin_roll', 'cos_pitch', 'sin_pitch', 'cos_yaw', 'sin_yaw',
    'wx', 'wy', 'wz',
)  # fmt: skip
"""The pose block."""
POSE_UNITS: tuple[str, ...] = ('m',) * 3 + ('m/s',) * 3 + ('1',) * 6 + ('rad/s',) * 3

POSITION = slice(0, 3)
PLANE = slice(0, 2)
"""x and y of the position."""
HEIGHT = slice(2, 3)
VELOCITY = slice(3, 6)
PLANE_VELOCITY = slice(3, 5)
"""x and y of the velocity."""
TURN = slice(6, 12)
"""Cosine and sine of roll, pitch, yaw."""
HEADING = slice(10, 12)
"""Cosine and sine of yaw."""
ANGULAR_VELOCITY = slice(12, 15)
YAW_RATE = slice(14, 15)
X, Y = POSE_NAMES.index('x'), POSE_NAMES.index('y')
COS_ROLL, SIN_ROLL, COS_PITCH, SIN_PITCH, COS_YAW, SIN_YAW = range(TURN.start, TURN.stop)

SIDES = ('left', 'right')
"""Joints and actions of a robot whose name a recording does not tell: those of VelociRoACH."""

MOTION_NAMES: tuple[str, ...] = ('forward_velocity', 'lateral_velocity', 'yaw_rate')
"""What a network sees of the pose block, from the robot."""
DISPLACEMENT_NAMES: tuple[str, ...] = ('forward_displacement', 'lateral_displacement', 'yaw_change')
"""What a network predicts beside the changes of what it sees."""


@dataclass(frozen=True)
class Joint:
    """A joint, or several that turn together, that reports its velocity."""

    name: str
    phase: bool = False
    """Its angle counts, too: it turns round and round, and where it stands in its turn matters."""


@dataclass(frozen=True)
class Effort:
    """What each joint reports of its effort."""

    name: str
    unit: str


@dataclass(frozen=True)
class Action:
    """One number that the robot is told in every control period."""

    name: str
    unit: str
    """SI."""
    low: float
    high: float
    neutral: float
    """Stands still: 0, or a value in the range."""
    slew: float
    """Largest change from one that is sent to the next; infinite: no limit."""
    speed_gain: float
    """Forward speed for each unit [m/s], nominal; 0: it does not drive."""
    turn_gain: float
    """Yaw rate for each unit [rad/s], nominal; 0: it does not turn."""


@dataclass(frozen=True)
class StateLayout:
    """Names, units and places of states, actions, and of what a network sees and predicts."""

    joints: tuple[Joint, ...]
    effort: Effort | None
    """None: joints do not report it."""
    battery: bool
    """Whether the robot reports its voltage."""
    actions: tuple[Action, ...]

    # States.

    @cached_property
    def state_names(self) -> tuple[str, ...]:
        """Names of the nx numbers of a state."""
        phases = [f'{part}_{joint.name}' for joint in self.joints if joint.phase for part in ('cos', 'sin')]
        velocities = [f'{joint.name}_velocity' for joint in self.joints]
        efforts = [f'{joint.name}_{self.effort.name}' for joint in self.joints] if self.effort else []
        return (*POSE_NAMES, *phases, *velocities, *efforts, *(['battery'] if self.battery else []))

    @cached_property
    def state_units(self) -> tuple[str, ...]:
        """Their units."""
        efforts = (self.effort.unit,) * len(self.joints) if self.effort else ()
        joints = ('1',) * (2 * len(self.phased)) + ('rad/s',) * len(self.joints) + efforts
        return (*POSE_UNITS, *joints, *(['V'] if self.battery else []))

    @property
    def reports(self) -> bool:
        """Whether the robot tells anything of itself; else only motion capture sees what it does."""
        return bool(self.joints) or self.battery

    @property
    def nx(self) -> int:
        """How many numbers a state has."""
        return len(self.state_names)

    @cached_property
    def phased(self) -> tuple[int, ...]:
        """The joints, by number, whose angle is in the state."""
        return tuple(number for number, joint in enumerate(self.joints) if joint.phase)

    @cached_property
    def phase(self) -> slice:
        """Columns of cosine and sine of each angle."""
        return slice(len(POSE_NAMES), len(POSE_NAMES) + 2 * len(self.phased))

    @cached_property
    def joint_velocity(self) -> slice:
        """Columns of the mean velocity of each joint since the previous reply [rad/s]."""
        return slice(self.phase.stop, self.phase.stop + len(self.joints))

    @cached_property
    def joint_effort(self) -> slice:
        """Columns of the effort of each joint; empty without."""
        return slice(self.joint_velocity.stop, self.joint_velocity.stop + (len(self.joints) if self.effort else 0))

    @cached_property
    def battery_voltage(self) -> slice:
        """Column of the battery voltage [V]; empty without."""
        return slice(self.joint_effort.stop, self.joint_effort.stop + int(self.battery))

    def assemble(
        self,
        position: FloatArray,
        velocity: FloatArray,
        roll_pitch_yaw: FloatArray,
        angular_velocity: FloatArray,
        joint_angle: FloatArray | Sequence[float] = (),
        joint_velocity: FloatArray | Sequence[float] = (),
        effort: FloatArray | Sequence[float] = (),
        battery: float = np.nan,
    ) -> FloatArray:
        """Put one state together, shape (nx,): angles [rad] become cosine and sine; the rest is copied in its place.

        What the layout does not hold is left out; joints are in its order.
        """
        state = np.empty(self.nx)
        state[POSITION] = position
        state[VELOCITY] = velocity
        state[TURN][0::2], state[TURN][1::2] = np.cos(roll_pitch_yaw), np.sin(roll_pitch_yaw)
        state[ANGULAR_VELOCITY] = angular_velocity
        phases = np.asarray(joint_angle, dtype=float)[list(self.phased)]
        state[self.phase][0::2], state[self.phase][1::2] = np.cos(phases), np.sin(phases)
        state[self.joint_velocity] = joint_velocity
        if self.effort is not None:
            state[self.joint_effort] = effort
        state[self.battery_voltage] = battery
        return state

    # Actions.

    @cached_property
    def action_names(self) -> tuple[str, ...]:
        """Names of the nu numbers of an action."""
        return tuple(action.name for action in self.actions)

    @cached_property
    def action_units(self) -> tuple[str, ...]:
        """Their units."""
        return tuple(action.unit for action in self.actions)

    @property
    def nu(self) -> int:
        """How many numbers an action has."""
        return len(self.actions)

    @property
    def action_low(self) -> FloatArray:
        """Lowest action of the range, shape (nu,)."""
        return np.array([action.low for action in self.actions])

    @property
    def action_high(self) -> FloatArray:
        """Highest action of the range, shape (nu,)."""
        return np.array([action.high for action in self.actions])

    @property
    def neutral(self) -> FloatArray:
        """The action with which the robot stands, shape (nu,)."""
        return np.array([action.neutral for action in self.actions])

    @property
    def speed_gains(self) -> FloatArray:
        """Forward speed for each unit of each action [m/s], shape (nu,)."""
        return np.array([action.speed_gain for action in self.actions])

    @property
    def turn_gains(self) -> FloatArray:
        """Yaw rate for each unit of each action [rad/s], shape (nu,)."""
        return np.array([action.turn_gain for action in self.actions])

    def slew(self, joint_rate: float) -> FloatArray:
        """Return the largest change of each action, shape (nu,); that of a joint's velocity is `joint_rate` at most."""
        slew = np.array([action.slew for action in self.actions])
        numbers = [number for number, _ in self.followers]
        slew[numbers] = np.minimum(slew[numbers], joint_rate)
        return slew

    @cached_property
    def followers(self) -> tuple[tuple[int, int], ...]:
        """Numbers of each action that is the velocity of a joint, and of that joint: the two have one name."""
        joints = {joint.name: number for number, joint in enumerate(self.joints)}
        return tuple(
            (number, joints[action.name])
            for number, action in enumerate(self.actions)
            if action.name in joints and action.unit == 'rad/s'
        )

    def stands(self, action: Any) -> bool:
        """Return whether an action asks the robot to stand."""
        return bool(np.array_equal(np.asarray(action, dtype=float), self.neutral))

    # What a network sees and predicts.

    @cached_property
    def body_names(self) -> tuple[str, ...]:
        """What a network sees of the state, from the robot, free of place and heading."""
        return (*MOTION_NAMES, *(f'{joint.name}_velocity' for joint in self.joints))

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """What a network sees: the body and the action."""
        return (*self.body_names, *(f'{action.name}_setpoint' for action in self.actions))

    @cached_property
    def target_names(self) -> tuple[str, ...]:
        """What a network predicts: the displacement over one control period, and changes of what it sees."""
        return (*DISPLACEMENT_NAMES, *(f'{name}_change' for name in self.body_names))

    @cached_property
    def target_units(self) -> tuple[str, ...]:
        """Units of what a network predicts."""
        return ('m', 'm', 'rad', 'm/s', 'm/s', 'rad/s') + ('rad/s',) * len(self.joints)

    # In files.

    def record(self) -> dict[str, Any]:
        """Return plain values for a file; `read_layout` reads them."""
        plain: dict[str, Any] = asdict(self)
        for action in plain['actions']:
            action['slew'] = None if np.isinf(action['slew']) else action['slew']
        return plain


def read_layout(record: Mapping[str, Any]) -> StateLayout:
    """Read what `StateLayout.record` returned.

    Raises:
        ValueError: it is no such record.
    """
    try:
        actions = [
            {**action, 'slew': np.inf if action['slew'] is None else action['slew']} for action in record['actions']
        ]
        return StateLayout(
            tuple(Joint(**joint) for joint in record['joints']),
            None if record['effort'] is None else Effort(**record['effort']),
            bool(record['battery']),
            tuple(Action(**action) for action in actions),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f'not the layout of a state: {error}') from None
