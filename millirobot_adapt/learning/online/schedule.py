"""Decide what the robot walks next: at random, or along which path."""

from __future__ import annotations

from collections.abc import Sequence


class Schedule:
    """Keep the share of random walks: the next leg is the kind of which there has been too little."""

    def __init__(self, random_minutes: float, random_share: float, shapes: Sequence[str]) -> None:
        """Begin with nothing walked; the arguments are those of `LearnConfig`."""
        self._random_minutes, self._share, self._shapes = random_minutes, random_share, tuple(shapes)
        self.random = self.followed = 0.0
        """Time walked at random and along paths [s]."""
        self._shared = 0.0
        self._paths = 0

    @property
    def walked(self) -> float:
        """Time walked [s]."""
        return self.random + self.followed

    def next_leg(self, has_model: bool) -> str:
        """Return the shape of the next path; empty: walk at random."""
        if not has_model or self.random < 60.0 * self._random_minutes:
            return ''
        shared = self._shared + self.followed
        if self._shared < self._share * shared or self._share == 1.0:
            return ''
        shape = self._shapes[self._paths % len(self._shapes)]
        self._paths += 1
        return shape

    def add(self, shape: str, seconds: float) -> None:
        """Take what was walked; `shape` is empty for a random walk."""
        if shape:
            self.followed += seconds
            return
        # Walks before the first path count for no share.
        if self.followed > 0.0:
            self._shared += seconds
        self.random += seconds
