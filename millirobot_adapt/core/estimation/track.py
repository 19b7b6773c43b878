"""The last measurements in the order of their stamps, whatever order they arrived in, and the motion after each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from millirobot_adapt.core.estimation.motion import Measured, Motion, MotionModel
from millirobot_adapt.core.estimation.pose_input import BodyPose


class Step(NamedTuple):
    """One measurement and the motion corrected by it."""

    measured: Measured
    motion: Motion


class Track:
    """Filter measurements in order; one that comes late is put in its place and those after it are filtered again."""

    def __init__(self, model: MotionModel, memory: float, start: BodyPose) -> None:
        """Start at a pose; measurements older than `memory` [s] before the newest are forgotten."""
        self._model = model
        self._memory = memory
        self._steps = [Step(start, model.start(start))]
        self.newest_pose = start

    @property
    def oldest_stamp(self) -> float:
        """Return the time from which on the motion is known [s]."""
        return self._steps[0].motion.stamp

    def newest_first(self) -> Iterator[Motion]:
        """Yield the motions backwards in time."""
        return (step.motion for step in reversed(self._steps))

    def before(self, stamp: float) -> Motion:
        """Return the last motion up to `stamp`, which must not be before `oldest_stamp`."""
        return self._steps[self._place(stamp) - 1].motion

    def pose_before(self, stamp: float) -> BodyPose | None:
        """Return the last measured pose up to `stamp`, or None if it is forgotten."""
        if self.newest_pose.stamp <= stamp:
            return self.newest_pose
        for step in reversed(self._steps[: self._place(stamp)]):
            if isinstance(step.measured, BodyPose):
                return step.measured
        return None

    def insert(self, measured: Measured) -> None:
        """Take a measurement that is not before `oldest_stamp`."""
        place = self._place(measured.stamp)
        later = [step.measured for step in self._steps[place:]]
        del self._steps[place:]
        for each in (measured, *later):
            self._steps.append(Step(each, self._model.correct(self._steps[-1].motion, each)))
        if isinstance(measured, BodyPose) and measured.stamp > self.newest_pose.stamp:
            self.newest_pose = measured
        self._forget()

    def withdraw(self, pose: BodyPose) -> None:
        """Forget a measured pose, unless it is the oldest measurement."""
        for place in range(len(self._steps) - 1, 0, -1):
            if self._steps[place].measured is pose:
                later = [step.measured for step in self._steps[place + 1 :]]
                del self._steps[place:]
                for each in later:
                    self._steps.append(Step(each, self._model.correct(self._steps[-1].motion, each)))
                break
        else:
            return
        if self.newest_pose is pose:
            poses = (step.measured for step in reversed(self._steps) if isinstance(step.measured, BodyPose))
            self.newest_pose = next(poses, pose)

    def _place(self, stamp: float) -> int:
        """Return how many measurements are not after `stamp`."""
        place = len(self._steps)
        while place > 0 and self._steps[place - 1].measured.stamp > stamp:
            place -= 1
        return place

    def _forget(self) -> None:
        oldest = self._steps[-1].motion.stamp - self._memory
        while len(self._steps) > 2 and self._steps[1].motion.stamp <= oldest:
            del self._steps[0]
