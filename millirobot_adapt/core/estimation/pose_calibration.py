"""Find how the marker body sits on the robot from straight walks: yaw by the course over ground, the rest by level.

A robot that is told to go straight ahead moves along its own x axis and is level on the mean. So over a stretch

    (1)  measured yaw - course = yaw offset - lever * turn / distance + noise
    (2)  measured roll, pitch  = roll, pitch offset + noise

The lever is how far the marker body stands ahead of the point about which the robot turns [m]: in a turn that point
follows the body's axis, and what stands ahead of it does not. Stretches in which the robot is told to turn are left
out, by the nominal gains of its actions; (1) takes care of the turning that is left.

What walking cannot tell: a body that its gait carries tilted or crabwise, and a floor that is not level. They end up in
the offset: afterwards 'level' is how the robot walks. The phase between its sides is another after each start and sets
part of that, so walk several times and in several directions; the uncertainty is the spread between those walks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.geometry import roll_pitch_yaw, wrap
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

LENGTH = 0.5
"""Length of a stretch [s]: several strides."""
STRAIGHT = 0.82
"""Sharpest curve that the mean setpoint of a stretch may ask for [rad/m]; VelociRoACH: sides that differ by a tenth of
their sum."""
SHORTEST = 0.05
"""Shortest distance walked in a stretch [m]; noise and stride turn the course of shorter ones."""
FASTEST = 3.0
"""A step between two poses at a higher speed is a jump of motion capture [m/s]."""
PAUSE = 0.3
"""Poses or setpoints further apart do not belong to one stretch [s]."""
FEWEST = 8
"""This many stretches must be there for a calibration."""
OUTLIER = 4.0
"""Stretches further off than this many robust standard deviations are left out: swapped markers, a robot that slid."""
STOP = 1.5
"""Stretches that begin further apart belong to two walks [s]: the robot stood, turned, or was put back."""
FEW_WALKS = 4
"""Fewer walks tell nothing of how much one differs from the next; then their parts must serve..."""
BLOCK = 5.0
"""... of this length [s]."""
RESAMPLES = 400


@dataclass(frozen=True)
class Recording:
    """What was seen and sent while the robot walked, in the order of time."""

    stamps: FloatArray
    """Of the poses [s], shape (N,)."""
    positions: FloatArray
    """Of the marker body [m; world], shape (N, 3)."""
    quaternions: FloatArray
    """Orientation xyzw of the marker body, shape (N, 4)."""
    sent_stamps: FloatArray
    """Of the setpoints [s], shape (M,)."""
    sent: FloatArray
    """Actions sent, shape (M, nu)."""
    layout: StateLayout
    """Of the robot: what its actions do."""


@dataclass(frozen=True)
class StraightSegment:
    """A short piece of straight walking."""

    start: float
    """[s]."""
    drift: float
    """Measured yaw minus course [rad]."""
    turn: float
    """Change of yaw over distance walked [rad/m]."""
    tilt: FloatArray
    """Mean measured roll and pitch [rad], shape (2,)."""
    height: float
    """Mean height of the marker body [m; world]."""


@dataclass(frozen=True)
class MarkerOffset:
    """How the marker body sits in the robot body; each value with its standard error."""

    roll: tuple[float, float]
    """[rad]."""
    pitch: tuple[float, float]
    """[rad]."""
    yaw: tuple[float, float]
    """[rad]."""
    height: tuple[float, float]
    """Of the marker body above the floor [m], not above the robot's body."""
    lever: tuple[float, float]
    """Distance of the marker body ahead of the point about which the robot turns [m]."""
    walks: int
    """Walks, between which the robot stood, turned or was put back."""
    stretches: int
    """Stretches used."""
    outliers: int
    """Straight stretches left out."""


def calibrate_pose(recording: Recording) -> MarkerOffset:
    """Estimate the offset from the straight stretches; equal recordings give equal results.

    The standard errors are those of a bootstrap over walks.

    Raises:
        UserError: there are too few straight stretches.
    """
    found = list(straight_segments(recording))
    if len(found) < FEWEST:
        raise UserError(
            f'{len(found)} straight stretches of {LENGTH:g} s, {FEWEST} are needed; '
            'drive straight ahead for at least ten seconds (nominally, by speed_gain and turn_gain of its actions)'
        )
    used = _without_outliers(found)
    walks = _walks(used)
    values, errors = _fit(used), _standard_errors(walks if len(walks) >= FEW_WALKS else _parts(used))
    roll, pitch, yaw, height, lever = (
        (float(value), float(error)) for value, error in zip(values, errors, strict=True)
    )
    outliers = len(found) - len(used)
    return MarkerOffset(roll, pitch, yaw, height, lever, len(walks), len(used), outliers)


