"""Give the control loop, tick by tick, the live parameters and the model that were in use in a recorded run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from millirobot_adapt.core.config import build, flatten, nest
from millirobot_adapt.core.control.planning_model import LoadedModel, load_model
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.yaml_file import parse_yaml


@dataclass(frozen=True)
class RecordedModel:
    """Which bundle was in use."""

    path: str
    """Its folder on the machine of the run."""
    digest: str
    """SHA-256 of its model.yaml."""
    why: str = ''
    """Why it was in use, for people."""


@dataclass(frozen=True)
class Revision:
    """What was in use from a change to the next."""

    parameters: Mapping[str, Any]
    """Live parameters by dotted name."""
    model: RecordedModel | None = None
    """None: the bag does not tell; versions without a swap recorded none."""


Revisions = Mapping[int, Revision]
"""By the number that tick records give them."""
FindModel = Callable[[str, str], Path]
"""Returns the folder of a bundle on this machine by its folder on the machine of the run and its digest.

It raises UserError where the bundle is missing or has changed.
"""


def revision_of(text: str) -> tuple[int, Revision]:
    """Read what the controller published, as YAML.

    Raises:
        ValueError: it makes no sense.
    """
    try:
        content = parse_yaml(text)
        told = content.get('model')
        model = RecordedModel(str(told['path']), str(told['digest']), str(told.get('why', ''))) if told else None
        return int(content['revision']), Revision(dict(content['parameters']), model)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f'no live parameters: {error}') from None


class Retuner:
    """Tune the loop of `assembly` to the revision that each tick names."""

    def __init__(
        self, assembly: Assembly, revisions: Revisions, find_model: FindModel, kept: Collection[str] = ()
    ) -> None:
        """Prepare for a run; the parameters in `kept`, by dotted name, stay as the assembly has them, `model` too."""
        self._assembly = assembly
        self._revisions = revisions
        self._find_model = find_model
        self._kept = kept
        self._now = 0
        self._models = {assembly.bundle.digest: assembly.model}

    def tune(self, record: TickRecord) -> bool:
        """Prepare for a tick; False where the bag does not hold which parameters were in use.

        Ticks of older versions name none: there the parameters could not change.

        Raises:
            UserError: the recorded parameters are not valid in this version; a model that was swapped in is missing, or
                the record does not fit it.
        """
        if not np.isfinite(record.revision):
            return True
        revision = int(record.revision)
        if revision == self._now:
            return True
        if revision != 0 and revision not in self._revisions:
            return False
        config = self._assembly.config
        told = self._revisions.get(revision, Revision({}))
        values = {name: value for name, value in told.parameters.items() if name not in self._kept}
        try:
            changed = build(type(config), nest({**flatten(config), **values}), 'live parameters in the bag')
        except UserError as error:
            raise UserError(f'{error}; the run was made with another version') from None
        model = self._model_of(told)
        if model is not None and np.isfinite(record.state_stamp) and len(record.window_mask) != model.bundle.window:
            raise UserError(
                f'tick {record.tick} has T1 = {len(record.window_mask)}, but the model in use, '
                f'{model.bundle.path.name}, has T1 = {model.bundle.window}; the record is damaged or was edited'
            )
        self._assembly.loop.tune(self._assembly.tuning(changed, revision, model))
        self._now = revision
        return True

    def _model_of(self, told: Revision) -> LoadedModel | None:
        """Return the model of a revision; None: the one that the loop has."""
        if told.model is None or 'model' in self._kept:
            return None
        if told.model.digest not in self._models:
            config = self._assembly.config
            place = self._find_model(told.model.path, told.model.digest)
            self._models[told.model.digest] = load_model(str(place), self._assembly.robot, config.engine, config.method)
        return self._models[told.model.digest]
