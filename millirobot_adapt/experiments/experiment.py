"""Read an experiment: which methods walk which shapes under which conditions, how often and with which parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from millirobot_adapt.core.config import Config, before, build, param, section
from millirobot_adapt.core.control.path_follower import PathFollowerConfig
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import exists, user_path
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.sim.conditions import Condition

_FAULT_TIME = 7
"""Key of the generator that draws when a fault begins."""

FOLLOWER, ORACLE = 'follower', 'oracle'
"""Methods that are no adaptation of a model: the path follower, and mb trained on the test condition's own data."""
FROZEN = 'frozen'
"""Mark of a method whose model is not adapted."""


class ConditionEntry(Config):
    """One entry of the list of conditions."""

    name: str = param('', 'What the tables call it.')
    base: str = param('', 'Condition it is made from: a name or a file; empty: the one called `name`.')
    changes: Mapping[str, Any] = param({}, 'Keys of the condition that differ from those of `base`.')
    shapes: tuple[str, ...] = param((), 'Shapes to walk; empty: those of the experiment.')
    group: str = param('', 'Conditions of one group are also summed up together; empty: a group of its own.')
    fault_times: tuple[float, ...] = param(
        (), 'Earliest and latest time of its first fault, drawn for each environment seed and the same for all '
        'methods; empty: as the condition has it.',
        unit='s', low=0.0, high=3600.0,
    )  # fmt: skip
    controller: Mapping[str, Any] = param({}, "Controller's parameters that differ here, such as objective.speed.")

    def __post_init__(self) -> None:
        if not self.name:
            raise UserError('has no name')
        if self.fault_times and (len(self.fault_times) != 2 or self.fault_times[0] > self.fault_times[1]):
            raise UserError(f'fault_times = {list(self.fault_times)} must be two times, the earlier one first')

    def met(self, condition: Condition, seed: int) -> Condition:
        """Return the condition as the environment seed meets it: its first fault at a time drawn for the seed.

        Raises:
            UserError: it has no fault whose time could be drawn.
        """
        if not self.fault_times:
            return condition
        if not condition.faults:
            raise UserError(f'condition {self.name}: fault_times are given, but it has no faults')
        earliest, latest = self.fault_times
        return condition.with_faults_from(float(generator(seed, _FAULT_TIME).uniform(earliest, latest)))


class MethodEntry(Config):
    """One entry of the list of methods."""

    name: str = param('', 'What the tables call it.')
    method: str = param('', 'Adaptation method, or follower, or oracle; empty: the one called `name`.')
    engine: str = param('', 'Engine, where not that of the parameters.')
    bundles: tuple[str, ...] = param((), 'A model bundle for each training seed; empty: <robot>_<method>.')
    adapt: bool = param(True, 'Adapt; false: plan with theta*, the model before adaptation.')
    controller: Mapping[str, Any] = param({}, "Controller's parameters that differ here, such as planner.method.")

    def __post_init__(self) -> None:
        if not self.name:
            raise UserError('has no name')

    @property
    def kind(self) -> str:
        """The adaptation method, `FOLLOWER` or `ORACLE`."""
        return self.method or self.name


def parse_condition(text: str) -> ConditionEntry:
    """Return the entry of a condition that is named alone: a shipped name, or a file, which gives its own name."""
    return ConditionEntry(name=Path(text).stem, base=text)


def parse_method(text: str) -> MethodEntry:
    """Return the entry of a method, after which may stand @engine, @frozen (theta* alone) and =bundle.

    Raises:
        UserError: a part is empty, or an engine is named twice.
    """
    where, given, bundle = text.partition('=')
    method, *marks = where.split('@')
    engines = [mark for mark in marks if mark != FROZEN]
    if not method or (given and not bundle) or len(engines) > 1 or '' in engines:
        raise UserError(f'method {text!r}: write a method, and after it @engine, @{FROZEN} or =bundle, or several')
    return MethodEntry(text, method, ''.join(engines), (bundle,) if bundle else (), adapt=FROZEN not in marks)


