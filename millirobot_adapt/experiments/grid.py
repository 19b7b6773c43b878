"""List the specs of an experiment and run them, on several processes or on a cluster."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from joblib import Parallel, delayed
from tqdm import tqdm

from millirobot_adapt.core.config import build, flatten, nest, read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.dynamics.method_factory import METHODS
from millirobot_adapt.core.errors import UserError, did_you_mean
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.files import exists, user_path
from millirobot_adapt.core.parameter_file import dotted
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.renames import renewed
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import copy_name, find, shipped_model
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.experiments.episode import Episode, EpisodeSpec
from millirobot_adapt.experiments.experiment import FOLLOWER, ORACLE, ConditionEntry, Experiment, MethodEntry
from millirobot_adapt.experiments.runner import make_pilot
from millirobot_adapt.experiments.store import Store, check_file_names, keys_of
from millirobot_adapt.sim.conditions import make_condition

DECIDED = ('model', 'method', 'path', 'anchor', 'seed', 'engine.threads')
"""Parameters of the controller that the experiment itself decides.

Paths are laid from the origin of the world, so that a start offset of the condition is an error to correct. One thread
serves the engine: sums split over threads could round differently, and a spec must repeat exactly.
"""


def episodes_of(experiment: Experiment, params: str, seeds: Sequence[int] | None = None) -> list[EpisodeSpec]:
    """List the specs; methods meet the same conditions and seeds, so their results pair up.

    Args:
        experiment: What is crossed with what.
        params: File of the controller's parameters, a shipped name or a path.
        seeds: Environment seeds; None: those of the experiment.

    Raises:
        UserError: a file is missing, a key unknown, a value out of range, two specs have the same name.
    """
    base = read_params(find('params', params), 'controller', ControllerConfig)
    estimator = read_params(find('params', 'estimator', '.yaml'), 'estimator', EstimatorNodeConfig)
    seeds = range(experiment.seeds) if seeds is None else seeds
    specs: list[EpisodeSpec] = []
    for entry in experiment.conditions:
        source = find('params/conditions', entry.base or entry.name, '.yaml')
        values = read_yaml(source) | {'name': entry.name} | dict(entry.changes)
        condition = make_condition(values, entry.name, f'condition {entry.name}')
        common = _changed(base, [experiment.controller, entry.controller], f'condition {entry.name}: controller')
        models = {
            method.name: _models(
                experiment, entry, method, _changed(common, [method.controller], f'method {method.name}: controller')
            )
            for method in experiment.methods
        }
        met = {seed: entry.met(condition, seed) for seed in seeds}
        crossed = itertools.product(entry.shapes or experiment.shapes, seeds, experiment.methods)
        for shape, seed, method in crossed:
            follower = experiment.follower if method.kind == FOLLOWER else None
            for training_seed, model in enumerate(models[method.name]):
                controller = replace(model, path=shape, anchor='world', seed=seed)
                specs.append(
                    EpisodeSpec(
                        method.name, training_seed, met[seed], seed, experiment.seconds, controller, estimator, follower
                    )
                )
    check_file_names(specs)
    return specs


def _changed(config: ControllerConfig, changes: Sequence[Mapping[str, Any]], where: str) -> ControllerConfig:
    """Return the parameters with changes, nested or dotted, under present or former names."""
    values = flatten(config)
    for change in changes:
        try:
            given, _ = renewed('controller', dotted(change))
        except UserError as error:
            raise UserError(f'{where}: {error}') from None
        for key in DECIDED:
            if key in given:
                raise UserError(f'{where}: {key} is decided by the experiment itself; leave it out')
        values |= given
    return build(ControllerConfig, nest(values), where)


def _models(
    experiment: Experiment, condition: ConditionEntry, method: MethodEntry, config: ControllerConfig
) -> list[ControllerConfig]:
    """Return the parameters with each model of the method; none where there is no oracle for the condition."""
    if method.kind == FOLLOWER:
        return [replace(config, model='', method='')]
    adaptation, bundles = method.kind, list(method.bundles)
    if method.kind == ORACLE:
        given = experiment.oracle.get(condition.name, [])
        adaptation, bundles = 'mb', [given] if isinstance(given, str) else list(given)
    elif not bundles:
        if adaptation not in METHODS:
            raise UserError(
                f'method {adaptation!r} is not known{did_you_mean(adaptation, (*METHODS, FOLLOWER, ORACLE))}'
            )
        shipped = shipped_model(load_robot(config.robot).name, adaptation)
        bundles = [shipped, *_copies(experiment.copies, shipped)]
    engine = replace(config.engine, threads=1, name=method.engine or config.engine.name)
    adapt = config.adapt and method.adapt
    return [replace(config, model=bundle, method=adaptation, engine=engine, adapt=adapt) for bundle in bundles]


def _copies(folder: str, bundle: str) -> list[str]:
    """Return the further training seeds of a model that the folder holds, 1, 2, ... up to the first that is missing.

    Raises:
        UserError: there is no such folder, or it holds no further training seed of any model.
    """
    if not folder:
        return []
    place = user_path(folder)
    if not exists(place):
        raise UserError(f'copies: {folder} does not exist; `millirobot make-models --seeds N` makes them')
    if not any(place.glob(copy_name('*', 1))):
        raise UserError(f'copies: {folder} holds no {copy_name("MODEL", 1)}; name the folder with the copies')
    paths = (place / copy_name(bundle, seed) for seed in itertools.count(1))
    return [str(path) for path in itertools.takewhile(exists, paths)]


def check_episodes(specs: Sequence[EpisodeSpec]) -> None:
    """Find out at once whether the specs can be run.

    Raises:
        UserError: a model or a path is missing or bad.
    """
    for shape in {spec.shape for spec in specs}:
        make_path(shape)
    models = {(spec.method, spec.controller.model): spec for spec in specs}
    for spec in models.values():
        make_pilot(spec)


def run_episodes(
    specs: Sequence[EpisodeSpec],
    run: Callable[[EpisodeSpec], Episode],
    *,
    jobs: int = -1,
    backend: str = 'loky',
    store: Store | None = None,
) -> list[Episode]:
    """Run all episodes and return their episodes in the order of their specifications, whatever order they end in.

    Args:
        specs: What to run.
        run: Runs one, `run.run_story`; it must be importable where the work is done.
        jobs: Stories at a time; -1: one for each core.
        backend: Name of a joblib backend.
        store: Where each episode is kept as it ends; those that are there already are not run again.

    Raises:
        UserError: joblib knows no such backend; what `run` raises.
    """
    keys = keys_of(specs) if store else [''] * len(specs)
    found = [store.load(spec, key) if store else None for spec, key in zip(specs, keys, strict=True)]
    missing = [index for index, episode in enumerate(found) if episode is None]
    try:
        parallel = Parallel(n_jobs=jobs, backend=backend, return_as='generator_unordered')
    except ValueError as error:
        raise UserError(f'--backend {backend}: {error}') from None
    if len(missing) < len(specs):
        print(f'{len(specs) - len(missing)} of {len(specs)} episodes are there already', file=sys.stderr)
    ended = parallel(delayed(_numbered)(run, index, specs[index]) for index in missing)
    for index, episode in tqdm(ended, total=len(missing), desc='episodes', file=sys.stderr, disable=None):
        found[index] = episode
        if store:
            store.save(episode, keys[index])
    return [episode for episode in found if episode is not None]


def _numbered(run: Callable[[EpisodeSpec], Episode], index: int, spec: EpisodeSpec) -> tuple[int, Episode]:
    return index, run(spec)
