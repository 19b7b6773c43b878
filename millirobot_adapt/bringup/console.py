"""What a live run prints on the terminal: what the nodes write, and each change of what the robot does, once."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TextIO

SAID_BY_THE_MANAGER = 'not yet active: '
"""Why a node is not yet active stands in its own log, too; here it is said once."""


class Console:
    """Print lines; a terminal that has gone away is no reason to end with a traceback."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Print to `stream`, by default the standard output."""
        self._stream = stream or sys.stdout
        self._followed: dict[str, _Followed] = {}
        self._told: dict[str, str] = {}

    def tell(self, line: str) -> None:
        """Print a line."""
        try:
            print(line, file=self._stream, flush=True)
        except (OSError, ValueError):  # nobody reads it any more
            self._stream = open_nowhere()

    def follow(self, name: str, log: Path) -> None:
        """Print from now on what a process writes into its log, after its name."""
        self._followed[name] = _Followed(log)

    def tell_state(self, name: str, text: str, silently: bool = False) -> None:
        """Print what a node says of itself if that is news; `silently` only notes it."""
        if self._told.get(name) != text:
            self._told[name] = text
            if not silently:
                self.tell(f'[{name}] {text}')

    def update(self) -> None:
        """Print what has been written since the last call."""
        for name, followed in self._followed.items():
            for line in followed.new_lines():
                text = _without_head(line, name)
                if not text.startswith(SAID_BY_THE_MANAGER):
                    self.tell(f'[{name}] {text}')


class _Followed:
    """A log file that is read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._rest = b''

    def new_lines(self) -> list[str]:
        """Return the lines that have been completed since the last call, without empty ones."""
        try:
            with self._path.open('rb') as file:
                file.seek(self._read)
                new = file.read()
        except OSError:
            return []
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b'\n')
        return [line.decode(errors='replace').rstrip() for line in lines if line.strip()]


def _without_head(line: str, name: str) -> str:
    """Leave out what ROS puts before a line and the console says anyway: level INFO, time, the node's name."""
    found = re.match(r'\[(\w+)\] \[[\d.]+\] \[([\w./]+)\]: (.*)', line)
    if found is None or found[2].split('.')[-1] != name:
        return line
    return found[3] if found[1] == 'INFO' else f'{found[1].lower()}: {found[3]}'


def open_nowhere() -> TextIO:
    """Return a stream that takes everything and keeps nothing."""
    return Path('/dev/null').open('w', encoding='utf-8')