NamedCondition = Annotated[ConditionEntry, before(lambda v: parse_condition(v) if isinstance(v, str) else v)]
NamedMethod = Annotated[MethodEntry, before(lambda v: parse_method(v) if isinstance(v, str) else v)]


class ConfirmConfig(Config):
    """A method and its rivals on fresh seeds: which other method is best is found on the seeds of the experiment."""

    method: str = param('', 'The method that is compared with the best other of each condition; empty: none.')
    seeds: int = param(30, 'Environment seeds of that comparison, after those of the experiment.', low=2, high=10_000)


class Experiment(Config):
    """What is crossed with what; the first method is the baseline of the others."""

    conditions: tuple[NamedCondition, ...] = param(
        (ConditionEntry('leg_loss'),), 'Names of conditions, or groups (see `ConditionEntry`).'
    )
    shapes: tuple[str, ...] = param(('figure8',), 'Shapes, or CSV files of waypoints, to walk under each condition.')
    methods: tuple[NamedMethod, ...] = param(
        (MethodEntry('mb'), MethodEntry('rebal')), 'Names of methods, or groups (see `MethodEntry`).'
    )
    seeds: int = param(5, 'Environment seeds 0, 1, ... of each cell.', low=1, high=10_000)
    seconds: float = param(40.0, 'Longest walk.', unit='s', low=1.0, high=3600.0)
    copies: str = param(
        '', 'Folder with further training seeds of the models that ship, MODEL_seed1, ...; a method that names no '
        'bundle walks with those of its model, too. Empty: none.',
    )  # fmt: skip
    oracle: Mapping[str, Any] = param(
        {}, "For each condition the mb bundle (or bundles) trained on that condition's data."
    )
    follower: PathFollowerConfig = section(PathFollowerConfig, 'Gains of the path follower.')
    controller: Mapping[str, Any] = param({}, "Controller's parameters that differ from those of the file.")
    confirm: ConfirmConfig = section(ConfirmConfig, 'A comparison on fresh seeds.')
    equal_time: bool = param(
        False, 'Give every method as many candidates as it plans with in the time of the first one, measured first.'
    )

    def __post_init__(self) -> None:
        for key, entries in (('conditions', self.conditions), ('methods', self.methods)):
            names = [entry.name for entry in entries]
            if not names:
                raise UserError(f'{key} is empty; name at least one')
            for name in names:
                if names.count(name) > 1:
                    raise UserError(f'{key}: {name!r} is there twice; give one of them another name')
        names = self.competing
        if self.confirm.method and (self.confirm.method not in names or len(names) < 2):
            raise UserError(
                f'confirm: {self.confirm.method!r} must be one of at least two methods; they are {", ".join(names)}'
            )
        known = [entry.name for entry in self.conditions]
        for name in self.oracle:
            if name not in known:
                raise UserError(f'oracle: {name!r} is none of the conditions; they are {", ".join(known)}')

    @property
    def competing(self) -> list[str]:
        """Names of the methods; an oracle does not compete."""
        return [entry.name for entry in self.methods if entry.kind != ORACLE]

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the conditions of each group, in their order."""
        groups: dict[str, tuple[str, ...]] = {}
        for entry in self.conditions:
            group = entry.group or entry.name
            groups[group] = (*groups.get(group, ()), entry.name)
        return groups


def read_experiment(path: Path) -> Experiment:
    """Read an experiment file; what it leaves out has the default of `Experiment`.

    Raises:
        UserError: no such file, an unknown key, a wrong type, a value out of range, two entries of one name, an oracle
            for none of the conditions.
    """
    return build(Experiment, read_yaml(path), str(path))


def find_experiment(names: Sequence[str]) -> Experiment:
    """Return the experiment of that name or file, or else one with the conditions of those names.

    Raises:
        UserError: what `read_experiment` raises; neither an experiment nor a condition has that name.
    """
    if len(names) == 1:
        path = share_dir() / 'params' / 'experiments' / f'{names[0]}.yaml'
        if not path.is_file():
            path = user_path(names[0])
        if exists(path) and path.is_file() and 'conditions' in read_yaml(path):
            return read_experiment(path)
    return Experiment(conditions=tuple(parse_condition(name) for name in names))
