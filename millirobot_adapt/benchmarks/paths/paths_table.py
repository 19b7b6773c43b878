"""Lay out the walks along generated paths for a terminal and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from millirobot_adapt.benchmarks.paths.judge import FAR, JudgedWalk

SCHEMA = 1
"""Version of the JSON."""

COLUMNS = (
    'kind',
    'paths',
    'points',
    'length [m]',
    'finished',
    'seconds',
    'walked / length',
    'farthest [m]',
    f'beyond {FAR:g} m [s]',
    'leash [m]',
    'end [m]',
)


def as_dict(walks: Sequence[JudgedWalk]) -> dict[str, Any]:
    """Return the walks for JSON."""
    return {
        'schema': SCHEMA,
        'walks': [asdict(walk) | {'failures': walk.failures} for walk in walks],
        'failures': failures(walks),
    }


def failures(walks: Sequence[JudgedWalk]) -> list[str]:
    """Return a line for everything that went wrong."""
    return [f'{walk.path} seed {walk.seed}: {text}' for walk in walks for text in walk.failures]


def as_text(walks: Sequence[JudgedWalk]) -> str:
    """Return a table with a row for each kind of path and one for all, and the failures."""
    kinds = list(dict.fromkeys(walk.kind for walk in walks))
    rows = [_row(kind, [walk for walk in walks if walk.kind == kind]) for kind in kinds] + [_row('all', walks)]
    lines = ['| ' + ' | '.join(row) + ' |' for row in (COLUMNS, ('---',) * len(COLUMNS), *rows)]
    return '\n'.join([*lines, '', *(failures(walks) or ['every walk is right'])])


def _row(name: str, walks: Sequence[JudgedWalk]) -> tuple[str, ...]:
    return (
        name,
        str(len({walk.path for walk in walks})),
        _range([walk.points for walk in walks], '.0f'),
        _range([walk.length_m for walk in walks], '.1f'),
        f'{sum(walk.ended == "finished" for walk in walks)} of {len(walks)}',
        _range([walk.seconds for walk in walks], '.0f'),
        _range([walk.walked_m / walk.length_m for walk in walks], '.2f'),
        f'{max(walk.farthest_m for walk in walks):.2f}',
        f'{max(walk.far_s for walk in walks):.1f}',
        f'{max(walk.leash_m for walk in walks):.2f}',
        f'{max(walk.end_m for walk in walks):.2f}',
    )


def _range(values: Sequence[float], form: str) -> str:
    return f'{min(values):{form}}..{max(values):{form}}'
