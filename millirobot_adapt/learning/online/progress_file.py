"""What learning writes down while it runs: one line of JSON for each look, leg and model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = 'progress.jsonl'
Row = Mapping[str, Any]


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


def is_model(row: Row) -> bool:
    """Tell whether a row is of a model that was exported, and not of one that was judged."""
    return 'bundle' in row and 'costs' not in row


def beginning(rows: Sequence[Row]) -> float:
    """Return when a live sitting began to learn [s, Unix]: with its first leg."""
    first = next((row for row in rows if 'shape' in row), rows[0])
    return float(first['wall_s']) - float(first.get('seconds', 0.0))


def clock_minutes(row: Row, began: float) -> float:
    """Return minutes of the clock: that of the lock-step, else since `began` [s, Unix]."""
    return float(row['clock_min']) if 'clock_min' in row else (float(row['wall_s']) - began) / 60.0
