"""The rover without ROS and without waiting: one call, one control period."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.estimation.assembly import answer
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.geometry import roll_pitch_yaw
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.lockstep import LockstepRun, NoEstimateError, Observation
from millirobot_adapt.sim.rover_world import RoverWorld


class LockstepRover(LockstepRun):
    """Drive one run of a rover."""

    def __init__(self, robot: RobotConfig, condition: Condition, estimator: Estimator, seed: int) -> None:
        self._periods = 0
        self.world = RoverWorld(robot, condition, seed)
        super().__init__(robot, condition, estimator, self.world)

    def _start(self) -> None:
        """Leave the rover as it is: it takes commands from the start."""

    def _observe(self, setpoint: FloatArray) -> Observation:
        """Run one control period and observe its end."""
        telemetry = self._period(setpoint)
        estimate, sample = answer(self._estimator, telemetry)
        if estimate is None:
            raise NoEstimateError(telemetry.stamp)
        position, quaternion = self.world.rover.pose()
        return Observation(
            stamp=telemetry.stamp,
            state=sample.state,
            sent=np.array(setpoint, dtype=float),
            true_position=position,
            true_rpy=roll_pitch_yaw(quaternion),
            faults=tuple(fault.name for _, fault in self.world.faults),
        )

    def _period(self, setpoint: FloatArray) -> Telemetry:
        """Command an action, let its period pass, and give the estimator the poses that arrived."""
        self.world.command(setpoint)
        self._periods += 1
        now = self._periods * self._robot.dt
        self.world.advance(now)
        for pose in self.world.mocap.due(now):
            self._estimator.on_pose(pose)
        return silent_reply(now, self._periods)


def silent_reply(stamp: float, index: int) -> Telemetry:
    """Return the reply of a robot that reports nothing of itself: when its state counts [s], and its number."""
    nothing, unknown = np.empty(0), np.full(3, np.nan)
    return Telemetry(stamp, nothing, nothing, unknown, unknown, nothing, float('nan'), index)
