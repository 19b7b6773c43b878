"""How a film is made."""

from __future__ import annotations

import re
from dataclasses import dataclass

from millirobot_adapt.core.errors import UserError

FOLLOW, OVERLOOK = 'follow', 'overlook'
SMALLEST, LARGEST = 64, 4096
"""Width and height of pictures [pixels]."""
HIGHEST_RATE = 120.0
"""Pictures a second."""


@dataclass(frozen=True)
class FilmOptions:
    """How a film is made.

    Raises:
        UserError: a number makes no sense.
    """

    width: int = 854
    height: int = 480
    """Of the pictures [pixels], even numbers."""
    fps: float = 15.0
    """Pictures a second."""
    speed: float = 1.0
    """Seconds of the run in a second of the film."""
    start: float = 0.0
    """First moment of the run that is shown [s since the first tick]."""
    end: float | None = None
    """Last one; None: to the end of the run."""
    camera: str = FOLLOW
    """`FOLLOW` goes with the robot, `OVERLOOK` sees the whole path."""

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if side % 2 or not SMALLEST <= side <= LARGEST:
                raise UserError(f'--size {self.width}x{self.height}: give even numbers from {SMALLEST} to {LARGEST}')
        if not 0.0 < self.fps <= HIGHEST_RATE:
            raise UserError(f'--fps {self.fps:g}: give more than 0 and at most {HIGHEST_RATE:g} pictures a second')
        if not 0.0 < self.speed < float('inf'):
            raise UserError(f'--speed {self.speed:g}: give more than 0')
        if self.end is not None and not self.end > self.start:
            raise UserError(f'--end {self.end:g}: give a time after --start {self.start:g}')


def parse_size(text: str) -> tuple[int, int]:
    """Read a size such as 854x480.

    Raises:
        UserError: it is none.
    """
    found = re.fullmatch(r'(\d+)x(\d+)', text)
    if found is None:
        raise UserError(f'--size {text}: write width and height in pixels, such as 854x480')
    return int(found[1]), int(found[2])
