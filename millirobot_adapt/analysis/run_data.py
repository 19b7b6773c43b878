"""Turn a bag into arrays: what a report, a summary and a plot of a run are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from millirobot_adapt.contract.messages import StateGatherer, joint_values, quaternion, reference_path, seconds
from millirobot_adapt.contract.state_codec import decode_state
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import (
    BACK_EMF,
    BATTERY,
    BRIDGE_STATE,
    CONTROLLER_STATE,
    FAULT,
    IMU,
    LEGS,
    MANAGER_STATE,
    MOCAP_POSE,
    ODOMETRY,
    PARAMETER_EVENTS,
    REFERENCE,
    SENT,
    SETPOINT,
    STATE,
    TICK,
    TRUE_POSE,
)
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.recording.live_changes import LiveChange, live_changes
from millirobot_adapt.recording.reader import Bag
from millirobot_adapt.recording.run_setup import known_robot


@dataclass(frozen=True)
class Series:
    """Values over time."""

    stamps: FloatArray
    """[s since the epoch], shape (N,)."""
    values: FloatArray
    """Shape (N, ...)."""

    def __len__(self) -> int:
        return len(self.stamps)


@dataclass(frozen=True)
class NodeStatus:
    """One DiagnosticStatus: a state of the bridge, the controller or the manager, or a fault that began."""

    received: float
    """[s since the epoch]."""
    name: str
    text: str
    level: int
    values: Mapping[str, str]


def spoken(status: NodeStatus) -> str:
    """Return the text of a fault, or its name, as words."""
    return (status.text or status.name).replace('_', ' ')


@dataclass(frozen=True)
class RunData:
    """All data of a run; what the bag does not hold is empty or None."""

    start: float
    """Receive time of the first message [s since the epoch]."""
    end: float
    """Receive time of the last message [s since the epoch]."""
    states: Series
    """What the estimator published; of older bags, odometry and telemetry of equal stamps. Values (N, nx)."""
    poses: Series
    """The estimate alone: x, y [m], yaw [rad], values (N, 3)."""
    true_poses: Series
    """The mock's own pose: x, y [m], yaw [rad], values (N, 3)."""
    mocap: Series
    """Age of each pose of motion capture when it was received [s], values (N,); each stamp once. See `mocap_clock`."""
    sent: Series
    """Actions, values (N, nu)."""
    setpoints: Series
    """Actions, values (N, nu)."""
    legs: Series
    """Mean velocity of each joint [rad/s], values (N, joints)."""
    ticks: tuple[TickRecord, ...]
    references: tuple[tuple[float, ReferencePath], ...]
    """Reference paths in the order of receipt, each with its time [s since the epoch]; repeated ones once."""
    faults: tuple[NodeStatus, ...]
    bridge: tuple[NodeStatus, ...]
    controller: tuple[NodeStatus, ...]
    lost: Mapping[str, int]
    """Messages that were published but never came to the recorder, by full topic name."""
    layout: StateLayout = RobotConfig().layout
    """Where the numbers of states and actions stand."""
    unknown_robot: str = ''
    """Why this version does not know the robot of the bag; then `layout` is VelociRoACH's. Empty: it does."""
    changes: tuple[LiveChange, ...] = ()
    """Parameters that were set on the way, in the order of receipt."""
    manager: tuple[NodeStatus, ...] = ()
    mocap_poses: Series = field(default_factory=lambda: Series(np.empty(0), np.empty((0, 3))))
    """The marker body as motion capture saw it: x, y [m], yaw [rad], values (N, 3)."""
    mocap_repeats: int = 0
    """Poses of motion capture that came again with a stamp that was there already."""
    mocap_clock: float = 0.0
    """By how much the stamps of motion capture were behind those of the bag, where that is more than latency [s].

    Then `mocap.stamps` are brought forward by it, and the ages are not known (NaN)."""

    @property
    def reference(self) -> ReferencePath | None:
        """Return the newest reference path; None where there was none."""
        return self.references[-1][1] if self.references else None

    def column(self, name: str) -> FloatArray:
        """Return one number of every tick record, shape (ticks,)."""
        return np.array([getattr(tick, name) for tick in self.ticks], dtype=float)

    @property
    def origin(self) -> float:
        """Return what plots call time zero [s since the epoch]: the first tick of the run, else the first message."""
        return self.ticks[0].stamp if self.ticks else self.start

    @property
    def walk_end(self) -> float:
        """Return when the walk ended [s since the epoch]: the last tick, or the last message where there are none."""
        return self.ticks[-1].stamp if self.ticks else self.end

    @property
    def walk_faults(self) -> tuple[NodeStatus, ...]:
        """Return the faults that began before the walk had ended; the robot did not feel the others."""
        return tuple(fault for fault in self.faults if fault.received <= self.walk_end)

    @property
    def walked(self) -> float:
        """Return how long the robot walked [s]: from each running tick to the next, pauses and stops left out."""
        if not self.ticks:
            return self.end - self.start
        steps = np.diff(self.column('stamp'))
        counted = steps[(self.column('running')[:-1] > 0) & (steps < LONGEST_TICK)]
        return float(counted.sum() + (np.median(counted) if len(counted) else 0.0))


