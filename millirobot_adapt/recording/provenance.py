"""Read back what ran: the topic `run` that the recorder writes at the head of every file of a bag.

A topic and not an MCAP metadata record or `custom_data` of metadata.yaml: it is there from the first byte on, so that a
killed recorder cannot lose it; it is repeated where a bag is split; and it survives `ros2 bag convert`, sqlite3, and
recording with other tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from millirobot_adapt.contract.topics import RUN
from millirobot_adapt.core.config import Config, build, nest
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.parameter_file import dotted
from millirobot_adapt.core.renames import as_recorded
from millirobot_adapt.core.yaml_file import parse_yaml
from millirobot_adapt.recording.reader import Bag, open_bag

C = TypeVar('C', bound=Config)
PARAMETERS = 'parameters.yaml'
"""What a run folder keeps of the same beside its bag."""


@dataclass(frozen=True)
class Provenance:
    """What ran, as `parameters.yaml` of the run folder has it."""

    content: Mapping[str, Any]
    source: str
    """Where it was found, for messages to the user."""

    @property
    def seed(self) -> int | None:
        """Seed of the run."""
        seed = self.content.get('seed')
        return seed if isinstance(seed, int) else None

    @property
    def version(self) -> str:
        """Version of the package; '' if not told."""
        return str(self._group('version').get('package', ''))

    @property
    def git(self) -> str:
        """Commit of the checkout, with `-dirty` where files differed from it; '' if not told."""
        return str(self._group('version').get('git', ''))

    @property
    def model(self) -> str:
        """Folder of the model bundle on the machine of the run; '' if not told."""
        return str(self._group('model').get('path', ''))

    @property
    def model_hashes(self) -> dict[str, str]:
        """Sha256 of each file of the model bundle, by its path in the bundle."""
        hashes = self._group('model').get('sha256')
        return {str(name): str(value) for name, value in hashes.items()} if isinstance(hashes, Mapping) else {}

    def config(self, node: str, cls: type[C]) -> C | None:
        """Return the resolved parameters of a node, or None if they are not told.

        Raises:
            UserError: they are none of `cls` (the run was made with another version).
        """
        values = self.content.get(node)
        if not isinstance(values, Mapping):
            return None
        return build(cls, nest(as_recorded(node, dotted(values))), f'{self.source}: {node}')

    def _group(self, name: str) -> Mapping[str, Any]:
        group = self.content.get(name)
        return group if isinstance(group, Mapping) else {}


def read_provenance(bag: Bag) -> Provenance | None:
    """Return what ran while a bag was recorded: from the bag itself, else from the run folder it lies in, else None."""
    return _from_bag(bag) or _from_run_folder(bag.path)


def _from_bag(bag: Bag) -> Provenance | None:
    silent = open_bag(bag.path, lambda _: None, bag.namespace)  # whoever reads the bag itself hears of damage
    try:
        for _, message, _ in silent.messages([RUN]):
            content = _mapping(message.data)
            if content is not None:
                return Provenance(content, f'{bag.path}: {RUN.name}')
    except UserError:
        return None
    return None


def _from_run_folder(path: Path) -> Provenance | None:
    for folder in (path, *path.resolve().parents[:2]):
        file = folder / PARAMETERS
        if file.is_file():
            content = _mapping(file.read_bytes())
            return None if content is None else Provenance(content, str(file))
    return None


def _mapping(text: str | bytes) -> dict[str, Any] | None:
    try:
        content = parse_yaml(text)
    except yaml.YAMLError:
        return None
    return content if isinstance(content, dict) else None
