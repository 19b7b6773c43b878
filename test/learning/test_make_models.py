"""From a recipe to bundles: what is made, what is kept, what is refused."""

import json

import pytest

pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app.main import main
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning.methods import METHODS
from millirobot_adapt.learning.recipe import load_recipe

pytestmark = pytest.mark.train

RECIPE = """
collect: {minutes: 0.14, rollout_seconds: 4.0, seed: 3}
models:
  toy_grbal: &tiny {method: grbal, steps: 4, check_every: 2, hidden: [8, 8], window: 6, horizon: 5}
  toy_mb: {<<: *tiny, method: mb}
"""


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp('models')
    (place / 'recipe.yaml').write_text(RECIPE)
    return place


def make(place, capsys, *options):
    arguments = ['--recipe', 'recipe.yaml', '--work', 'work', '--out', 'out', '--json', *options]
    arguments = [str(place / part) if part in ('recipe.yaml', 'work', 'out') else part for part in arguments]
    assert main(['make-models', *arguments]) == 0
    return {row['model']: row for row in json.loads(capsys.readouterr().out)['models']}


def test_a_recipe_becomes_bundles_and_nothing_is_made_twice(place, capsys):
    rows = make(place, capsys, '--jobs', '1', '--only', 'toy_grbal,toy_mb_seed1', '--seeds', '2')
    assert list(rows) == ['toy_grbal', 'toy_grbal_seed1', 'toy_mb_seed1']
    rows |= make(place, capsys, '--jobs', '1', '--only', 'toy_mb')
    assert list(rows) == ['toy_grbal', 'toy_grbal_seed1', 'toy_mb_seed1', 'toy_mb']
    assert all(row['minutes'] is not None for row in rows.values())
    bundles = {name: load_bundle(row['bundle'], RobotConfig()) for name, row in rows.items()}
    assert [bundle.method for bundle in bundles.values()] == ['grbal', 'grbal', 'mb', 'mb']
    assert bundles['toy_mb_seed1'].path.parent == place / 'work' / 'copies'
    assert bundles['toy_mb_seed1'].manifest['training']['parameters']['seed'] == 1
    assert bundles['toy_mb_seed1'].digest != bundles['toy_mb'].digest

    collected = (place / 'work' / 'rollouts.npz').stat().st_mtime_ns
    again = make(place, capsys, '--jobs', '1')
    assert list(again) == ['toy_grbal', 'toy_mb']
    assert all(row['minutes'] is None for row in again.values())
    assert (place / 'work' / 'rollouts.npz').stat().st_mtime_ns == collected, 'the data are not collected again'
    assert load_bundle(again['toy_mb']['bundle'], RobotConfig()).digest == bundles['toy_mb'].digest

    (place / 'recipe.yaml').write_text(RECIPE.replace('method: mb', 'method: mb, steps: 2'))
    changed = make(place, capsys, '--jobs', '2', '--only', 'toy_mb')
    assert {name: row['minutes'] is None for name, row in changed.items()} == {'toy_mb': False}


def test_own_data_take_the_place_of_collecting(tmp_path, toy_rollouts, capsys):
    (tmp_path / 'recipe.yaml').write_text(RECIPE)
    rollouts = toy_rollouts(count=4, length=20)
    rollouts.save(tmp_path / 'own.npz')
    arguments = ['make-models', '--recipe', str(tmp_path / 'recipe.yaml'), '--only', 'toy_mb', '--jobs', '1', '--json']
    arguments += ['--data', str(tmp_path / 'own.npz')]
    assert main([*arguments, '--out', str(tmp_path / 'out')]) == 0
    (row,) = json.loads(capsys.readouterr().out)['models']
    data = load_bundle(row['bundle'], RobotConfig()).manifest['data']
    assert (data['origin'], data['sha256']) == ('toy', rollouts.digest())
    assert (tmp_path / 'out' / 'work' / 'runs' / 'toy_mb').is_dir()

    assert main(arguments) == 2
    assert '--out is missing' in capsys.readouterr().err
    rollouts.metadata['robot'] = 'other'
    rollouts.save(tmp_path / 'own.npz')
    assert main([*arguments, '--out', str(tmp_path / 'out')]) == 2
    assert "is of robot 'other', but the recipe is for 'velociroach'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ('recipe', 'complaint'),
    [
        ('modls: {}', "unknown parameter 'modls'; did you mean 'models'?"),
        ('models: {}', 'models names none'),
        ('models: {a: mb}', 'models: a must be a group of parameters'),
        ('models: {a: {method: mb, stepz: 3}}', "unknown parameter 'stepz'; did you mean 'steps'?"),
        ('models: {a: {method: magic}}', "'magic' is not one of"),
        ('models: {a: {method: mb}}\ncopies: {a: [1]}', "unknown parameter 'copies'"),
        ('models: {a: {method: mb}}\ncollect: {minute: 1}', "unknown parameter 'minute'; did you mean 'minutes'?"),
    ],
)
def test_a_bad_recipe_is_one_line_and_exit_2(recipe, complaint, tmp_path, capsys):
    (tmp_path / 'bad.yaml').write_text(recipe)
    assert main(['make-models', '--recipe', str(tmp_path / 'bad.yaml'), '--work', str(tmp_path / 'work')]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count('\n') == 1
    assert not (tmp_path / 'work').exists()


def test_a_model_that_no_recipe_names_is_refused(place, capsys):
    assert main(['make-models', '--recipe', str(place / 'recipe.yaml'), '--only', 'toy_rls']) == 2
    assert "toy_rls: no model of the recipe; did you mean 'toy_grbal'?" in capsys.readouterr().err


def test_every_model_of_a_recipe_can_have_further_training_seeds(place):
    (place / 'recipe.yaml').write_text(RECIPE)
    recipe = load_recipe(str(place / 'recipe.yaml'))
    assert not recipe.copies, 'further training seeds are asked for by --seeds'
    seeded = recipe.seeded(3)
    assert {name: config.seed for name, config in seeded.copies.items()} == {
        f'toy_{method}_seed{seed}': seed for method in ('grbal', 'mb') for seed in (1, 2)
    }
    assert seeded.models == recipe.models
    assert not recipe.seeded(1).copies
    alone = seeded.only(['toy_grbal_seed2'])
    assert (set(alone.models), set(alone.copies)) == (set(), {'toy_grbal_seed2'})
    assert set(seeded.only(['toy_grbal']).copies) == {'toy_grbal_seed1', 'toy_grbal_seed2'}


def test_the_shipped_recipe_makes_every_method_once():
    recipe = load_recipe('velociroach')
    assert {f'velociroach_{method}' for method in METHODS} == set(recipe.models)
    assert all(name == f'velociroach_{config.method}' for name, config in recipe.models.items())
    assert {config.seed for config in recipe.models.values()} == {0}
