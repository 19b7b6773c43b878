"""Motion capture of the mock: noisy poses of the marker body that arrive late, sometimes twice, rarely far off."""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.conditions import Condition

PERIOD = 0.01001
"""Time between two exposures [s]: 100 Hz by a clock of its own, whose phase wanders past that of the control periods.

So the newest pose is anywhere from 0 to 10 ms old when the controller asks, as it was in the lab.
"""


class Mocap:
    """Expose a frame with `expose` whenever `next_exposure` has come; hand out those that have arrived with `due`."""

    def __init__(self, robot: RobotConfig, condition: Condition, rng: np.random.Generator) -> None:
        self._known = np.array(robot.marker_offset)
        self._rng = rng
        self.take_over(condition)
        self._waiting: deque[tuple[float, PoseSample]] = deque()
        self._previous: PoseSample | None = None
        self.period = PERIOD
        """Time between two exposures from now on [s]."""
        self.next_exposure = PERIOD * rng.random()
        """When the next frame is exposed [s]."""

    def take_over(self, condition: Condition) -> None:
        """Go on under a condition: how the marker body sits, how noisy poses are."""
        self._noise = condition.mocap
        marker = self._known + condition.pose_offset
        self._marker_position = marker[:3]
        self._marker_rotation = Rotation.from_euler('ZYX', marker[:2:-1])

    def expose(self, time: float, position: FloatArray, quaternion: FloatArray) -> None:
        """Take a frame of the body at `position` [m; world], orientation xyzw, stamped `time` [s]."""
        noise = self._noise
        self.next_exposure += self.period
        repeated, jumps, delay = self._rng.random(3)
        errors = self._rng.standard_normal(9)
        arrival = time + noise.latency * delay
        if repeated < noise.repeated and self._previous is not None:
            self._waiting.append((arrival, self._previous))
            return
        body = Rotation.from_quat(quaternion)
        place = position + body.apply(self._marker_position) + noise.position * errors[:3]
        if jumps < noise.jumps:
            place = place + noise.jump_size * errors[6:9] / np.linalg.norm(errors[6:9])
        turn = body * self._marker_rotation * Rotation.from_rotvec(noise.angle * errors[3:6])
        self._previous = PoseSample(stamp=time, position=place, quaternion=turn.as_quat())
        self._waiting.append((arrival, self._previous))

    def due(self, time: float) -> list[PoseSample]:
        """Return the frames that have arrived by `time`, in the order of their exposure."""
        arrived = []
        while self._waiting and self._waiting[0][0] <= time:
            arrived.append(self._waiting.popleft()[1])
        return arrived

    def next_due(self) -> float | None:
        """Return when the next frame arrives [s], None while none is under way."""
        return self._waiting[0][0] if self._waiting else None
