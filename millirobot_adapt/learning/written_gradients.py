"""The two loops of training, with their gradients written out.

A step of training spends its time in loops: the recurrent unit's over the window, and the network's over the horizon.
Autograd keeps a record of each of their many small operations, and multiplies matrices once a step for the gradient of
the same weights. Written out, the record is gone, and each weight takes one product over all steps. That makes training
of small networks quicker; with large ones the products take most of the time.

The results are those of the plain loops in recurrence.py and loss.py, up to rounding; tests compare them. Gradients of
gradients need the plain loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from millirobot_adapt.core.robot.layout import DISPLACEMENT_NAMES

MOVED = len(DISPLACEMENT_NAMES)
"""The first targets are displacements and turn."""


def written_gradients_wanted() -> bool:
    """Tell whether gradients are wanted, and nothing is being traced, which must see the plain operations."""
    return torch.is_grad_enabled() and not torch.jit.is_tracing()


class WrittenRecurrence(torch.autograd.Function):
    """The loop of `recurrence.warm_up`: what drives the gates (B, T1, 3 C) to the last contexts (B, C)."""

    @staticmethod
    def forward(ctx: Any, driven: Tensor, weights: Tensor, there: Tensor) -> Tensor:
        """Run the unit; `weights` (C, 3 C) are those from the context, `there` (B, T1) is 0 where a row is missing."""
        batch, rows, _ = driven.shape
        units = len(weights)
        contexts = driven.new_zeros(rows + 1, batch, units)
        gates = driven.new_empty(rows, batch, 2 * units)
        own, candidates = driven.new_empty(rows, batch, units), driven.new_empty(rows, batch, units)
        present = there.to(driven.dtype).transpose(0, 1)[..., None]
        for row in range(rows):
            before, product = contexts[row], contexts[row] @ weights
            torch.sigmoid(driven[:, row, : 2 * units] + product[:, : 2 * units], out=gates[row])
            own[row] = product[:, 2 * units :]
            reset, update = gates[row, :, :units], gates[row, :, units:]
            torch.tanh(torch.addcmul(driven[:, row, 2 * units :], reset, own[row]), out=candidates[row])
            # Where the row is missing, the whole of the context before it stays.
            keep = 1.0 - present[row] * (1.0 - update)
            torch.lerp(candidates[row], before, keep, out=contexts[row + 1])
        ctx.save_for_backward(weights, contexts, gates, own, candidates, present)
        return contexts[rows].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of what drives the gates and of the weights."""
        weights, contexts, gates, own, candidates, present = ctx.saved_tensors
        units = len(weights)
        reset, update = gates[..., :units], gates[..., units:]
        # Factors that do not depend on the gradient, for all rows at once.
        to_candidate = present * (1.0 - update) * (1.0 - candidates.square())
        to_update = present * (contexts[:-1] - candidates) * update * (1.0 - update)
        to_reset = own * reset * (1.0 - reset)
        kept = 1.0 - present * (1.0 - update)
        rows, batch, _ = own.shape
        inner, outer = own.new_empty(rows, batch, 3 * units), own.new_empty(rows, batch, units)
        back = weights.T.contiguous()
        for row in range(rows - 1, -1, -1):
            torch.mul(gradient, to_candidate[row], out=outer[row])
            torch.mul(outer[row], to_reset[row], out=inner[row, :, :units])
            torch.mul(gradient, to_update[row], out=inner[row, :, units : 2 * units])
            torch.mul(outer[row], reset[row], out=inner[row, :, 2 * units :])
            gradient = torch.addmm(gradient * kept[row], inner[row], back)
        of_weights = contexts[:-1].reshape(-1, units).T @ inner.reshape(-1, 3 * units)
        of_driven = torch.cat([inner[..., : 2 * units], outer], dim=-1).transpose(0, 1)
        return of_driven, of_weights, None


