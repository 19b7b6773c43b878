"""Keep the last T1 transitions of the robot: what the model adapts to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.dynamics.interface import Window
from millirobot_adapt.core.state import NU, NX, FloatArray


@dataclass(frozen=True)
class Transition:
    """One control period: in `state` the robot executed `action` and came to `next_state`."""

    state: FloatArray
    action: FloatArray
    next_state: FloatArray


class TransitionHistory:
    """Turn the stream of states and sent actions into transitions, newest included.

    A transition counts only when its two states are one control period apart: within half to one and a half periods, so
    that a lost reply does not teach the model a double step.
    """

    def __init__(self, length: int, dt: float) -> None:
        self._transitions: deque[Transition] = deque(maxlen=length)
        self._length = length
        self._dt = dt
        self._last: tuple[float, FloatArray] | None = None

    def restart(self) -> None:
        """Forget everything: a new run begins."""
        self._transitions.clear()
        self._last = None

    def add(self, stamp: float, state: FloatArray, action: FloatArray | None) -> Transition | None:
        """Take the state of time `stamp` [s] and the action [rad/s] really executed since the state before it.

        Returns the transition that this state completes, or None where there is none: the first state, a gap, or an
        action that nobody knows (None).
        """
        last, self._last = self._last, (stamp, state)
        if last is None or action is None or not 0.5 * self._dt <= stamp - last[0] <= 1.5 * self._dt:
            return None
        transition = Transition(last[1], action, state)
        self._transitions.append(transition)
        return transition

    def window(self) -> Window:
        """Return the last T1 transitions, oldest first, missing rows masked."""
        window = Window(
            states=np.zeros((self._length, NX)),
            actions=np.zeros((self._length, NU)),
            next_states=np.zeros((self._length, NX)),
            mask=np.zeros(self._length),
        )
        first = self._length - len(self._transitions)
        for row, transition in enumerate(self._transitions, start=first):
            window.states[row] = transition.state
            window.actions[row] = transition.action
            window.next_states[row] = transition.next_state
            window.mask[row] = 1.0
        return window
