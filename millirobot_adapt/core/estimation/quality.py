"""How far the pose in a state can be trusted: decided once, by the estimator, and carried along with the state.

Gate, controller, teleop and report read this and nothing else; that raw messages are fresh is no evidence.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from millirobot_adapt.core.robot.state import FloatArray


class PoseFault(enum.IntEnum):
    """Why motion capture was not used last; 0 while it is."""

    NONE = 0
    NO_POSE = 1
    INVALID = 2
    FROZEN = 3
    JUMPED = 4
    CLOCK = 5
    FRAME = 6
    AXES = 7
    UNCERTAIN = 8

    @property
    def words(self) -> str:
        """Say it for people."""
        return _WORDS[self]

    @property
    def fix(self) -> str:
        """Say what to do about it; empty where nothing is wrong."""
        return _FIXES[self]


_WORDS = {
    PoseFault.NONE: 'poses are used',
    PoseFault.NO_POSE: 'no pose arrives',
    PoseFault.INVALID: 'poses are not finite, all zero, or have no orientation',
    PoseFault.FROZEN: 'the pose stands still while the robot moves',
    PoseFault.JUMPED: 'poses disagree with the motion: another body, or a jump',
    PoseFault.CLOCK: 'the clock of motion capture does not agree with the clock of this computer',
    PoseFault.FRAME: 'poses are in another frame than world',
    PoseFault.AXES: 'the axes of motion capture do not fit gyro and gravity',
    PoseFault.UNCERTAIN: 'too few poses agree with each other to begin again',
}


_FIXES = {
    PoseFault.NONE: '',
    PoseFault.NO_POSE: 'is motion capture running, and the robot in its view?',
    PoseFault.INVALID: 'the tracker has lost the body: put it back into view',
    PoseFault.FROZEN: 'the tracker has lost the body and repeats its last pose: put it back into view',
    PoseFault.JUMPED: 'let only the robot publish on the topic; check its markers',
    PoseFault.CLOCK: 'synchronise the clocks, or set the parameter clock_offset',
    PoseFault.FRAME: 'let the driver publish in the frame world',
    PoseFault.AXES: 'z must be up, x ahead, y to the left, in a right-handed frame; check marker_offset',
    PoseFault.UNCERTAIN: 'wait, or let the robot rest in view',
}


@dataclass(frozen=True)
class StateQuality:
    """What the estimator knows of its own pose."""

    pose_age: float
    """From the last accepted pose to the stamp of the state [s]; inf before the first.

    A pose counts from its exposure, or from its arrival where its stamp claims a later time. Accepted is one that fits
    the motion while nothing stands against motion capture as a whole; after a loss several in a row are needed.
    """
    position_sd: float
    """Standard deviation of the position on the floor, the larger axis [m]."""
    heading_sd: float
    """Standard deviation of the yaw angle [rad]."""
    coasting: bool
    """The pose is carried on by gyro and legs alone."""
    fault: PoseFault = PoseFault.NONE


UNKNOWN_POSE = StateQuality(math.inf, math.inf, math.inf, coasting=True, fault=PoseFault.NO_POSE)
"""Where there is no estimate."""


@dataclass(frozen=True)
class StateSample:
    """The robot's state s_k at the stamp of one reply, with its quality.

    Without an estimate pose and velocity are NaN, and `quality` says why.
    """

    index: int
    """Counts the robot's replies, as the reply that it answers does."""
    stamp: float
    """When the robot sampled it [s since the epoch]."""
    state: FloatArray
    """Shape (nx,), in the order of core/robot/state.py."""
    quality: StateQuality
