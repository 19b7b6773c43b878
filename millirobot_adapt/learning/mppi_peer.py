"""The benchmark's peer: adaptation by torch.func and search by pytorch_mppi, as a user of those would write them.

It gets the leanest form of the same work: a state of x, y, yaw and body state, a step without a guard, and
the cost of the whole horizon by the function that scores ours. Library: https://github.com/UM-ARM-Lab/pytorch_mppi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_mppi import MPPI
from torch import Tensor
from torch.func import grad

from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.planning.planner_interface import Objective
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import COS_YAW, SIN_YAW, FloatArray, X, Y
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.learning.kinematics import body_state, change_of_state, rotate
from millirobot_adapt.learning.network import Normalisation, forward

RATE = 0.01
"""Inner step size; time does not depend on it."""


class PytorchMppi:
    """Adapt by torch.func.grad, plan by pytorch_mppi.MPPI."""

    def __init__(
        self,
        theta: Mapping[str, NDArray[np.float32]],
        target_scale: FloatArray,
        robot: RobotConfig,
        samples: int,
        horizon: int,
        threads: int,
    ):
        torch.set_num_threads(threads)
        self._theta = tuple(torch.from_numpy(array) for array in theta.values())
        self._adapted: Sequence[Tensor] = self._theta
        self._layout = robot.layout
        features, targets = len(robot.layout.feature_names), torch.from_numpy(target_scale).float()
        # The features' constants are not in the bundle but in its graphs; time does not depend on their values.
        self._normalisation = Normalisation(torch.zeros(features), torch.ones(features), 0 * targets, targets)
        low, high = (torch.from_numpy(np.asarray(bound)).float() for bound in (robot.action_low, robot.action_high))
        self._mppi = MPPI(
            self._dynamics, lambda state, action: torch.zeros(len(state)), nx=3 + len(robot.layout.body_names),
            noise_sigma=torch.diag((0.25 * (high - low)) ** 2), num_samples=samples, horizon=horizon,
            terminal_state_cost=self._cost, u_min=low, u_max=high, u_init=(low + high) / 2,
        )  # fmt: skip
        self._objective: Objective | None = None
        self._start = np.zeros(robot.layout.nx)

    def tick(self, state: FloatArray, window: Window, objective: Objective) -> FloatArray:
        """Adapt to the window and plan from the state (nx,); return the next action, shape (nu,)."""
        self._adapted = self._adapt(window)
        self._objective, self._start = objective, state
        pose = torch.tensor([state[X], state[Y], float(StateView(state).yaw)])
        with torch.inference_mode():
            body = body_state(torch.from_numpy(state[None]).float(), self._layout)[0]
            return np.asarray(self._mppi.command(torch.cat([pose, body]).float()).numpy())

    def _adapt(self, window: Window) -> list[Tensor]:
        """Make one gradient step from theta*."""
        states, actions, following = (
            torch.from_numpy(array).float() for array in (window.states, window.actions, window.next_states)
        )
        inputs = self._normalisation.features(body_state(states, self._layout), actions)
        targets = self._normalisation.targets(change_of_state(states, following, self._layout))
        gradients = grad(lambda theta: (forward(theta, inputs) - targets).square().mean())(self._theta)
        return [array - RATE * gradient for array, gradient in zip(self._theta, gradients, strict=True)]

    def _dynamics(self, state: Tensor, action: Tensor) -> Tensor:
        """Predict the states x, y, yaw, body one period after `state` under the actions (K, nu)."""
        body = state[:, 3:]
        change = self._normalisation.change(forward(self._adapted, self._normalisation.features(body, action)))
        yaw = state[:, 2:3]
        position = state[:, 0:2] + rotate(change[:, 0:2], torch.cos(yaw), torch.sin(yaw))
        return torch.cat([position, yaw + change[:, 2:3], body + change[:, 3:]], dim=-1)

    def _cost(self, states: Tensor, actions: Tensor) -> Tensor:
        """Score (1, K, H, numbers) with the objective, which looks at poses alone."""
        assert self._objective is not None
        _, samples, horizon, _ = states.shape
        poses = states[0, :, :, 0:3].numpy().transpose(1, 0, 2)
        full = np.zeros((horizon + 1, samples, self._layout.nx), dtype=np.float32)
        full[0] = self._start
        full[1:, :, X], full[1:, :, Y] = poses[..., 0], poses[..., 1]
        full[1:, :, COS_YAW], full[1:, :, SIN_YAW] = np.cos(poses[..., 2]), np.sin(poses[..., 2])
        setpoints = actions[0].numpy().transpose(1, 0, 2).reshape(horizon, samples, self._layout.nu).astype(float)
        return torch.from_numpy(self._objective(full, setpoints)).float()
