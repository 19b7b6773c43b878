"""Gather what a model is trained on: files of rollouts, bags and run folders, one or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt import __version__
from millirobot_adapt.analysis.replay.rollouts import executed_actions, read_rollouts
from millirobot_adapt.analysis.run_data import RunData, read_run_data
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig, EstimatorNodeConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.lineage import MANIFEST, source_row, sources_of
from millirobot_adapt.learning.rollout_file import (
    LAYOUT,
    REQUIRED,
    CollectedRollouts,
    Walk,
    concatenate,
    cut_walks,
    load_rollouts,
)
from millirobot_adapt.recording.provenance import Provenance, read_provenance
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.run_setup import recorded_robot

COMMON = REQUIRED
"""What all data of one model must have in common: a model of a mixture fits no robot."""


def load_data(paths: Sequence[Path]) -> CollectedRollouts:
    """Read and join npz files that `collect` wrote, bags and run folders.

    Raises:
        UserError: one of them cannot be read; they are of different robots, or of robot and mock.
    """
    parts = [load_rollouts(path) if path.suffix == '.npz' else read_bag(path) for path in paths]
    check_alike([str(path) for path in paths], parts)
    joined = join(parts)
    manifest = [source_row(_name(path), part) for path, part in zip(paths, parts, strict=True)]
    return replace(joined, metadata={**joined.metadata, MANIFEST: manifest})


def load_rounds(paths: Sequence[Sequence[Path]], first: CollectedRollouts) -> list[CollectedRollouts]:
    """Read the data of further rounds of training, as `load_data`; `first` are the data that training begins with.

    Raises:
        UserError: as `load_data`; data are in two rounds, or are of another kind than the first.
    """
    rounds = [load_data(each) for each in paths]
    check_alike(['--data', *(str(each[0]) for each in paths)], [first, *rounds])
    known = {row['sha256'] for row in sources_of(first)}
    for part in rounds:
        for row in sources_of(part):
            if row['sha256'] in known:
                raise UserError(f'{row["file"]}: is in an earlier round, too; what a round adds must be new')
        known |= {row['sha256'] for row in sources_of(part)}
    return rounds


def check_alike(names: Sequence[str], parts: Sequence[CollectedRollouts]) -> None:
    """Check that data are of one robot, one control period, and all of the mock or all of the robot.

    Raises:
        UserError: they are not; names the first that is of another kind.
    """
    for name, part in zip(names, parts, strict=True):
        for key in COMMON:
            first, own = parts[0].metadata.get(key), part.metadata.get(key)
            if own != first:
                raise UserError(f'{name}: {key} is {own!r}, but {first!r} in {names[0]}; train on one kind of data')
        layout, other = parts[0].layout, part.layout
        if (other.state_names, other.action_names) != (layout.state_names, layout.action_names):
            raise UserError(f'{name}: has other states or actions than {names[0]}; train on data of one robot')


def join(parts: Sequence[CollectedRollouts]) -> CollectedRollouts:
    """Concatenate rollouts of one robot (`rollouts.concatenate`), and record where each part comes from."""
    if len(parts) == 1:
        return parts[0]
    common: dict[str, Any] = {key: parts[0].metadata.get(key) for key in COMMON}
    common[LAYOUT] = parts[0].layout.record()
    sources = [
        {**{k: value for k, value in part.metadata.items() if k not in (LAYOUT, MANIFEST)}, 'sha256': part.digest()}
        for part in parts
    ]
    estimators = {str(part.metadata.get('estimator')) for part in parts}
    manifest = [row for part in parts for row in sources_of(part)]
    told = {'version': __version__, 'estimator': ', '.join(sorted(estimators)), 'sources': sources, MANIFEST: manifest}
    return concatenate(parts, common | told)


PIECE = 200
"""Transitions of a rollout: a long walk is cut, so that a part of it can be held out for validation."""


@dataclass(frozen=True)
class RecordedWalks:
    """What a bag holds to learn from."""

    name: str
    """Of the run."""
    walks: list[Walk]
    sessions: list[str]
    """Of each walk: what was recorded in one go. A live run is one session."""
    live: bool
    """The states are those that the robot was driven with; else they were estimated for this."""
    robot: RobotConfig
    metadata: dict[str, Any]
    """Where the walks come from."""


def read_walks(path: Path, estimator: EstimatorConfig | None = None) -> RecordedWalks:
    """Read the walks of a bag or a run folder.

    A live run holds its states; for an imported log they are estimated. A state is paired with the action that was in
    force until the next one, as the controller does.

    Args:
        path: Bag or run folder.
        estimator: Estimates the states of a bag that does not name its own; None: the default.

    Raises:
        UserError: not a bag, or nothing in it can be learned from.
    """
    bag = open_bag(path)
    robot, provenance = recorded_robot(bag), read_provenance(bag)
    own = provenance.config('estimator', EstimatorNodeConfig) if provenance else None
    config: EstimatorConfig = own or estimator or EstimatorNodeConfig()
    run = read_run_data(bag)
    walks, live = _live(run, robot), True
    sessions = [_name(path)] * len(walks)
    if not walks:
        rollouts, live = read_rollouts(bag, lambda: make_estimator(config, robot), robot.dt), False
        walks = [(rollout.stamps, np.asarray(rollout.states), rollout.actions) for rollout in rollouts]
        # An imported log names each rollout by its session and its number.
        sessions = [rollout.name.rpartition(' ')[0] or _name(path) for rollout in rollouts]
    metadata = {
        'origin': _origin(run, provenance),
        'robot': robot.name,
        'dt': robot.dt,
        'version': (provenance and provenance.version) or __version__,
        'estimator': config.method,
        'bag': path.resolve().name,
    }
    return RecordedWalks(_name(path), walks, sessions, live, robot, metadata)


def read_bag(path: Path) -> CollectedRollouts:
    """Read a bag or a run folder as rollouts of `PIECE` transitions.

    A transition is not valid across a gap, where the action is not known, and where the setpoint was zero.

    Raises:
        UserError: not a bag, or nothing in it can be learned from.
    """
    found = read_walks(path)
    rollouts = cut_walks(found.walks, PIECE, found.robot, found.metadata)
    if not rollouts.valid.any():
        raise UserError(f'{path}: holds no two states {found.robot.dt:g} s apart with a setpoint between them')
    return rollouts


def _name(path: Path) -> str:
    """Return the name of a run, whether its folder or the bag in it was named."""
    place = path.resolve()
    return place.parent.name if place.name == 'bag' else place.name


def _live(run: RunData, robot: RobotConfig) -> list[Walk]:
    if not len(run.states):
        return []
    actions = executed_actions(run.states.stamps, run.sent.stamps, run.sent.values, robot.dt)
    return [(run.states.stamps, run.states.values, actions)]


def _origin(run: RunData, provenance: Provenance | None) -> str:
    """Return whose data it is: the mock publishes its true pose, or its parameters are in the bag."""
    return 'mock' if len(run.true_poses) or (provenance is not None and 'mock_robot' in provenance.content) else 'real'
