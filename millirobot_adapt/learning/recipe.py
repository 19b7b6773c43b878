"""Read a recipe: on what data, and with what parameters, a family of models is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from millirobot_adapt.core.config import build
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.share import find
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.learning.collect import CollectConfig
from millirobot_adapt.learning.train_config import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """A file of params/training/."""

    robot: RobotConfig
    collect: CollectConfig
    models: Mapping[str, TrainConfig]
    """Bundle -> how it is trained, in the order of training."""
    copies: Mapping[str, TrainConfig] = field(default_factory=dict)
    """The same models with other training seeds, `<bundle>_seed<n>`."""

    def only(self, names: list[str]) -> Recipe:
        """Keep some of the models and copies.

        Raises:
            UserError: there is no such model.
        """
        known = [*self.models, *self.copies]
        for name in names:
            if name not in known:
                raise UserError(f'{name}: no model of the recipe; known are {", ".join(known)}')
        models, copies = ({n: group[n] for n in group if n in names} for group in (self.models, self.copies))
        return replace(self, models=models, copies=copies)


def load_recipe(name: str) -> Recipe:
    """Load a recipe by its name in params/training/ or by the path of a YAML file.

    Raises:
        UserError: no such file, an unknown key, a wrong type, a value out of range.
    """
    path = find('params/training', name, '.yaml')
    values = read_yaml(path)
    strange = set(values) - {'robot', 'collect', 'models', 'copies'}
    if strange:
        raise UserError(f'{path}: unknown key {min(strange)!r}; known are robot, collect, models and copies')
    models = {
        bundle: build(TrainConfig, parameters, f'{path}: models: {bundle}')
        for bundle, parameters in _groups(values, 'models', path).items()
    }
    if not models:
        raise UserError(f'{path}: models names none; add e.g. "velociroach_mb: {{method: mb}}"')
    return Recipe(
        robot=load_robot(str(values.get('robot', 'velociroach'))),
        collect=build(CollectConfig, values.get('collect') or {}, f'{path}: collect'),
        models=models,
        copies=_copies(values.get('copies') or {}, models, f'{path}: copies'),
    )


def _groups(values: Mapping[str, Any], key: str, path: Path) -> dict[str, Mapping[str, Any]]:
    groups = values.get(key) or {}
    if not isinstance(groups, Mapping) or not all(isinstance(group, Mapping) for group in groups.values()):
        raise UserError(f'{path}: {key} must hold a group of parameters for each bundle, e.g. "name: {{method: mb}}"')
    return dict(groups)


def _copies(seeds: Any, models: Mapping[str, TrainConfig], where: str) -> dict[str, TrainConfig]:
    if not isinstance(seeds, Mapping):
        raise UserError(f'{where} must hold a list of seeds for each bundle, not {seeds!r}')
    copies = {}
    for bundle, numbers in seeds.items():
        if bundle not in models:
            raise UserError(f'{where}: {bundle!r} is none of the models; known are {", ".join(models)}')
        if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
            raise UserError(f'{where}: {bundle} must be a list of seeds like [1, 2], not {numbers!r}')
        for number in numbers:
            copies[f'{bundle}_seed{number}'] = replace(models[bundle], seed=number)
    return copies
