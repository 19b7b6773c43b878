"""Roll candidates through a network with fixed parameters, on several threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from millirobot_adapt.core.dynamics.engine import run, to_engine
from millirobot_adapt.core.robot.state import NX

FEWEST = 32
"""Candidates that are worth a thread."""


class ThreadPool:
    """Run a rollout graph on parts of the candidates at once, the calling thread included."""

    def __init__(self, session: InferenceSession, threads: int):
        self.threads = threads
        self._session = session
        self._helpers = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def roll(
        self,
        theta: Mapping[str, OrtValue],
        state: NDArray[np.floating],
        actions: NDArray[np.floating],
        states: NDArray[np.float32],
    ) -> None:
        """Write to states (H, K, nx) what follows `state`, (1 or K, nx), under actions (H, K, nu)."""
        _, K, _ = actions.shape
        parts = min(self.threads, max(1, K // FEWEST))
        edges = [part * K // parts for part in range(parts + 1)]

        def roll(part: int) -> None:
            these = slice(edges[part], edges[part + 1])
            own_state = state if len(state) == 1 else state[these]
            inputs = {**theta, 'state': to_engine(own_state), 'actions': to_engine(actions[:, these])}
            states[:, these] = run(self._session, inputs)[0].numpy()[1:]

        elsewhere: Iterable[None] = self._helpers.map(roll, range(1, parts)) if self._helpers else ()
        roll(0)
        for _ in elsewhere:  # waits, and raises what a helper raised
            pass


@dataclass(frozen=True)
class RolloutModel:
    """A network with its parameters as the graph takes them; holding it costs nothing beyond the parameters."""

    crew: ThreadPool = field(repr=False)
    theta: Mapping[str, OrtValue]

    def rollout(self, state: NDArray[np.floating], actions: NDArray[np.floating]) -> NDArray[np.float32]:
        """Roll K sequences of H actions (H, K, nu) [rad/s] to states (H + 1, K, nx).

        `state` is one state for all, shape (nx,), or one for each sequence, shape (K, nx).
        """
        H, K, _ = actions.shape
        states = np.empty((H + 1, K, NX), dtype=np.float32)
        states[0] = state
        begin = np.atleast_2d(state)
        done = 0
        if len(begin) == 1 and H > 1 and (actions[0] == actions[0, :1]).all():
            # The action that executes now is the first of every candidate: its step is one for all.
            self.crew.roll(self.theta, begin, actions[:1, :1], states[1:2, :1])
            states[1] = states[1, 0]
            begin, done = states[1, :1], 1
        self.crew.roll(self.theta, begin, actions[done:], states[done + 1 :])
        return states
