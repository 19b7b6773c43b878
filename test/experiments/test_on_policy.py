"""Training goes on with what was walked with the model meanwhile."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app.main import main
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.layout import SIN_PITCH, SIN_ROLL
from millirobot_adapt.experiments.on_policy import OnPolicyConfig, walk_on_policy
from millirobot_adapt.learning.collect import CollectConfig, collect
from millirobot_adapt.learning.rollout_file import load_rollouts
from millirobot_adapt.learning.training_run import load_training_run

pytestmark = pytest.mark.train

TINY = ('steps=4', 'check_every=2', 'hidden=8,8', 'window=6', 'horizon=5')
SETTINGS = [part for setting in TINY for part in ('--set', setting)]


def test_a_further_round_learns_from_its_own_walk_and_says_so(tmp_path, capsys):
    rollouts = collect(CollectConfig(minutes=0.3, rollout_seconds=6.0), load_robot('velociroach'))
    rollouts.save(tmp_path / 'data.npz')
    arguments = ['--data', str(tmp_path / 'data.npz'), '--method', 'mb', '--out', str(tmp_path / 'run'), *SETTINGS]
    assert main(['train', *arguments, '--rounds', '1', '--round-minutes', '0.05']) == 0
    assert 'round 1: ' in capsys.readouterr().out
    data = load_training_run(tmp_path / 'run').record['data']
    first, walked = data['sources']
    assert first['sha256'] == rollouts.digest()
    assert walked['on_policy_round'] == 1
    assert data['sha256'] != rollouts.digest()
    assert (tmp_path / 'run' / 'round1' / 'model.yaml').is_file()


def test_a_model_of_one_condition_walks_there_between_rounds(tmp_path, capsys):
    words = ['--minutes', '1', '--seed', '3', '--out', str(tmp_path / 'slope.npz')]
    assert main(['collect', '--condition', 'slope_12_styrofoam', *words]) == 0
    places = ['--data', str(tmp_path / 'slope.npz'), '--out', str(tmp_path / 'run')]
    rounds = ['--rounds', '1', '--round-minutes', '0.05']
    assert main(['train', '--method', 'mb', *places, *SETTINGS, *rounds]) == 0
    record = load_training_run(tmp_path / 'run').record
    assert record['data']['sources'][1]['condition'] == 'slope_12_styrofoam'
    assert record['training']['rounds']['walked'] == 'on the mock under slope_12_styrofoam, 0.05 min, seed 0'

    def tilt(condition):
        walks = OnPolicyConfig(minutes=0.05, seconds=3.0, shapes=('straight',), samples=16, condition=condition)
        states = walk_on_policy(walks, 'velociroach', tmp_path / 'run' / 'round1', 1).states
        return float(np.abs(states[..., [SIN_ROLL, SIN_PITCH]]).max(axis=-1).mean())

    assert tilt('slope_12_styrofoam') > 0.15 > tilt('flat'), '12 degrees: a sine of 0.21'

    data = load_rollouts(tmp_path / 'slope.npz')
    replace(data, metadata=data.metadata | {'condition': 'gone'}).save(tmp_path / 'gone.npz')
    capsys.readouterr()
    places = ['--data', str(tmp_path / 'gone.npz'), '--out', str(tmp_path / 'wrong')]
    assert main(['train', '--method', 'mb', *places, *SETTINGS, *rounds]) == 2
    said = capsys.readouterr()
    assert 'gone' in said.err
    assert 'persistence' not in said.out, 'before any training'


def test_rounds_that_were_recorded_join_the_data_and_none_validates_what_an_earlier_one_learned(tmp_path, capsys):
    first, second, third = (
        collect(CollectConfig(minutes=0.5, rollout_seconds=6.0, seed=seed), load_robot('velociroach'))
        for seed in range(3)
    )  # fmt: skip
    files = [str(tmp_path / f'{name}.npz') for name in ('first', 'second', 'third')]
    for path, rollouts in zip(files, (first, second, third), strict=True):
        rollouts.save(Path(path))
    words = ['train', '--method', 'mb', *SETTINGS, '--data', files[0], '--round', files[1], '--round', files[2]]
    assert main([*words, '--out', str(tmp_path / 'run')]) == 0
    said = capsys.readouterr().out
    assert f'round 2: {sum(int(part.valid.sum()) for part in (first, second, third))} transitions' in said
    run = load_training_run(tmp_path / 'run')
    assert run.record['training']['rounds']['count'] == 2
    assert [row['sha256'] for row in run.record['lineage']['data']] == [
        part.digest() for part in (first, second, third)
    ]
    assert (tmp_path / 'run' / 'round2' / 'model.yaml').is_file(), 'the model with which the last round was walked'

    for wrong, says in (
        (['--round', files[0]], 'first.npz: is in an earlier round, too'),
        (['--round', files[1], '--round', files[1]], 'second.npz: is in an earlier round, too'),
        (['--round', files[1], '--rounds', '1'], '--rounds: walks on the mock, but --round names what was walked'),
        (['--round', files[1], '--resume'], '--resume: only a training without further rounds can go on'),
    ):
        assert main(['train', '--data', files[0], '--out', str(tmp_path / 'wrong'), *wrong]) == 2
        assert says in capsys.readouterr().err
        assert not (tmp_path / 'wrong').exists()


def test_a_recipe_has_rounds_on_the_mock_and_recorded_ones(tmp_path, capsys):
    recipe = {
        'collect': {'minutes': 0.5, 'rollout_seconds': 6.0},
        'models': {'toy': {'method': 'mb', 'steps': 4, 'check_every': 2, 'hidden': [8, 8], 'window': 6, 'horizon': 5}},
        'rounds': 1,
        'round_minutes': 0.05,
    }
    file = tmp_path / 'recipe.yaml'
    file.write_text(yaml.safe_dump(recipe))
    words = ['make-models', '--recipe', str(file), '--jobs', '1', '--json']

    def made(*more):
        assert main([*words, *more]) == 0
        (row,) = json.loads(capsys.readouterr().out)['models']
        return row, load_bundle(row['bundle'], load_robot('velociroach')).manifest

    place = ('--work', str(tmp_path / 'work'), '--out', str(tmp_path / 'out'))
    row, manifest = made(*place)
    assert manifest['training']['rounds']['count'] == 1
    assert manifest['data']['sources'][1]['on_policy_round'] == 1
    assert row['minutes'] is not None
    assert made(*place)[0]['minutes'] is None, 'nothing is made twice'

    files = [str(tmp_path / f'{name}.npz') for name in ('first', 'second')]
    for seed, path in enumerate(files):
        collect(CollectConfig(minutes=0.5, rollout_seconds=6.0, seed=seed), load_robot('velociroach')).save(Path(path))
    own = ('--data', files[0], '--round', files[1], '--out', str(tmp_path / 'own'))
    row, manifest = made(*own)
    assert manifest['training']['rounds']['count'] == 1
    assert [Path(source['file']).stem for source in manifest['lineage']['data']] == ['first', 'second']
    assert made(*own)[0]['minutes'] is None
    assert main([*words, '--round', files[1], '--out', str(tmp_path / 'own')]) == 2
    assert '--round: adds to data of your own' in capsys.readouterr().err
