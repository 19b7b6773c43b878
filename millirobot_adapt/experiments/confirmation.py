"""Confirm on fresh seeds how far a method is behind the best other one, or ahead of it.

Of several methods that are equally good the one that looks best on some seeds was also lucky on them, so a comparison
on the same seeds makes every method look worse than its best rival. Here the rival of each condition is found on the
seeds of the experiment, and the two are compared on seeds that played no part in the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from millirobot_adapt.analysis.page import Table
from millirobot_adapt.analysis.statistics import Interval, contrast_interval, ratio_of_costs, with_interval
from millirobot_adapt.experiments.episode import EpisodeSpec
from millirobot_adapt.experiments.experiment import Experiment
from millirobot_adapt.experiments.grid import episodes_of
from millirobot_adapt.experiments.results_table import costs_under

HEADING = 'Compared on fresh seeds'
NOTE = (
    'Compared on fresh seeds: the rival is the best other method of the condition on the seeds of the experiment; both '
    "walked on further seeds. The difference of their costs is in units of the baseline's cost, which is that of the "
    'seeds of the experiment.'
)


@dataclass(frozen=True)
class Confirmation:
    """A method and its rival under one condition, on all of its shapes and on seeds that did not choose the rival."""

    condition: str
    method: str
    rival: str
    seeds: int
    """Number of fresh environment seeds."""
    cost: float
    rival_cost: float
    ratio: float
    """Geometric mean of the cost over the rival's, over equal seeds and shapes."""
    ratio_interval: Interval | None
    behind: float
    """Cost minus the rival's, over the baseline's on the seeds of the experiment; below zero the method is ahead."""
    behind_interval: Interval | None
    """95 % interval of `behind` over seeds; the baseline's cost is taken as known."""


def rivals_of(rows: Sequence[dict[str, Any]], experiment: Experiment) -> dict[str, str]:
    """Return the best method other than the one to confirm, and than an oracle, for each condition of the baseline.

    Args:
        rows: Costs of the experiment's walks in long form, `results_table.rows_of`.
        experiment: What walked.
    """
    others = [name for name in experiment.competing if name != experiment.confirm.method]
    found = {}
    for entry in experiment.conditions:
        mean = {name: float(values.mean()) for name, values in costs_under(rows, [entry.name], others).items()}
        if costs_under(rows, [entry.name], [experiment.methods[0].name]):
            found[entry.name] = min(mean, key=mean.__getitem__)
    return found


def fresh_episodes(experiment: Experiment, params: str, rivals: Mapping[str, str]) -> list[EpisodeSpec]:
    """List the walks of the method and of its rivals on fresh seeds.

    Args:
        experiment: Whose seeds chose the rivals.
        params: File of the controller's parameters.
        rivals: The rival under each condition, as `rivals_of` returns it.
    """
    confirm, methods = experiment.confirm, {method.name: method for method in experiment.methods}
    seeds = range(experiment.seeds, experiment.seeds + confirm.seeds)
    specs: list[EpisodeSpec] = []
    for entry in experiment.conditions:
        if entry.name in rivals:
            pair = (methods[confirm.method], methods[rivals[entry.name]])
            duel = replace(
                experiment, conditions=(entry,), methods=pair, oracle={}, confirm=replace(confirm, method='')
            )
            specs += episodes_of(duel, params, seeds)
    return specs


def confirmations(
    rows: Sequence[dict[str, Any]], fresh: Sequence[dict[str, Any]], experiment: Experiment, rivals: Mapping[str, str]
) -> list[Confirmation]:
    """Compare the method with its rivals.

    Args:
        rows: Costs of the experiment's walks in long form.
        fresh: The same of the walks on fresh seeds.
        experiment: What walked.
        rivals: The rival under each condition.
    """
    method, baseline = experiment.confirm.method, experiment.methods[0].name
    found = []
    for condition, rival in rivals.items():
        costs = costs_under(fresh, [condition], [method, rival])
        unit = float(costs_under(rows, [condition], [baseline])[baseline].mean())
        mean = {name: float(values.mean()) for name, values in costs.items()}
        found.append(
            Confirmation(
                condition, method, rival, costs[method].shape[2], mean[method], mean[rival],
                *ratio_of_costs(costs, method, rival),
                (mean[method] - mean[rival]) / unit, contrast_interval(costs, {method: 1 / unit, rival: -1 / unit}),
            )
        )  # fmt: skip
    return found


def confirmation_table(found: Sequence[Confirmation]) -> Table:
    """Lay out the comparisons: a row for each condition."""
    head = ['condition', 'method', 'best other', 'seeds', 'cost', 'cost of the other', 'ratio', 'behind', 'upper bound']
    rows = [
        [
            each.condition, each.method, each.rival, str(each.seeds), f'{each.cost:.2f}', f'{each.rival_cost:.2f}',
            with_interval(each.ratio, each.ratio_interval) if np.isfinite(each.ratio) else '\N{EN DASH}',
            with_interval(each.behind, each.behind_interval),
            f'{each.behind_interval[1]:+.2f}' if each.behind_interval else '\N{EN DASH}',
        ]
        for each in found
    ]  # fmt: skip
    return Table(HEADING, head, rows)
