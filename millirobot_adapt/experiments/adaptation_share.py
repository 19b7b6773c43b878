"""What adapting itself buys: each method that adapts against models that stay as they are, on the same seeds.

A method that is trained to be adapted is also trained on augmented data, so its cost over that of a plain network says
little about adaptation. Two rivals separate the two: the same model, not adapted, and a network that was trained on the
same augmented data and is never adapted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.analysis.page import Table
from millirobot_adapt.analysis.statistics import Interval, ratio_of_costs, with_interval
from millirobot_adapt.core.dynamics.mb import ModelBased
from millirobot_adapt.core.dynamics.method_factory import METHODS
from millirobot_adapt.experiments.episode import EpisodeSpec
from millirobot_adapt.experiments.results_table import costs_at

ITSELF = 'its own theta*'
"""Rival of a method: the same model, not adapted."""
HEADING = 'What adapting buys'
NOTE = (
    'What adapting buys: costs over those of models that do not adapt, which are the same model (its own theta*) and '
    'networks that are never adapted; geometric mean over equal seeds, with its 95 % interval.'
)


@dataclass(frozen=True)
class AdaptationShare:
    """The cost of a method that adapts over that of a model that does not."""

    conditions: str
    """A condition or a group of conditions."""
    method: str
    rival: str
    """`ITSELF`, or the name of a method that never adapts."""
    ratio: float
    """Geometric mean of the ratios of equal seeds and places; NaN where a cost is not positive."""
    interval: Interval | None
    """95 % interval of `ratio` over environment seeds (`analysis/statistics.py`); None for a single seed."""


def adaptation_shares(
    specs: Sequence[EpisodeSpec],
    rows: Sequence[dict[str, Any]],
    groups: Mapping[str, Sequence[str]],
    baseline: str,
) -> list[AdaptationShare]:
    """Compare every method that adapts with every rival that walked at the same places.

    Args:
        specs: What walked.
        rows: Its costs in long form, `results_table.rows_of`.
        groups: Conditions of each group; each of them is compared by itself, too.
        baseline: Method that other tables compare with, and this one does not.
    """
    pairs = [pair for pair in _pairs(specs) if baseline not in pair[1:2]]
    single = {name: (name,) for conditions in groups.values() for name in conditions}
    found = []
    for group, conditions in {**single, **groups}.items():
        here = [row for row in rows if row['span'] == 'all' and row['condition'] in conditions]
        for method, rival, called in pairs:
            costs = _costs(here, method, rival)
            if costs:
                found.append(AdaptationShare(group, method, called, *ratio_of_costs(costs, method, rival)))
    return found


def _pairs(specs: Sequence[EpisodeSpec]) -> Iterator[tuple[str, str, str]]:
    """Yield methods that adapt, their rivals, and what the rivals are called."""
    models: dict[str, dict[int, EpisodeSpec]] = {}
    for spec in specs:
        if spec.follower is None:
            models.setdefault(spec.method, {})[spec.training_seed] = spec
    plain = [name for name, own in models.items() if all(_is_plain(spec) for spec in own.values())]
    for name, own in models.items():
        if not all(_adapts(spec) for spec in own.values()):
            continue
        frozen = [other for other, theirs in models.items() if _is_frozen(theirs, own)]
        yield from ((name, other, ITSELF) for other in frozen[:1])
        yield from ((name, other, other) for other in plain)


def _is_plain(spec: EpisodeSpec) -> bool:
    """Tell whether the method never adapts."""
    return METHODS.get(spec.controller.method) is ModelBased


def _adapts(spec: EpisodeSpec) -> bool:
    return spec.controller.adapt and not _is_plain(spec)


def _is_frozen(rival: Mapping[int, EpisodeSpec], method: Mapping[int, EpisodeSpec]) -> bool:
    """Tell whether a rival has the models of the method, and does not adapt them."""

    def named(specs: Mapping[int, EpisodeSpec]) -> dict[int, tuple[str, str, str]]:
        return {seed: (s.controller.model, s.controller.method, s.controller.engine.name) for seed, s in specs.items()}

    return named(rival) == named(method) and not any(spec.controller.adapt for spec in rival.values())


def _costs(rows: Sequence[dict[str, Any]], method: str, rival: str) -> dict[str, np.ndarray]:
    """Return the costs of both, shape (training seeds, places, environment seeds), where both walked; {} where none."""
    walked: dict[str, set[tuple[str, str]]] = {method: set(), rival: set()}
    for row in rows:
        if row['method'] in walked:
            walked[row['method']].add((row['condition'], row['shape']))
    return costs_at(rows, sorted(walked[method] & walked[rival]), [method, rival])


def share_table(shares: Sequence[AdaptationShare]) -> Table:
    """Lay out the shares: a row for each condition or group and method, a column for each rival."""
    rivals = list(dict.fromkeys(share.rival for share in shares))
    texts = {(share.conditions, share.method, share.rival): _text(share) for share in shares}
    places = dict.fromkeys((share.conditions, share.method) for share in shares)
    rows = [[*place, *(texts.get((*place, rival), '\N{EN DASH}') for rival in rivals)] for place in places]
    return Table(HEADING, ['conditions', 'method', *(f'cost / {rival}' for rival in rivals)], rows)


def _text(share: AdaptationShare) -> str:
    if not np.isfinite(share.ratio):
        return '\N{EN DASH}'
    return with_interval(share.ratio, share.interval)