def straight_segments(recording: Recording) -> Iterator[StraightSegment]:
    """Yield the stretches on which the robot was told to go straight and motion capture did not jump."""
    for start in np.arange(recording.stamps[0], recording.stamps[-1], LENGTH):
        poses = slice(*np.searchsorted(recording.stamps, [start, start + LENGTH]))
        sent = slice(*np.searchsorted(recording.sent_stamps, [start, start + LENGTH]))
        setpoints = recording.sent[sent]
        if (
            _unbroken(recording.stamps[poses])
            and _unbroken(recording.sent_stamps[sent])
            and _straight(setpoints, recording.layout)
        ):
            stretch = _stretch(recording.stamps[poses], recording.positions[poses], recording.quaternions[poses])
            if stretch is not None:
                yield stretch


def _unbroken(stamps: FloatArray) -> bool:
    return bool(len(stamps) > 2 and stamps[-1] - stamps[0] > LENGTH - PAUSE and np.diff(stamps).max() < PAUSE)


def _straight(sent: FloatArray, layout: StateLayout) -> bool:
    """Return whether actions, shape (M, nu), drive ahead, do not turn on the mean, and ask for nothing else."""
    speed, turn = sent @ layout.speed_gains, sent @ layout.turn_gains
    other = (layout.speed_gains == 0.0) & (layout.turn_gains == 0.0)
    ahead = (speed > 0.0).all() and (sent[:, other] == layout.neutral[other]).all()
    return bool(ahead and abs(turn.mean()) <= STRAIGHT * speed.mean())


def _stretch(stamps: FloatArray, positions: FloatArray, quaternions: FloatArray) -> StraightSegment | None:
    """Describe a stretch, or return None where the robot hardly moved or motion capture jumped."""
    moved = positions[-1, :2] - positions[0, :2]
    distance = float(np.hypot(*moved))
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    if distance < SHORTEST or np.any(steps > FASTEST * np.maximum(np.diff(stamps), 0.01)):
        return None
    roll, pitch, yaw = roll_pitch_yaw(quaternions).T
    yaw = np.unwrap(yaw)
    return StraightSegment(
        start=float(stamps[0]),
        # The chord of an arc has the direction of its middle, which is that of its mean.
        drift=float(wrap(yaw.mean() - np.arctan2(moved[1], moved[0]))),
        turn=float(yaw[-1] - yaw[0]) / distance,
        tilt=np.array([_mean_angle(roll), _mean_angle(pitch)]),
        height=float(positions[:, 2].mean()),
    )


def _mean_angle(angles: FloatArray) -> float:
    return float(np.arctan2(np.sin(angles).mean(), np.cos(angles).mean()))


def _without_outliers(stretches: Sequence[StraightSegment]) -> list[StraightSegment]:
    """Leave out the stretches whose drift or tilt is far from the median."""
    values = np.array([[stretch.drift, *stretch.tilt] for stretch in stretches])
    # Angles are judged relative to their mean direction, so that an offset of half a turn is no special case.
    values = wrap(values - np.apply_along_axis(_mean_angle, 0, values))
    distance = np.abs(values - np.median(values, axis=0))
    deviation = 1.4826 * np.median(distance, axis=0)  # of a normal distribution
    kept = np.all(distance <= OUTLIER * deviation, axis=1)
    return [stretches[i] for i in np.flatnonzero(kept).tolist()]


def _walks(stretches: Sequence[StraightSegment]) -> list[list[StraightSegment]]:
    walks: list[list[StraightSegment]] = []
    for stretch in stretches:
        if not walks or stretch.start - walks[-1][-1].start > STOP:
            walks.append([])
        walks[-1].append(stretch)
    return walks


def _parts(stretches: Sequence[StraightSegment]) -> list[list[StraightSegment]]:
    return [list(part) for _, part in groupby(stretches, key=lambda stretch: int(stretch.start / BLOCK))]


def _standard_errors(blocks: Sequence[Sequence[StraightSegment]]) -> FloatArray:
    """Return the spread of the fit over resampled blocks, shape (5,)."""
    rng = generator(0, len(blocks))
    fits = []
    for _ in range(RESAMPLES):
        picked = rng.integers(len(blocks), size=len(blocks)).tolist()
        fits.append(_fit([stretch for block in picked for stretch in blocks[block]]))
    return np.asarray(np.std(fits, axis=0))


def _fit(stretches: Sequence[StraightSegment]) -> FloatArray:
    """Solve (1) and (2) by least squares; return roll, pitch, yaw offset [rad], height and lever [m], shape (5,)."""
    drift = np.array([stretch.drift for stretch in stretches])
    turn = np.array([stretch.turn for stretch in stretches])
    middle = _mean_angle(drift)
    design = np.column_stack([np.ones_like(turn), -turn])
    offset, lever = np.linalg.lstsq(design, wrap(drift - middle), rcond=None)[0]
    roll, pitch = (_mean_angle(tilt) for tilt in np.array([stretch.tilt for stretch in stretches]).T)
    height = float(np.mean([stretch.height for stretch in stretches]))
    return np.array([roll, pitch, float(wrap(middle + offset)), height, lever])
