"""What a sitting of learning takes over from an earlier one, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from millirobot_adapt.app.learning_sitting import LearningSetup
from millirobot_adapt.bringup.run_folder import RunFolder
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.online.learn_config import LearnConfig
from millirobot_adapt.learning.online.sitting_folder import FIRST, LEGS, MODELS, newest_bundle, read_settings
from millirobot_adapt.learning.rollout_file import cut_walks
from millirobot_adapt.learning.train_config import TrainConfig


def setup(resume=None):
    learn, train = LearnConfig(leg_seconds=8.0), TrainConfig(hidden=(8, 8))
    return LearningSetup('velociroach', True, learn, train, resume)


@pytest.fixture
def earlier(tmp_path):
    """The run folder of a sitting that was killed: a leg, a model, and a model that was being written."""
    robot, run = RobotConfig(), tmp_path / 'earlier'
    walk = (np.arange(20) * robot.dt, np.zeros((20, robot.layout.nx)), np.full((20, 2), 20.0))
    metadata = {'origin': 'mock', 'robot': robot.name, 'dt': robot.dt, 'shape': 'left'}
    (run / LEGS).mkdir(parents=True)
    cut_walks([walk], 19, robot, metadata).save(run / LEGS / '0001.npz')
    for name, whole in (('0003', True), ('0004', False)):
        (run / MODELS / name).mkdir(parents=True)
        (run / MODELS / name / ('model.yaml' if whole else 'theta.npz')).write_text(f'method: rebal  # {name}')
    return run


def test_legs_and_the_newest_whole_model_are_taken_over(earlier, tmp_path):
    folder = RunFolder(tmp_path / 'run')
    folder.path.mkdir()
    setup(earlier).prepare(folder)
    assert (folder.path / LEGS / '0001.npz').read_bytes() == (earlier / LEGS / '0001.npz').read_bytes()
    assert newest_bundle(folder.path) == folder.path / FIRST
    assert (folder.path / FIRST / 'model.yaml').read_text() == 'method: rebal  # 0003', 'the last whole one'
    # Training goes on with that model, so with its method.
    assert read_settings(folder.path) == ('velociroach', setup().learn, replace(setup().train, method='rebal'))


def test_a_sitting_from_nothing_begins_with_empty_folders(tmp_path):
    folder = RunFolder(tmp_path)
    setup().prepare(folder)
    assert list((tmp_path / LEGS).iterdir()) == list((tmp_path / MODELS).iterdir()) == []


def test_what_is_no_sitting_cannot_be_gone_on_with(tmp_path):
    with pytest.raises(UserError, match='has no legs/; name the folder of a run of `millirobot learn`'):
        setup(tmp_path).check()
