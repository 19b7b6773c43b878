"""Build rebal's context.onnx: from the window to the network's first bias under its context."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from millirobot_adapt.core.robot.state import NU, NX
from millirobot_adapt.learning.kinematics import body_state, change_of_state
from millirobot_adapt.learning.network import Normalisation, Theta, theta_names
from millirobot_adapt.learning.recurrence import Recurrence, read_windows
from millirobot_adapt.learning.tracing import trace


class ContextGraph(nn.Module):
    """The recurrent learner, from SI.

    (theta..., states (T1, 24), actions (T1, 2), next states (T1, 24), mask (T1,)) to (b0' (width1,), loss before, loss
    after, 1 if the context was taken and 0 if it was refused).
    """

    def __init__(self, normalisation: Normalisation, recurrence: Recurrence):
        super().__init__()
        self.normalisation = normalisation
        # Registered, a tensor stands in the graph once; otherwise once for each row of the window.
        self.tensors = nn.ParameterList(recurrence.tensors())

    def forward(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """Adapt."""
        *theta, states, actions, next_states, mask = arguments
        inputs = self.normalisation.features(body_state(states), actions)
        targets = self.normalisation.targets(change_of_state(states, next_states))
        reading = read_windows(theta, Recurrence(*self.tensors), inputs[None], targets[None], mask[None])
        return theta[1] + reading.shift[0], reading.loss_before[0], reading.loss_after[0], reading.taken[0]


def context_graph(theta: Theta, normalisation: Normalisation, recurrence: Recurrence, window: int) -> bytes:
    """Build the graph for windows of T1 rows; the recurrence is written out row by row, its parameters are inside."""
    rows = {'states': NX, 'actions': NU, 'next_states': NX}
    arguments = [*theta, *(torch.zeros(window, width) for width in rows.values()), torch.ones(window)]
    model = trace(
        ContextGraph(normalisation, recurrence), arguments,
        [*theta_names(theta), *rows, 'mask'], ['adapted_b0', 'loss_before', 'loss_after', 'step'], {},
    )  # fmt: skip
    return bytes(model.SerializeToString())