class WrittenRollout(torch.autograd.Function):
    """The loop of `loss.open_loop`: normalised body states and actions to displacements and turns (H, B, 3)."""

    @staticmethod
    def forward(
        ctx: Any, body: Tensor, actions: Tensor, scales: Sequence[Tensor], clip: float, *theta: Tensor
    ) -> Tensor:
        """Roll out.

        Args:
            ctx: Keeps what the gradient needs.
            body: Normalised body states, not clipped, (B, body).
            actions: Normalised actions, clipped, (H, B, nu).
            scales: Scale (targets,) and mean (targets,) of the targets in SI units, then both (body,) of the changes of
                the body state in units of the normalised body state.
            clip: Largest magnitude of a normalised input.
            theta: Weights (inputs, outputs) and biases: the first (outputs,) or (B, 1, outputs), others (outputs,).
        """
        scale, mean, body_scale, body_mean = scales
        weights, biases = theta[0::2], theta[1::2]
        seen, moved = body.shape[1], MOVED
        first = actions @ weights[0][seen:] + (biases[0][:, 0] if biases[0].dim() == 3 else biases[0])
        steps, batch = actions.shape[:2]
        clipped, inside = body.new_empty(steps, batch, seen), body.new_empty(steps, batch, seen)
        hidden = [body.new_empty(steps, batch, weight.shape[1]) for weight in weights[:-1]]
        found = body.new_empty(steps, batch, moved)
        for step in range(steps):
            torch.clamp(body, -clip, clip, out=clipped[step])
            inside[step] = clipped[step] == body
            torch.addmm(first[step], clipped[step], weights[0][:seen], out=hidden[0][step]).relu_()
            for layer in range(1, len(hidden)):
                torch.addmm(biases[layer], hidden[layer - 1][step], weights[layer], out=hidden[layer][step]).relu_()
            output = torch.addmm(biases[-1], hidden[-1][step], weights[-1])
            torch.addcmul(mean[:moved], output[:, :moved], scale[:moved], out=found[step])
            body = body + torch.addcmul(body_mean, output[:, moved : moved + seen], body_scale)
        ctx.save_for_backward(actions, clipped, inside, *hidden, *theta)
        ctx.scales, ctx.layers = (scale[:moved], body_scale), len(weights)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of theta; those of states and actions are not wanted."""
        saved: tuple[Tensor, ...] = ctx.saved_tensors
        layers: int = ctx.layers
        actions, clipped, inside = saved[:3]
        hidden, theta = saved[3 : 2 + layers], saved[2 + layers :]
        scale, body_scale = ctx.scales
        weights, biases = theta[0::2], theta[1::2]
        steps, batch, seen = clipped.shape
        moved, targets = gradient.shape[-1], weights[-1].shape[1]
        deltas = [gradient.new_empty(each.shape) for each in hidden]
        outputs = gradient.new_zeros(steps, batch, targets)
        outputs[..., :moved] = gradient * scale
        back = [weight.T.contiguous() for weight in weights]
        to_body, alive = back[0][:, :seen].contiguous(), [each > 0 for each in hidden]
        body = gradient.new_zeros(batch, seen)
        for step in range(steps - 1, -1, -1):
            torch.mul(body, body_scale, out=outputs[step, :, moved : moved + seen])
            delta = outputs[step]
            for layer in range(layers - 1, 0, -1):
                torch.mul(delta @ back[layer], alive[layer - 1][step], out=deltas[layer - 1][step])
                delta = deltas[layer - 1][step]
            body = torch.addcmul(body, delta @ to_body, inside[step])
        found: list[Tensor] = []
        for layer, delta in enumerate((*deltas, outputs)):
            into = torch.cat([clipped, actions], dim=-1) if layer == 0 else hidden[layer - 1]
            found.append(into.flatten(0, 1).T @ delta.flatten(0, 1))
            own = biases[layer].dim() == 3
            found.append(delta.sum(0)[:, None] if own else delta.sum((0, 1)))
        return None, None, None, None, *found
