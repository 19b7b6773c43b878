"""What learning writes down while it runs: one line of JSON for each look, leg and model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = 'progress.jsonl'


class ProgressFile:
    """Append rows to a file; each is on the disk when `add` returns, or is left out by `read_progress`."""

    def __init__(self, folder: Path) -> None:
        """Write into a folder that is there."""
        self._path = folder / FILE

    def add(self, **row: Any) -> None:
        """Append a row.

        Raises:
            OSError: the disk does not take it.
        """
        with self._path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(row) + '\n')


def read_progress(folder: Path) -> list[dict[str, Any]]:
    """Return the rows; a line that was cut off when a process was killed is left out."""
    path = folder / FILE
    rows = []
    for line in path.read_text(encoding='utf-8').splitlines() if path.is_file() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows
