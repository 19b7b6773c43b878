"""The results of an experiment: its episodes, and the cells that sum them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from millirobot_adapt.analysis.figure_style import GREY, PALETTE
from millirobot_adapt.experiments.adaptation_share import AdaptationShare
from millirobot_adapt.experiments.confirmation import Confirmation
from millirobot_adapt.experiments.episode import Episode
from millirobot_adapt.experiments.experiment import FOLLOWER, ORACLE
from millirobot_adapt.experiments.foresight import Foresight
from millirobot_adapt.experiments.recovery import Recovery
from millirobot_adapt.experiments.results_table import EVERY
from millirobot_adapt.sim.conditions import in_training

GREYS = {FOLLOWER: '#9aa5ae', ORACLE: GREY}
"""What is no rival is grey."""


@dataclass(frozen=True)
class Results:
    """Everything that tables, figures and page are made of."""

    episodes: Sequence[Episode]
    cells: Sequence[dict[str, Any]]
    """See `table.cells_of`."""
    methods: Sequence[str]
    """The baseline first."""
    groups: Mapping[str, Sequence[str]]
    """Conditions of each group."""
    recoveries: Sequence[Recovery] = ()
    """How the methods recovered, where a fault came in mid-run."""
    shares: Sequence[AdaptationShare] = ()
    """What adapting itself buys, where methods that never adapt, other than the baseline, walked as well."""
    foresights: Sequence[Foresight] = ()
    """Whether recent errors of the methods predict those to come."""
    confirmations: Sequence[Confirmation] = ()
    """A method against the best other ones on fresh seeds, where the experiment asks for it."""

    @property
    def baseline(self) -> str:
        """The method that the others are compared with."""
        return self.methods[0]

    @property
    def together(self) -> list[str]:
        """Conditions that are summed up with others: the terrains of the training data, in the standard experiment."""
        return [name for names in self.groups.values() if len(names) > 1 for name in names]

    @property
    def alone(self) -> list[str]:
        """Conditions that are shown alone: those not seen in training, in the standard experiment."""
        return [names[0] for names in self.groups.values() if len(names) == 1]

    @property
    def trained_groups(self) -> list[str]:
        """Groups whose conditions are all floors of the training data; of the others no model has seen the like."""
        conditions = {episode.spec.condition.name: episode.spec.condition for episode in self.episodes}
        return [
            group
            for group, names in self.groups.items()
            if all(name in conditions and in_training(conditions[name]) for name in names)
        ]

    def shapes(self, conditions: Sequence[str]) -> list[str]:
        """Return the shapes walked under any of the conditions, in their order."""
        return list(dict.fromkeys(e.spec.shape for e in self.episodes if e.spec.condition.name in conditions))

    def cell(self, method: str, condition: str, shape: str = EVERY) -> dict[str, Any] | None:
        """Return the cell of whole episodes, of every shape where there are several; None without a walk."""
        key = {'method': method, 'condition': condition, 'span': 'all'}
        own = [cell for cell in self.cells if key.items() <= cell.items()]
        exact = [cell for cell in own if cell['shape'] == shape]
        if exact or shape != EVERY:
            return exact[0] if exact else None
        return own[0] if own else None

    def group_cell(self, method: str, group: str) -> dict[str, Any] | None:
        """Return the cell that sums up a group of conditions."""
        names = self.groups[group]
        return self.cell(method, group if len(names) > 1 else names[0])

    def walks(self, condition: str, shape: str, method: str) -> list[Episode]:
        """Return the episodes of a method at a place."""
        return [e for e in self.episodes if e.spec.place == (condition, shape) and e.spec.method == method]

    def colour(self, method: str) -> str:
        """Return the colour of a method."""
        rivals = [name for name in self.methods if name not in GREYS]
        return GREYS[method] if method in GREYS else PALETTE[rivals.index(method) % len(PALETTE)]

    def errors(self, method: str, conditions: Sequence[str], column: str) -> np.ndarray:
        """Return a column of prediction errors over all walks of a method under the conditions, NaN left out."""
        walks = [e for e in self.episodes if e.spec.method == method and e.spec.condition.name in conditions]
        values = np.concatenate([episode.table[column] for episode in walks]) if walks else np.empty(0)
        return np.asarray(values[np.isfinite(values)])

    @property
    def adapting(self) -> list[str]:
        """Methods whose predictions adaptation changed."""
        return [name for name in self.methods if any(_adapts(e) for e in self.episodes if e.spec.method == name)]


def _adapts(episode: Episode) -> bool:
    return bool(np.nansum(np.abs(episode.table['post_error'] - episode.table['pre_error'])) > 0)
