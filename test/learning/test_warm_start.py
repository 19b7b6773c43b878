"""Training that begins with a trained model: what stays, what it gains, and what the bundle says of its descent."""

import hashlib
import shutil

import numpy as np
import pytest
import yaml

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app.main import main  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.learning.learner_file import load_start  # noqa: E402
from millirobot_adapt.learning.training_run import load_training_run  # noqa: E402

pytestmark = pytest.mark.train

SETTINGS = ['hidden=16,16', 'window=8', 'horizon=5', 'check_every=20', 'batch=32', 'learning_rate=3e-3']


def train(*words, steps=60, settings=SETTINGS):
    return main(
        ['train', *map(str, words), *(part for each in [*settings, f'steps={steps}'] for part in ('--set', each))]
    )


@pytest.fixture(scope='module', params=['grbal', 'rebal', 'grbal_context'])
def first(request, toy_rollouts, tmp_path_factory):
    """A run and a bundle of one method, and data of another day."""
    folder = tmp_path_factory.mktemp(request.param)
    toy_rollouts(count=12, length=40).save(folder / 'first.npz')
    toy_rollouts(count=12, length=40, seed=1).save(folder / 'second.npz')
    assert train('--data', folder / 'first.npz', '--method', request.param, '--out', folder / 'run', steps=200) == 0
    assert main(['export-model', str(folder / 'run'), '--out', str(folder / 'bundle')]) == 0
    return folder


def test_a_bundle_holds_all_that_its_training_run_held(first):
    run, start = load_training_run(first / 'run'), load_start(first / 'bundle', RobotConfig())
    assert list(start.model.arrays()) == list(run.model.arrays())
    for name, array in run.model.arrays().items():
        np.testing.assert_array_equal(start.model.arrays()[name].detach(), array.detach(), err_msg=name)
    for name in ('feature_mean', 'feature_scale', 'target_mean', 'target_scale', 'clip'):
        np.testing.assert_array_equal(
            getattr(start.model.normalisation, name), getattr(run.model.normalisation, name), err_msg=name
        )
    assert all(tensor.requires_grad for tensor in start.model.trained())


def test_it_goes_on_where_the_first_training_ended_and_says_so(first, tmp_path):
    losses = {}
    for name, words in {'new': [], 'run': ['--from', first / 'run'], 'bundle': ['--from', first / 'bundle']}.items():
        method = ['--method', first.name.rstrip('0123456789')] if name == 'new' else []
        assert train('--data', first / 'second.npz', '--out', tmp_path / name, *words, *method, steps=20) == 0
        losses[name] = load_training_run(tmp_path / name).record['training']['validation']['after']['position']
    assert losses['run'] == losses['bundle'] < 0.8 * losses['new']
    assert main(['export-model', str(tmp_path / 'bundle'), '--out', str(tmp_path / 'grown')]) == 0
    lineage = yaml.safe_load((tmp_path / 'grown' / 'model.yaml').read_text())['lineage']
    assert lineage['parent'] == hashlib.sha256((first / 'bundle' / 'model.yaml').read_bytes()).hexdigest()
    assert lineage['generation'] == 1
    assert [(row['file'], row['ticks'], row['robot']) for row in lineage['data']] == [
        ('first.npz', 480, 'velociroach'), ('second.npz', 480, 'velociroach'),
    ]  # fmt: skip
    assert len({row['sha256'] for row in lineage['data']}) == 2
    normalisation = load_training_run(tmp_path / 'bundle').model.normalisation
    np.testing.assert_array_equal(
        normalisation.target_scale, load_training_run(first / 'run').model.normalisation.target_scale
    )


@pytest.mark.parametrize(
    ('settings', 'says'),
    [
        (['window=12'], 'has window 8, which stays; leave window=12 out'),
        (['hidden=32,32'], 'has hidden 16,16, which stays'),
    ],
)
def test_what_the_network_cannot_become_is_refused(first, tmp_path, capsys, settings, says):
    where = ('--data', first / 'second.npz', '--from', first / 'bundle', '--out', tmp_path / 'out')
    assert train(*where, settings=settings) == 2
    assert says in capsys.readouterr().err


def test_a_model_of_another_method_is_none_to_begin_with(first, tmp_path, capsys):
    where = ('--data', first / 'second.npz', '--from', first / 'run', '--out', tmp_path / 'out')
    assert train(*where, '--method', 'mb') == 2
    assert 'which stays; leave method=mb out' in capsys.readouterr().err


def test_a_bundle_without_what_training_needs_is_named(first, tmp_path, capsys):
    """As earlier versions exported them, without learner.npz."""
    bundle = shutil.copytree(first / 'bundle', tmp_path / 'bundle')
    (bundle / 'learner.npz').unlink()
    record = yaml.safe_load((bundle / 'model.yaml').read_text())
    del record['files']['learner.npz']
    (bundle / 'model.yaml').write_text(yaml.safe_dump(record, sort_keys=False))
    assert train('--data', first / 'second.npz', '--from', bundle, '--out', tmp_path / 'out') == 2
    assert 'name the training run instead' in capsys.readouterr().err
