"""What a sitting of learning takes over from an earlier one, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from millirobot_adapt.app.commands.learn_online import split_settings
from millirobot_adapt.app.learning_sitting import LearningSetup
from millirobot_adapt.bringup.run_folder import RunFolder
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.online.learn_config import SITTING_TRAINING, LearnConfig
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


def test_the_network_of_the_model_that_is_taken_over_stays(earlier, tmp_path):
    parameters = {'method': 'rebal', 'hidden': [32, 16], 'context': 24, 'window': 12, 'batch': 7}
    manifest = {'method': 'rebal', 'training': {'parameters': parameters}}
    (earlier / MODELS / '0003' / 'model.yaml').write_text(yaml.safe_dump(manifest))
    folder = RunFolder(tmp_path / 'run')
    folder.path.mkdir()
    setup(earlier).prepare(folder)
    expected = replace(setup().train, method='rebal', hidden=(32, 16), context=24, window=12)
    assert read_settings(folder.path)[2] == expected, 'and the batch is as this sitting has it'


def test_a_sitting_from_nothing_begins_with_empty_folders(tmp_path):
    folder = RunFolder(tmp_path)
    setup().prepare(folder)
    assert list((tmp_path / LEGS).iterdir()) == list((tmp_path / MODELS).iterdir()) == []


def test_what_is_no_sitting_cannot_be_gone_on_with(tmp_path):
    with pytest.raises(UserError, match='has no legs/; name the folder of a run of `millirobot learn`'):
        setup(tmp_path).check()


def test_what_the_user_sets_wins_over_what_a_sitting_trains_with():
    learn, train, others = split_settings(['train.hidden=64,64', 'learn.better=0.1', 'controller.seed=3'], 7.0, 5)
    assert (learn.minutes, learn.seed, learn.better) == (7.0, 5, 0.1)
    expected = {**SITTING_TRAINING, 'hidden': (64, 64), 'seed': 5}
    assert {name: getattr(train, name) for name in expected} == expected
    assert others == ['controller.seed=3']
