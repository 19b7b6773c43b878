"""Follow a path without a model: pure pursuit for a differential drive, the yardstick of every method that learns.

Coulter, "Implementation of the Pure Pursuit Path Tracking Algorithm", CMU-RI-TR-92-01: steer along the arc that leads
to a point of the path some way ahead; its curvature is 2 y / L^2, where y is how far the point lies to the left and L
how far it is away. The nominal gains in the robot's description turn speed and yaw rate into actions, the
same under every condition.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.control.steering import Steering
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.planning.tracking import PathTracker
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.state import StateView

STANDSTILL = 0.01
"""Below this displacement [m] the course is unknown and yaw stands in."""


class PathFollowerConfig(Config):
    """How the path follower steers."""

    look_ahead: float = param(0.15, 'How far ahead along the path it aims.', unit='m', low=0.01, high=2.0)
    speed: float = param(0.3, 'Speed where the objective gives none.', unit='m/s', low=0.01, high=5.0)
    course_ticks: int = param(
        0, 'Heading is the course over this many last ticks; 0: the estimated yaw.', unit='ticks', low=0, high=50
    )


@dataclass(frozen=True)
class Steered:
    """What one tick decided."""

    next_action: FloatArray
    """The action for the next tick, shape (nu,)."""


class PathFollower:
    """Steer towards a point ahead on the path; has the interface of the control loop, but nothing to adapt."""

    def __init__(self, config: PathFollowerConfig, robot: RobotConfig, speed: float = 0.0) -> None:
        self._config = config
        self._steering = Steering(robot.layout)
        self._speed = speed or config.speed
        self._positions: deque[FloatArray] = deque(maxlen=config.course_ticks + 1)
        self._tracker: PathTracker | None = None

    def restart(self, path: ReferencePath) -> None:
        """Begin a new run along `path` (waypoints in `world`)."""
        self._tracker = PathTracker(path)
        self._positions.clear()

    def step(
        self, tick: int, stamp: float, state: FloatArray, sent: FloatArray | None, executing: FloatArray
    ) -> Steered:
        """Return what to send in the next tick; of the arguments, those of `ControlLoop.step`, it needs the state."""
        if self._tracker is None:
            raise RuntimeError('restart() the follower with a path before the first step')
        view = StateView(state)
        position = np.array(view.position[:2], dtype=float)
        self._positions.append(position)
        path, progress = self._tracker.path, self._tracker.update(state).progress
        heading = self._heading(float(view.yaw))
        offset = path.at(np.array(progress + self._config.look_ahead)) - position
        to_the_left = np.cos(heading) * offset[1] - np.sin(heading) * offset[0]
        curvature = 2.0 * to_the_left / max(float(offset @ offset), self._config.look_ahead**2)
        return Steered(self._steering.action(self._speed, self._speed * curvature))

    def _heading(self, yaw: float) -> float:
        """Return where the robot looks, or moves [rad]; a course minds no miscalibrated pose, but lags."""
        dx, dy = self._positions[-1] - self._positions[0]
        return yaw if np.hypot(dx, dy) < STANDSTILL else float(np.arctan2(dy, dx))
