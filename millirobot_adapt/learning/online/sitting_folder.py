"""What conductor and trainer of a sitting of learning share: files in the run folder. Nothing here needs PyTorch."""

from __future__ import annotations

from pathlib import Path

import yaml

from millirobot_adapt.core.config import build, flatten, nest
from millirobot_adapt.core.dynamics.bundle import MANIFEST
from millirobot_adapt.core.files import write_whole
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.learning.online.learn_config import LearnConfig
from millirobot_adapt.learning.train_config import TrainConfig

SETTINGS, LEGS, MODELS = 'learn.yaml', 'legs', 'models'
"""Files and folders in the run folder."""
FIRST = f'{MODELS}/0001'
"""The model with which the controller starts."""


def write_settings(folder: Path, robot: str, learn: LearnConfig, train: TrainConfig) -> None:
    """Write down how to learn, for the trainer.

    Raises:
        OSError: the disk does not take it.
    """
    content = {'robot': robot, 'learn': nest(flatten(learn)), 'train': nest(flatten(train))}
    write_whole(folder / SETTINGS, yaml.safe_dump(content, sort_keys=False))


def read_settings(folder: Path) -> tuple[str, LearnConfig, TrainConfig]:
    """Return robot, how to learn and how to train.

    Raises:
        UserError: the file is not there, or is wrong.
    """
    path = folder / SETTINGS
    content = read_yaml(path)
    learn = build(LearnConfig, content['learn'], str(path))
    return content['robot'], learn, build(TrainConfig, content['train'], str(path))


def newest_bundle(folder: Path) -> Path | None:
    """Return the newest whole bundle of a run folder; None: there is none yet."""
    made = sorted(path.parent for path in (folder / MODELS).glob(f'[0-9]*/{MANIFEST}'))
    return made[-1] if made else None
