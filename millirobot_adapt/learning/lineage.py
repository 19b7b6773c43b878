"""Say what a model comes from: the model that its training began with, and all data it has been trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from millirobot_adapt.learning.rollout_file import CollectedRollouts

MANIFEST = 'manifest'
"""Key of the list of sources in the metadata of rollouts."""


def source_row(name: str, rollouts: CollectedRollouts) -> dict[str, Any]:
    """Describe one source of data: file, SHA-256 of its content, valid transitions, robot, origin."""
    told = rollouts.metadata
    return {
        'file': name,
        'sha256': rollouts.digest(),
        'ticks': int(rollouts.valid.sum()),
        'robot': told.get('robot'),
        'origin': told.get('origin'),
    }


def sources_of(rollouts: CollectedRollouts) -> list[dict[str, Any]]:
    """Return the sources of rollouts, one where they do not tell."""
    told = rollouts.metadata.get(MANIFEST)
    return list(told) if told else [source_row(str(rollouts.metadata.get('bag', '')), rollouts)]


def lineage(rollouts: CollectedRollouts, parent: Mapping[str, Any] | None = None, digest: str = '') -> dict[str, Any]:
    """Return the lineage of a model that was trained on rollouts.

    Args:
        rollouts: What it was trained on last.
        parent: Record of the model that training began with; None: it began from nothing.
        digest: SHA-256 of that model.
    """
    return descend(sources_of(rollouts), parent, digest)


def descend(
    sources: Sequence[Mapping[str, Any]], parent: Mapping[str, Any] | None = None, digest: str = ''
) -> dict[str, Any]:
    """Return the lineage of a model that was trained on these sources; arguments else as `lineage`."""
    told = (parent.get('lineage') or {}) if parent is not None else {}
    before: Sequence[Mapping[str, Any]] = told.get('data', [])
    if parent is not None and not before:
        data = parent.get('data', {})
        before = [{key: data.get(key) for key in ('sha256', 'robot', 'origin')}]
    known = {row.get('sha256') for row in before}
    return {
        'parent': digest or None,
        'generation': int(told.get('generation', 0)) + 1 if parent is not None else 0,
        'data': [*before, *(row for row in sources if row['sha256'] not in known)],
    }
