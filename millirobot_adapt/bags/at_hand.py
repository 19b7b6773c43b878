"""Find on this machine what a run was made with: its robot and its model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from millirobot_adapt.bags.storage.provenance import Provenance
from millirobot_adapt.core.config import build, nest
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot import RobotConfig, load_robot
from millirobot_adapt.core.share import file_hashes, find, share_dir


def robot_of(told: Provenance | None, name: str) -> RobotConfig:
    """Return the robot that a run describes; where it describes none, the one of that name.

    Raises:
        UserError: the description does not fit this version.
    """
    described = None if told is None else told.content.get('robot')
    if told is None or not isinstance(described, Mapping):
        return load_robot(name)
    return build(RobotConfig, nest(described), f'{told.source}: robot')


def model_of(told: Provenance, named: str = '', mend: str = 'put it back there') -> Path:
    """Return the folder of the bundle with the recorded hashes: where the user says, where it was, or a shipped one.

    Args:
        told: What ran, its model's hashes among it.
        named: Model that the user names; '': none.
        mend: What the user can do where there is none.

    Raises:
        UserError: there is none, or it has changed since.
    """
    recorded = Path(told.model)
    places = [find('models', named)] if named else [recorded, share_dir() / 'models' / recorded.name]
    changed = {place: _changed_files(place, told.model_hashes) for place in places if place.is_dir()}
    if not changed:
        raise UserError(f'{recorded}: the model of this run is missing; {mend}')
    for place, files in changed.items():
        if not files:
            return place
    place, files = next(iter(changed.items()))
    raise UserError(f'{place}: is not the model of this run (SHA-256 of {", ".join(files)}); {mend}')


def _changed_files(folder: Path, recorded: Mapping[str, str]) -> list[str]:
    """Return the files of a bundle that are missing or have another hash than recorded."""
    found = file_hashes(folder)
    return [name for name, digest in recorded.items() if found.get(name) != digest]
