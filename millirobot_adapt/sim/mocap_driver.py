"""The driver of motion capture: hands frames on as they are, or as drivers and cameras do on bad days."""

from __future__ import annotations

import heapq
import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.robot.samples import PoseSample
from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.sim.mocap import PERIOD, Mocap

HELD_BACK = 0.025
"""How much later a frame comes that the next ones overtake [s]."""
STRAY_DISTANCE = (0.1, 1.0)
"""How far away a stray point is [m]."""
Y_UP = Rotation.from_euler('x', -90, degrees=True)
"""Turns the axes of a z-up world into those of a world whose y points up."""
MIRROR = np.array([1.0, -1.0, 1.0])


class MocapDriver:
    """Frames of a camera, with faults (`FAULT_KINDS`, `mocap.*`); times are the world's [s].

    Without a fault every frame passes unchanged, at the time at which the camera hands it out.
    """

    def __init__(self, camera: Mocap, rng: np.random.Generator) -> None:
        """Draw from `rng` only where a fault needs chance."""
        self._camera = camera
        self._rng = rng
        self._faults: dict[str, Any] = {}
        self._queue: list[tuple[float, int, PoseSample]] = []
        self._order = 0
        self._frames = 0
        self._last: PoseSample | None = None
        self._held: PoseSample | None = None
        self._other: PoseSample | None = None
        self._since: dict[str, float] = {}
        self._burst_at = 0.0
        self._time = 0.0
        self.clock_step = 0.0
        """How far the clock of motion capture is ahead of the host's [s]."""

    def begin(self, kind: str, value: Any) -> None:
        """Let a fault begin; see `Target`."""
        self._faults[kind] = value
        self._since[kind] = self._time
        if kind == 'rate':
            self._camera.period = 1.0 / value
        elif kind == 'bursts':
            self._burst_at = self._time + value
        elif kind in ('freeze', 'hold'):
            self._held = self._last
        elif kind in ('two_bodies', 'other_body'):
            self._other = None

    def end(self, kind: str) -> None:
        """End a fault that lasts."""
        self._faults.pop(kind, None)
        if kind == 'rate':
            self._camera.period = PERIOD

    @property
    def frame_id(self) -> str | None:
        """Frame that the messages name; None: the right one."""
        return 'map' if 'frame_id' in self._faults else None

    def due(self, now: float) -> list[PoseSample]:
        """Return the poses that reach the host by `now`, in the order of their arrival."""
        for frame in self._camera.due(now):
            self._time = max(self._time, frame.stamp)
            self._take(frame, now)
        self._time = max(self._time, now)
        arrived = []
        while self._queue and self._queue[0][0] <= now:
            arrival, _, pose = heapq.heappop(self._queue)
            if 'bursts' in self._faults:
                pose = replace(pose, stamp=arrival)
            arrived.append(replace(pose, stamp=pose.stamp + self.clock_step) if self.clock_step else pose)
        return arrived

    def next_due(self) -> float | None:
        """Return when the next pose may arrive [s], None while none is under way."""
        waiting = [self._queue[0][0]] if self._queue else []
        exposed = self._camera.next_due()
        return min(waiting + ([] if exposed is None else [exposed]), default=None)

    def _take(self, frame: PoseSample, now: float) -> None:
        faults = self._faults
        self._frames += 1
        if 'stop' in faults:
            return
        pose = self._repeated(frame) if self._held is not None else self._seen(frame)
        pose = self._told(pose)
        if 'stray_stamp' in faults:
            pose = replace(pose, stamp=pose.stamp + faults.pop('stray_stamp'))
        self._last = pose
        for _ in range(2 if 'twice' in faults else 1):
            self._order += 1
            heapq.heappush(self._queue, (self._arrival(frame, now), self._order, pose))

    def _repeated(self, frame: PoseSample) -> PoseSample:
        """Return the pose that is held, under its old or a fresh stamp; let go of it when the fault is over."""
        assert self._held is not None
        if 'hold' in self._faults:
            return self._held
        if 'freeze' in self._faults:
            return replace(self._held, stamp=frame.stamp)
        self._held = None
        return self._seen(frame)

    def _seen(self, frame: PoseSample) -> PoseSample:
        """Return what the cameras take for the body."""
        faults, position, quaternion = self._faults, frame.position, frame.quaternion
        if 'other_body' in faults:
            position, quaternion = self._other_body(frame, faults['other_body'])
        if 'two_bodies' in faults and self._frames % 2:
            position, quaternion = self._other_body(frame, faults['two_bodies'])
        if 'strays' in faults and self._rng.random() < faults['strays']:
            direction = self._rng.standard_normal(3)
            position = position + self._rng.uniform(*STRAY_DISTANCE) * direction / np.linalg.norm(direction)
        if 'creep' in faults:
            position = position + np.array([faults['creep'] * (frame.stamp - self._since['creep']), 0.0, 0.0])
        if 'swap' in faults:
            quaternion = (Rotation.from_quat(quaternion) * Rotation.from_euler('z', faults['swap'])).as_quat()
        return replace(frame, position=position, quaternion=quaternion)

    def _other_body(self, frame: PoseSample, distance: float) -> tuple[FloatArray, FloatArray]:
        """Return position and orientation of a body that stood to the left of ours when the fault began."""
        self._other = self._other or frame
        left = Rotation.from_quat(self._other.quaternion).apply([0.0, distance, 0.0])
        return self._other.position + left, self._other.quaternion

    def _told(self, pose: PoseSample) -> PoseSample:
        """Return the pose as the driver writes it."""
        faults, position, quaternion = self._faults, pose.position, pose.quaternion
        if 'y_up' in faults:
            position, quaternion = Y_UP.apply(position), (Y_UP * Rotation.from_quat(quaternion)).as_quat()
        if 'mirrored' in faults:
            position = position * MIRROR
            quaternion = quaternion * np.array([-1.0, 1.0, -1.0, 1.0])
        if 'zeros' in faults:
            position, quaternion = np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])
        if 'nan' in faults:
            position, quaternion = np.full(3, math.nan), np.full(4, math.nan)
        if 'zero_quaternion' in faults:
            quaternion = np.zeros(4)
        if 'sign_flips' in faults and self._rng.random() < faults['sign_flips']:
            quaternion = -quaternion
        return replace(pose, position=position, quaternion=quaternion)

    def _arrival(self, frame: PoseSample, now: float) -> float:
        """Return when a frame that the camera hands out now reaches the host [s]."""
        faults = self._faults
        arrival = max(now, frame.stamp + faults['latency']) if 'latency' in faults else now
        if 'late_frames' in faults and self._rng.random() < faults['late_frames']:
            arrival += HELD_BACK
        if 'bursts' in faults:
            while self._burst_at < now:
                self._burst_at += faults['bursts']
            arrival = self._burst_at
        return arrival
