"""All that has been walked, as segments: most to train on, some held out, both growing."""

from __future__ import annotations

from collections import deque

import numpy as np

from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.network import Normalisation
from millirobot_adapt.learning.rollout_file import CollectedRollouts, Walk, concatenate, cut_walks
from millirobot_adapt.learning.segments import Segments, cut, normalise

PIECE_SECONDS = 10.0
"""A walk is cut into pieces; a piece is trained on or held out as a whole."""
FIRST_HELD_OUT = 2
"""Number of the first piece that is held out: early, so that the first model can be judged."""


class WalkStore:
    """Pieces of walks, and the segments in them."""

    def __init__(self, robot: RobotConfig, length: int, held_out: int, memory: int = 0, recent: int = 12) -> None:
        """Make an empty store.

        Args:
            robot: Whose walks they are.
            length: T1 + H, transitions in a segment.
            held_out: Of this many pieces one is held out.
            memory: Newest pieces to train on; 0: all.
            recent: Newest held-out pieces to judge by.
        """
        self._robot, self._length, self._every = robot, length, held_out
        self._piece = round(PIECE_SECONDS / robot.dt)
        self._training: deque[Segments] = deque(maxlen=memory or None)
        self._held_out: deque[Segments] = deque(maxlen=recent)
        self._walked: list[CollectedRollouts] = []
        self._pieces = 0
        self._joined: tuple[Segments, Segments] | None = None
        self.transitions = 0
        """Valid transitions so far."""

    def add(self, walks: list[Walk]) -> None:
        """Take walks; pieces without a whole segment are left out."""
        rollouts = cut_walks(walks, self._piece, self._robot, {'robot': self._robot.name, 'dt': self._robot.dt})
        self.transitions += int(rollouts.valid.sum())
        self._walked.append(rollouts)
        self._joined = None
        for row in range(len(rollouts.valid)):
            segments = cut(rollouts, np.array([row]), self._length)
            if not len(segments):
                continue
            held_out = self._pieces % self._every == min(FIRST_HELD_OUT, self._every - 1)
            (self._held_out if held_out else self._training).append(segments)
            self._pieces += 1

    @property
    def ready(self) -> bool:
        """There is something to train on, and something to judge by."""
        return bool(self._training and self._held_out)

    @property
    def training(self) -> Segments:
        """Segments to train on."""
        return self._all()[0]

    @property
    def held_out(self) -> Segments:
        """Segments to judge by."""
        return self._all()[1]

    def normalisation(self) -> Normalisation:
        """Return mean and scale over all that has been walked."""
        rollouts = concatenate(self._walked, self._walked[0].metadata)
        return normalise(rollouts, np.arange(len(rollouts.valid)))

    def _all(self) -> tuple[Segments, Segments]:
        if self._joined is None:
            self._joined = _join(*self._training), _join(*self._held_out)
        return self._joined


def _join(first: Segments, *others: Segments) -> Segments:
    return first.joined(*others)
