"""Give the control loop, tick by tick, the live parameters that were in force in a recorded run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import yaml

from millirobot_adapt.core.config import build, flatten, nest
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.yaml_file import parse_yaml

Revisions = Mapping[int, Mapping[str, Any]]
"""Live parameters by dotted name, by the number that tick records give them."""


def revision_of(text: str) -> tuple[int, dict[str, Any]]:
    """Read the live parameters that the controller published, as YAML.

    Raises:
        ValueError: it makes no sense.
    """
    try:
        content = parse_yaml(text)
        return int(content['revision']), dict(content['parameters'])
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(f'no live parameters: {error}') from None


class Retuner:
    """Tune the loop of `assembly` to the revision that each tick names."""

    def __init__(self, assembly: Assembly, revisions: Revisions, kept: Collection[str] = ()) -> None:
        """Prepare for a run; the parameters in `kept`, by dotted name, stay as the assembly has them."""
        self._assembly = assembly
        self._revisions = revisions
        self._kept = kept
        self._now = 0

    def tune(self, record: TickRecord) -> bool:
        """Prepare for a tick; False where the bag does not hold which parameters were in force.

        Ticks of older versions name none: there the parameters could not change.

        Raises:
            UserError: the recorded parameters are not valid in this version.
        """
        if not np.isfinite(record.revision):
            return True
        revision = int(record.revision)
        if revision == self._now:
            return True
        if revision != 0 and revision not in self._revisions:
            return False
        config = self._assembly.config
        told = self._revisions.get(revision, {})
        values = {name: value for name, value in told.items() if name not in self._kept}
        try:
            changed = build(type(config), nest({**flatten(config), **values}), 'live parameters in the bag')
        except UserError as error:
            raise UserError(f'{error}; the run was made with another version') from None
        self._assembly.loop.tune(self._assembly.tuning(changed, revision))
        self._now = revision
        return True
