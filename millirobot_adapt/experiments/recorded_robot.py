"""Record what a stepped robot is told and what it shows, to learn from."""

from __future__ import annotations

import numpy as np

from millirobot_adapt.core.robot.state import FloatArray
from millirobot_adapt.learning.rollout_file import Walk
from millirobot_adapt.sim.lockstep import Observation
from millirobot_adapt.sim.lockstep_robots import SteppedRobot


class RecordedRobot:
    """A stepped robot that records its setpoints and observations."""

    def __init__(self, robot: SteppedRobot) -> None:
        self._robot = robot
        self._seen: list[Observation] = []

    def reset(self) -> Observation:
        """Begin a run, as the robot does."""
        return self._keep(self._robot.reset())

    def step(self, setpoint: FloatArray) -> Observation:
        """Let one control period pass under the action, shape (nu,)."""
        return self._keep(self._robot.step(setpoint))

    def _keep(self, observation: Observation) -> Observation:
        self._seen.append(observation)
        return observation

    def walk(self) -> Walk:
        """Return what was walked: the action after a state is what the next observation says was in effect."""
        sent = [seen.sent for seen in self._seen[1:]] + [np.full_like(self._seen[0].sent, np.nan)]
        stamps = np.array([seen.stamp for seen in self._seen])
        return stamps, np.array([seen.state for seen in self._seen]), np.array(sent)
