"""Keep the last T1 transitions of the robot: what the model adapts to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.core.dynamics.method_interface import Window
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

VALID_STEP = (0.5, 1.5)
"""A transition lasted between these multiples of the control period; a lost reply must not teach a double step."""


def is_valid_step(seconds: FloatArray | float, dt: float) -> Any:
    """Tell which times between two states [s] make a transition of the control period `dt` [s]."""
    low, high = VALID_STEP
    return (np.asarray(seconds) >= low * dt) & (np.asarray(seconds) <= high * dt)


def steps_ahead(valid: Any, longest: int) -> list[int]:
    """Count for each of N states the valid steps that follow it without a gap, `longest` at most.

    Args:
        valid: Whether the step from each state to the next is one, shape (N - 1,).
        longest: Where counting ends.
    """
    ahead = [0] * (len(valid) + 1)
    for k in range(len(valid) - 1, -1, -1):
        ahead[k] = min(ahead[k + 1] + 1, longest) if valid[k] else 0
    return ahead


@dataclass(frozen=True)
class Transition:
    """One control period: in `state` the robot executed `action` and came to `next_state`."""

    state: FloatArray
    action: FloatArray
    next_state: FloatArray

    def same_start(self, other: Transition) -> bool:
        """Tell whether another one begins in the same state with the same action, to the last bit."""
        return np.array_equal(self.state, other.state) and np.array_equal(self.action, other.action)


class TransitionHistory:
    """Turn the stream of states and sent actions into transitions, newest included.

    A transition counts only when its two states are about one control period apart (`is_valid_step`).
    """

    def __init__(self, length: int, dt: float, layout: StateLayout) -> None:
        self._transitions: deque[Transition] = deque(maxlen=length)
        self._length = length
        self._dt = dt
        self._layout = layout
        self._last: tuple[float, FloatArray] | None = None

    def restart(self) -> None:
        """Forget everything: a new run begins."""
        self._transitions.clear()
        self._last = None

    def resize(self, length: int) -> None:
        """Keep `length` transitions from now on: T1 of another model; the newest stay."""
        self._length = length
        self._transitions = deque(self._transitions, maxlen=length)

    def add(self, stamp: float, state: FloatArray, action: FloatArray | None) -> Transition | None:
        """Take the state of time `stamp` [s] and the action [rad/s] really executed since the state before it.

        Returns the transition that this state completes, or None where there is none: the first state, a gap, or an
        action that nobody knows (None).
        """
        last, self._last = self._last, (stamp, state)
        if last is None or action is None or not is_valid_step(stamp - last[0], self._dt):
            return None
        transition = Transition(last[1], action, state)
        self._transitions.append(transition)
        return transition

    def window(self) -> Window:
        """Return the last T1 transitions, oldest first, missing rows masked."""
        nx, nu = self._layout.nx, self._layout.nu
        window = Window(
            states=np.zeros((self._length, nx)),
            actions=np.zeros((self._length, nu)),
            next_states=np.zeros((self._length, nx)),
            mask=np.zeros(self._length),
        )
        first = self._length - len(self._transitions)
        for row, transition in enumerate(self._transitions, start=first):
            window.states[row] = transition.state
            window.actions[row] = transition.action
            window.next_states[row] = transition.next_state
            window.mask[row] = 1.0
        return window


def newest_transition(window: Window, state: FloatArray) -> Transition | None:
    """Return the transition of a window that ends in `state` (nx,), if its last row does."""
    if not window.mask[-1] or not np.array_equal(window.next_states[-1], state):
        return None
    return Transition(window.states[-1], window.actions[-1], window.next_states[-1])
