"""Read a recorded run whole: its arrays, its summary, and what its own model predicts open loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millirobot_adapt.analysis.followed_path import follow_path
from millirobot_adapt.analysis.predictions import Predictions, predict
from millirobot_adapt.analysis.report.timeline import Timeline, timeline_of
from millirobot_adapt.analysis.run_data import RunData, read_run_data
from millirobot_adapt.analysis.summary import summarise
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.provenance import Provenance, read_provenance
from millirobot_adapt.recording.reader import Bag

CONTROL_PERIOD = 0.1
"""Where the bag does not hold it [s]."""


@dataclass(frozen=True)
class WholeRun:
    """A run that can be drawn and compared."""

    parameters: Mapping[str, Any]
    """What ran, as parameters.yaml has it; may be empty."""
    summary: dict[str, Any]
    timeline: Timeline
    gaps: list[str]
    """Sentences on what could not be worked out."""

    @property
    def shape(self) -> str:
        """Name of the path that the controller was given, or nothing."""
        return str(_group(self.parameters, 'controller').get('path') or '')

    @property
    def condition(self) -> str:
        """Name of what the mock met, or nothing."""
        return str(_group(self.parameters, 'mock_robot').get('condition') or '')

    @property
    def method(self) -> str:
        """Name of the adaptation method, as the controller published it, or nothing."""
        return str(self.summary['adaptation']['method'] or '')

    @property
    def model(self) -> str:
        """Name of the model bundle, or nothing."""
        return Path(str(_group(self.parameters, 'controller').get('model') or '')).name


def read_whole_run(bag: Bag) -> WholeRun:
    """Read a bag.

    Raises:
        UserError: nothing in it is readable.
    """
    provenance = read_provenance(bag)
    parameters = {} if provenance is None else dict(provenance.content)
    shape = str(_group(parameters, 'controller').get('path') or '')
    run = read_run_data(bag, shape) if shape else read_run_data(bag)
    predictions, gaps = _predictions(run, provenance)
    dt = _group(parameters, 'robot').get('dt')
    timeline = timeline_of(run, follow_path(run), predictions, dt if isinstance(dt, float) else CONTROL_PERIOD)
    if run.unknown_robot:
        gaps = [f'The robot is not known, so its states are left out: {run.unknown_robot}.', *gaps]
    return WholeRun(parameters, summarise(run, parameters, predictions), timeline, gaps)


def _predictions(run: RunData, provenance: Provenance | None) -> tuple[Predictions | None, list[str]]:
    """Predict if the model of the run is available; else say why not."""
    if not run.ticks:
        return None, []
    try:
        return predict(run, provenance), []
    except UserError as error:
        return None, [f'No open-loop predictions: {error}.']


def _group(parameters: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = parameters.get(name)
    return group if isinstance(group, Mapping) else {}