LONGEST_TICK = 1.0
"""Ticks that are further apart do not belong to one walk [s]."""
OTHER_CLOCK = 1.0
"""Poses that are this much older or younger than their receipt, in the median, were stamped by another clock [s]."""
_STATUSES = (FAULT, BRIDGE_STATE, CONTROLLER_STATE, MANAGER_STATE)


@dataclass
class _Collected:
    """Lists that grow while the bag is read."""

    robot: RobotConfig
    gatherer: StateGatherer
    rows: dict[str, list[tuple[float, Any]]]
    joined: list[tuple[float, Any]] = field(default_factory=list)
    """States put together from odometry and telemetry: all there is in bags without the topic `state`."""
    ticks: list[TickRecord] = field(default_factory=list)
    statuses: dict[str, list[NodeStatus]] = field(default_factory=lambda: {topic.name: [] for topic in _STATUSES})
    changes: list[LiveChange] = field(default_factory=list)
    shape: str = 'reference'
    references: list[tuple[float, ReferencePath]] = field(default_factory=list)

    def add(self, topic: str, message: Any, received: float) -> None:
        """Sort one message into its list."""
        if topic in (LEGS.name, IMU.name, BATTERY.name, BACK_EMF.name, ODOMETRY.name):
            state = self.gatherer.add(topic, message)
            if state is not None:
                self.joined.append(state)
        if topic in _VELOCITIES:
            layout = self.robot.layout
            names = [joint.name for joint in layout.joints] if topic == LEGS.name else layout.action_names
            self.rows[_VELOCITIES[topic]].append((seconds(message.header.stamp), joint_values(message, names)))
        elif topic == STATE.name:
            sample = decode_state(message.data)
            if len(sample.state) != self.robot.layout.nx:
                raise ValueError('a state of another robot')
            if np.isfinite(sample.state).all():
                self.rows['states'].append((sample.stamp, sample.state))
        elif topic == ODOMETRY.name:
            self.rows['poses'].append((seconds(message.header.stamp), _planar(message.pose.pose)))
        elif topic == MOCAP_POSE.name:
            stamp = seconds(message.header.stamp)
            self.rows['mocap'].append((stamp, received - stamp))
            self.rows['mocap_poses'].append((stamp, _planar(message.pose)))
        elif topic == TRUE_POSE.name:
            self.rows['true_poses'].append((seconds(message.header.stamp), _planar(message.pose)))
        elif topic == TICK.name:
            self.ticks.append(decode_tick(np.asarray(message.data)))
        elif topic == REFERENCE.name:
            path = reference_path(message, self.shape)
            if not self.references or not np.array_equal(path.waypoints, self.references[-1][1].waypoints):
                self.references.append((received, path))
        elif topic == PARAMETER_EVENTS.name:
            self.changes += live_changes(message, received)
        elif topic in self.statuses:
            self.statuses[topic].append(_status(message, received))


_VELOCITIES = {SENT.name: 'sent', SETPOINT.name: 'setpoints', LEGS.name: 'legs'}

