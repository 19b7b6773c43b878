"""Keep every episode as it ends, so that an evaluation that was interrupted continues where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, whole_file
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.experiments.episode import COLUMNS, Episode, EpisodeSpec

DECIDING = (
    *(f'core/{name}' for name in ('dynamics', 'estimation', 'planning', 'robot', 'geometry.py')),
    *(f'core/control/{name}.py' for name in ('loop', 'history', 'path_follower', 'wiring')),
    *(f'experiments/{name}.py' for name in ('runner', 'episode', 'look_ahead')),
    'sim',
)
"""The code of the package that decides an episode."""


def keys_of(specs: Sequence[EpisodeSpec]) -> list[str]:
    """Return for each spec a hash of all that decides its episode: robot, path and model, too, version and code.

    Raises:
        UserError: a robot, a path or a model is missing or bad.
    """
    code, keys = _code(), []
    robots = {name: load_robot(name) for name in {spec.controller.robot for spec in specs}}
    paths = {shape: make_path(shape).waypoints.tolist() for shape in {spec.shape for spec in specs}}
    models = {(spec.controller.model, spec.controller.robot) for spec in specs if spec.follower is None}
    digests = {(model, robot): load_bundle(model, robots[robot]).digest for model, robot in models}
    for spec in specs:
        controller, decides = spec.controller, asdict(spec)
        # What these files hold decides, not where they lie.
        decides['controller'] |= {
            'robot': asdict(robots[controller.robot]),
            'path': paths[spec.shape],
            'model': digests.get((controller.model, controller.robot)),
        }
        keys.append(hashlib.sha256(json.dumps([code, decides], sort_keys=True).encode()).hexdigest())
    return keys


def _code() -> str:
    """Return the version and a hash of the code: a mock that was changed walks differently under the same version."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(__version__.encode())
    for part in DECIDING:
        for path in sorted((package / part).rglob('*.py')) or [package / part]:
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Store:
    """A folder with one CSV file for each episode; its first line says what the episode came from.

    Raises:
        UserError: the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def save(self, episode: Episode, key: str) -> None:
        """Write an episode; a reader finds a whole file or none."""
        path = self.path(episode.spec)
        columns = np.column_stack(list(episode.table.values()))
        # 17 digits give every number back bit for bit.
        header = f'# {key} {episode.ended} {episode.reason}\n{",".join(episode.table)}'
        with whole_file(path) as file:
            np.savetxt(file, columns, delimiter=',', header=header, comments='', fmt='%.17g')

    def load(self, spec: EpisodeSpec, key: str) -> Episode | None:
        """Return the episode of the spec; None where there is none, or one that came from something else."""
        try:
            with self.path(spec).open(encoding='utf-8') as file:
                first, names = file.readline().split(maxsplit=3), file.readline().strip()
                if first[1:2] != [key] or names.split(',')[: len(COLUMNS)] != list(COLUMNS):
                    return None
                table = np.loadtxt(file, delimiter=',', ndmin=2)
        except FileNotFoundError:
            return None
        reason = first[3].strip() if len(first) > 3 else ''
        columns = dict(zip(names.split(','), table.T, strict=True))
        return Episode(spec, make_path(spec.shape), columns, first[2], reason)

    def path(self, spec: EpisodeSpec) -> Path:
        """Return where the episode of a spec is kept."""
        return self._folder / f'{file_name(spec.label)}.csv'


def file_name(name: str) -> str:
    """Turn a label, parts of which may be paths, into a file's name."""
    parts = (Path(part).stem if '/' in part else part for part in name.split())
    return '_'.join(''.join(c if c.isalnum() or c in '-_@.' else '-' for c in part) for part in parts)


def check_file_names(specs: Iterable[EpisodeSpec]) -> None:
    """Make sure that no two specs would be kept in the same file.

    Raises:
        UserError: two do.
    """
    taken: dict[str, EpisodeSpec] = {}
    for spec in specs:
        other = taken.setdefault(file_name(spec.label), spec)
        if other is not spec:
            raise UserError(f'{other.label} and {spec.label} share the name of a file; give one another name')
