"""The benchmark's peer: adaptation by torch.func and search by pytorch_mppi, as a user of those would write them.

It gets the leanest form of the same work: a state of x, y, yaw and body state, a step without a guard, and the cost of
the whole horizon by the function that scores ours, where ours runs. Library: https://github.com/UM-ARM-Lab/pytorch_mppi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_mppi import MPPI
from torch import Tensor
from torch.func import grad

from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.dynamics.provider import place_of
from millirobot_adapt.core.planning.candidate_place import HOST
from millirobot_adapt.core.planning.planner_interface import Objective
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import COS_YAW, SIN_YAW, FloatArray, X, Y
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.learning.kinematics import body_state, change_of_state, rotate
from millirobot_adapt.learning.network import Normalisation, forward

RATE = 0.01
"""Inner step size; time does not depend on it."""


class PytorchMppi:
    """Adapt by torch.func.grad, plan by pytorch_mppi.MPPI; `compiled`: with torch.compile, as the library offers it."""

    def __init__(
        self,
        theta: Mapping[str, NDArray[np.float32]],
        target_scale: FloatArray,
        robot: RobotConfig,
        samples: int,
        horizon: int,
        threads: int,
        *,
        provider: str = 'cpu',
        compiled: bool = False,
    ):
        torch.set_num_threads(threads)
        config = EngineConfig(provider=provider)
        self._place = place_of(config)
        self._device = torch.device('cuda' if provider == 'cuda' else 'cpu')
        self._theta = tuple(torch.from_numpy(array).to(self._device) for array in theta.values())
        self._adapted: Sequence[Tensor] = self._theta
        self._layout = robot.layout
        features, targets = len(robot.layout.feature_names), self._tensor(target_scale)
        # The features' constants are not in the bundle but in its graphs; time does not depend on their values.
        zeros = torch.zeros(features, device=self._device)
        self._normalisation = Normalisation(zeros, zeros + 1, 0 * targets, targets)
        low, high = (self._tensor(np.asarray(bound)) for bound in (robot.action_low, robot.action_high))
        self._mppi = MPPI(
            self._dynamics, lambda state, action: torch.zeros(len(state)), nx=3 + len(robot.layout.body_names),
            noise_sigma=torch.diag((0.25 * (high - low)) ** 2), num_samples=samples, horizon=horizon,
            terminal_state_cost=self._cost, u_min=low, u_max=high, u_init=(low + high) / 2,
            device=self._device,
        )  # fmt: skip
        self._gradient = grad(self._loss)
        if compiled:
            self._mppi.compile()
            self._gradient = torch.compile(self._gradient)
        self._objective: Objective | None = None
        self._start = np.zeros(robot.layout.nx)

    def tick(self, state: FloatArray, window: Window, objective: Objective) -> FloatArray:
        """Adapt to the window and plan from the state (nx,); return the next action, shape (nu,)."""
        self._adapted = self._adapt(window)
        self._objective, self._start = self._place.objective(objective), state
        pose = self._tensor(np.array([state[X], state[Y], float(StateView(state).yaw)]))
        with torch.inference_mode():
            body = body_state(self._tensor(state[None]), self._layout)[0]
            return np.asarray(self._mppi.command(torch.cat([pose, body])).cpu().numpy())

    def _tensor(self, array: FloatArray) -> Tensor:
        return torch.from_numpy(array).to(self._device, torch.float32)

    def _adapt(self, window: Window) -> list[Tensor]:
        """Make one gradient step from theta*."""
        states, actions, following = map(self._tensor, (window.states, window.actions, window.next_states))
        inputs = self._normalisation.features(body_state(states, self._layout), actions)
        targets = self._normalisation.targets(change_of_state(states, following, self._layout))
        gradients = self._gradient(self._theta, inputs, targets)
        return [array - RATE * gradient for array, gradient in zip(self._theta, gradients, strict=True)]

    @staticmethod
    def _loss(theta: Sequence[Tensor], inputs: Tensor, targets: Tensor) -> Tensor:
        return (forward(theta, inputs) - targets).square().mean()

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
        poses = states[0, :, :, 0:3].transpose(0, 1)
        full = torch.zeros((horizon + 1, samples, self._layout.nx), device=self._device)
        full[0] = self._tensor(self._start)
        full[1:, :, X], full[1:, :, Y] = poses[..., 0], poses[..., 1]
        full[1:, :, COS_YAW], full[1:, :, SIN_YAW] = torch.cos(poses[..., 2]), torch.sin(poses[..., 2])
        setpoints = actions[0].transpose(0, 1).reshape(horizon, samples, self._layout.nu).double()
        if self._place is HOST:
            return torch.from_numpy(self._objective(full.numpy(), setpoints.numpy())).float()
        return self._objective(full, setpoints).float()