_TOPICS = (
    MOCAP_POSE, STATE, ODOMETRY, LEGS, IMU, BATTERY, BACK_EMF, TRUE_POSE, SENT, SETPOINT, TICK, REFERENCE, *_STATUSES,
    PARAMETER_EVENTS,
)  # fmt: skip


def _shapes(layout: StateLayout) -> dict[str, tuple[int, ...]]:
    """Return the shape of one value of each series."""
    return {
        'states': (layout.nx,), 'poses': (3,), 'true_poses': (3,), 'mocap_poses': (3,), 'mocap': (),
        'sent': (layout.nu,), 'setpoints': (layout.nu,), 'legs': (len(layout.joints),),
    }  # fmt: skip


def read_run_data(bag: Bag, shape: str = 'reference') -> RunData:
    """Read a whole bag into arrays; a message whose content makes no sense is left out with a warning.

    Args:
        bag: The bag.
        shape: Name of the reference path, which chooses the weights of the executed cost.

    Raises:
        UserError: nothing in the bag is readable.
    """
    robot, unknown = known_robot(bag)
    shapes = _shapes(robot.layout)
    collected = _Collected(robot, StateGatherer(robot), {name: [] for name in shapes}, shape=shape)
    start, end = float('inf'), float('-inf')
    for topic, message, received in bag.messages(_TOPICS):
        start, end = min(start, received), max(end, received)
        try:
            collected.add(topic, message, received)
        except (ValueError, IndexError, UserError):
            bag.broken[topic] += 1
    if start > end:
        raise UserError(f'{bag.path}: holds none of the topics of a run')
    collected.rows['states'] = collected.rows['states'] or collected.joined
    series = {name: _series(rows, shapes[name]) for name, rows in collected.rows.items()}
    poses = len(series['mocap'])
    series['mocap'] = _distinct(series['mocap'])
    repeats = poses - len(series['mocap'])
    series['mocap'], clock = _on_our_clock(series['mocap'])
    series['mocap_poses'] = _distinct(series['mocap_poses'])
    series['mocap_poses'] = Series(series['mocap_poses'].stamps + clock, series['mocap_poses'].values)
    return RunData(
        start=start,
        end=end,
        ticks=tuple(sorted(collected.ticks, key=lambda tick: tick.tick)),
        references=tuple(collected.references),
        faults=tuple(collected.statuses[FAULT.name]),
        bridge=tuple(collected.statuses[BRIDGE_STATE.name]),
        controller=tuple(collected.statuses[CONTROLLER_STATE.name]),
        lost=dict(bag.losses.lost),
        layout=robot.layout,
        unknown_robot=unknown,
        changes=tuple(collected.changes),
        manager=tuple(collected.statuses[MANAGER_STATE.name]),
        mocap_repeats=repeats,
        mocap_clock=clock,
        **series,
    )


def _distinct(series: Series) -> Series:
    """Keep the first value of each stamp."""
    stamps, first = np.unique(series.stamps, return_index=True)
    return Series(stamps, series.values[first])


def _on_our_clock(ages: Series) -> tuple[Series, float]:
    """Bring stamps of another clock to that of the bag; returns the series and by how much it was behind [s]."""
    offset = float(np.median(ages.values)) if len(ages) else 0.0
    if abs(offset) < OTHER_CLOCK:
        return ages, 0.0
    return Series(ages.stamps + offset, np.full(len(ages), np.nan)), offset


def _planar(pose: Any) -> FloatArray:
    yaw = roll_pitch_yaw(quaternion(pose.orientation))[2]
    return np.array([pose.position.x, pose.position.y, yaw])


def _status(message: Any, received: float) -> NodeStatus:
    values = {pair.key: pair.value for pair in message.values}
    level = message.level if isinstance(message.level, int) else int.from_bytes(message.level, 'little')
    return NodeStatus(received, message.name, message.message, level, values)


def _series(rows: list[tuple[float, Any]], shape: tuple[int, ...]) -> Series:
    rows = sorted(rows, key=lambda row: row[0])
    return Series(
        np.array([stamp for stamp, _ in rows], dtype=float),
        np.array([value for _, value in rows], dtype=float).reshape(len(rows), *shape),
    )
