"""What the robot of a recorded run looked like at any moment: position, attitude, legs, interpolated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.run_data import RunData, Series
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.sim.leg_names import LEGS
from millirobot_adapt.sim.robot_shapes import RobotShape
from millirobot_adapt.sim.scene import RobotPose

HIGHEST = 0.03
"""The body is drawn at most this much above or below the height at which it stands [m]."""


@dataclass(frozen=True)
class RecordedMotion:
    """Poses and leg angles over time, in seconds since the first tick; angles are unwrapped."""

    source: str
    """Where the poses come from: true, estimated or measured."""
    times: FloatArray
    """Of the poses, shape (N,)."""
    poses: FloatArray
    """x, y [m], yaw [rad], shape (N, 3)."""
    attitude_times: FloatArray
    attitudes: FloatArray
    """Height over the median [m], roll, pitch [rad], shape (M, 3); may be empty."""
    phase_times: FloatArray
    phases: FloatArray
    """Of the joints that turn round and round [rad], shape (L, joints); may be empty."""
    losses: tuple[tuple[float, str], ...]
    """When which leg was lost."""
    standing: float
    """Height of the body over the floor [m]."""

    def at(self, time: float) -> RobotPose:
        """Return what the robot looked like; before the first pose as then, after the last one as then."""
        x, y, yaw = _interpolated(time, self.times, self.poses)
        height, roll, pitch = _interpolated(time, self.attitude_times, self.attitudes)
        position = np.array([x, y, self.standing + np.clip(height, -HIGHEST, HIGHEST)])
        quaternion = Rotation.from_euler('ZYX', [yaw, pitch, roll]).as_quat()
        phases = _interpolated(time, self.phase_times, self.phases)
        lost = frozenset(leg for begin, leg in self.losses if begin <= time)
        return RobotPose(position, quaternion, tuple(phases.tolist()), lost)

    def walked(self, until: float) -> FloatArray:
        """Return the way until a time, x, y [m], shape (N, 2)."""
        return np.asarray(self.poses[: int(np.searchsorted(self.times, until, side='right')), :2])


def motion_of(timeline: Timeline, shape: RobotShape) -> RecordedMotion:
    """Take the best poses that the bag has: the mock's own, the estimate, or motion capture as it came.

    Raises:
        UserError: it has none.
    """
    run = timeline.run
    kinds = (('true', run.true_poses), ('estimated', run.poses), ('measured', run.mocap_poses))
    found = [(source, series) for source, series in kinds if len(timeline.within(series)) > 1]
    if not found:
        raise UserError('the bag holds no poses: neither of motion capture nor of the estimator; nothing to film')
    source, series = found[0]
    poses = timeline.within(series)
    turned = np.column_stack([poses.values[:, :2], np.unwrap(poses.values[:, 2])])
    attitude_times, attitudes = _attitudes(timeline)
    phases = _phases(run, shape)
    return RecordedMotion(
        source,
        poses.stamps,
        turned,
        attitude_times,
        attitudes,
        timeline.times(phases.stamps),
        phases.values,
        _losses(run),
        shape.standing,
    )


def _interpolated(time: float, times: FloatArray, values: FloatArray) -> FloatArray:
    """Return values at a time, shape (columns,); zeros where there are none at all."""
    if not len(times):
        return np.zeros(values.shape[1])
    return np.array([np.interp(time, times, column) for column in values.T])


def _attitudes(timeline: Timeline) -> tuple[FloatArray, FloatArray]:
    """Return height, roll and pitch of the states; the floor's own height is not known, so the median is taken off."""
    states = timeline.within(timeline.run.states)
    if not len(states):
        return np.empty(0), np.empty((0, 3))
    view = StateView(states.values)
    height = view.position[:, 2] - np.median(view.position[:, 2])
    return states.stamps, np.column_stack([height, view.roll, view.pitch])


def _phases(run: RunData, shape: RobotShape) -> Series:
    """Return phases that grow with every turn; between two states the velocity says how many turns they made."""
    count = len({number for number, _ in shape.hinges.values()})
    if len(run.layout.phased) < count or not count:
        return Series(np.empty(0), np.empty((0, count)))
    if len(run.states) < 2:
        return _integrated(run.legs)
    states = run.states.values
    phases = states[:, run.layout.phase]
    wrapped = np.arctan2(phases[:, 1::2], phases[:, 0::2])
    rates = states[:, run.layout.joint_velocity][:, list(run.layout.phased)]
    steps = np.diff(run.states.stamps)[:, None] * (rates[:-1] + rates[1:]) / 2
    # The turn nearest to what the velocity says, exact in its angle.
    off = np.diff(wrapped, axis=0) - steps
    turns = steps + (off + np.pi) % (2 * np.pi) - np.pi
    return Series(run.states.stamps, np.vstack([wrapped[:1], wrapped[:1] + np.cumsum(turns, axis=0)]))


def _integrated(legs: Series) -> Series:
    """Integrate leg velocities; the first angle is unknown and taken as zero."""
    if not len(legs):
        return Series(np.empty(0), np.empty((0, 2)))
    steps = np.diff(legs.stamps)[:, None] * (legs.values[:-1] + legs.values[1:]) / 2
    return Series(legs.stamps, np.vstack([np.zeros((1, 2)), np.cumsum(steps, axis=0)]))


def _losses(run: RunData) -> tuple[tuple[float, str], ...]:
    """Return when the mock lost which leg, as its faults say."""
    return tuple(
        (fault.received - run.origin, leg)
        for fault in run.walk_faults
        for leg in LEGS
        if leg in fault.values.get('missing_legs', '')
    )
