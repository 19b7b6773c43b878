"""Read a recipe: on what data, and with what parameters, a family of models is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from millirobot_adapt.core.config import Config, build, param, section
from millirobot_adapt.core.errors import UserError, did_you_mean
from millirobot_adapt.core.robot.description import RobotConfig, load_robot
from millirobot_adapt.core.share import COPY_MARK, copy_name, find
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
    copies: Mapping[str, TrainConfig]
    """The same models with other training seeds, `<bundle>_seed<n>`."""
    rounds: int = 0
    """Further rounds of training, each after walking on the mock with the model so far (Algorithm 9, lines 3 to 7)."""
    round_minutes: float = 5.0
    """Simulated time walked before each [min]."""

    def seeded(self, count: int) -> Recipe:
        """Return the recipe with `count` training seeds of every model: its own, and copies with the next ones."""
        copies = {
            copy_name(bundle, seed): replace(config, seed=seed)
            for bundle, config in self.models.items()
            for seed in range(config.seed + 1, config.seed + count)
        }
        return replace(self, copies=copies)

    def only(self, names: list[str]) -> Recipe:
        """Keep models of these names with their copies, and copies of these names.

        Raises:
            UserError: there is no such model.
        """
        known = [*self.models, *self.copies]
        for name in names:
            if name not in known:
                raise UserError(f'{name}: no model of the recipe{did_you_mean(name, known)}')
        models = {name: config for name, config in self.models.items() if name in names}
        kept = {
            name: config
            for name, config in self.copies.items()
            if name in names or name.rpartition(COPY_MARK)[0] in models
        }
        return replace(self, models=models, copies=kept)


class RecipeFile(Config):
    """What a file of params/training/ may hold."""

    robot: str = param('velociroach', 'Robot: a name in params/robots or the path of a YAML file.')
    collect: CollectConfig = section(CollectConfig, 'How data are collected.')
    models: Mapping[str, TrainConfig] = param({}, 'Bundle -> how it is trained, in the order of training.')
    rounds: int = param(0, 'Further rounds of training, each after a walk on the mock with the model so far.', low=0)
    round_minutes: float = param(5.0, 'Simulated time walked before each round.', unit='min', low=0.01, high=1000.0)

    def __post_init__(self) -> None:
        if not self.models:
            raise UserError('models names none; add e.g. "velociroach_mb: {method: mb}"')


def load_recipe(name: str) -> Recipe:
    """Load a recipe by its name in params/training/ or by the path of a YAML file.

    Raises:
        UserError: no such file, an unknown key, a wrong type, a value out of range.
    """
    path = find('params/training', name, '.yaml')
    file = build(RecipeFile, read_yaml(path), str(path))
    return Recipe(load_robot(file.robot), file.collect, file.models, {}, file.rounds, file.round_minutes)
