import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')

from robots import LAYOUT  # noqa: E402

from millirobot_adapt.app.main import main  # noqa: E402
from millirobot_adapt.core.dynamics.bundle import load_bundle  # noqa: E402
from millirobot_adapt.core.dynamics.engine import EngineConfig  # noqa: E402
from millirobot_adapt.core.dynamics.method_factory import make_method  # noqa: E402
from millirobot_adapt.core.dynamics.method_interface import Window  # noqa: E402
from millirobot_adapt.core.repeatability import generator  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.learning.graphs import AdaptGraph  # noqa: E402
from millirobot_adapt.learning.kinematics import body_state, integrate  # noqa: E402
from millirobot_adapt.learning.network import forward  # noqa: E402
from millirobot_adapt.learning.segments import make_data_set, split_rollouts  # noqa: E402
from millirobot_adapt.learning.train import Curves, Trainer  # noqa: E402
from millirobot_adapt.learning.train_config import TrainConfig  # noqa: E402
from millirobot_adapt.learning.training_run import load_training_run  # noqa: E402

pytestmark = pytest.mark.train

WINDOW, HORIZON = 12, 8
SETTINGS = [
    'hidden=32,32', f'window={WINDOW}', f'horizon={HORIZON}', 'steps=200', 'check_every=40', 'batch=32',
    'learning_rate=3e-3', 'augment.heading=0.3',
]  # fmt: skip


@pytest.fixture(scope='module')
def trained(toy_rollouts, tmp_path_factory):
    """Train both methods on the toy robot by the command line, and export them."""
    folder = tmp_path_factory.mktemp('trained')
    toy_rollouts(count=30, length=40).save(folder / 'data.npz')
    for method in ('mb', 'grbal'):
        settings = [part for setting in SETTINGS for part in ('--set', setting)]
        data, run = str(folder / 'data.npz'), str(folder / f'run_{method}')
        assert main(['train', '--data', data, '--method', method, '--out', run, *settings]) == 0
        assert main(['export-model', run, '--out', str(folder / method)]) == 0
    return folder


def windows(rollouts, now=20):
    """The window that ends at state `now` of each rollout, and what follows it."""
    past = slice(now - WINDOW, now)
    for states, actions in zip(rollouts.states.astype(float), rollouts.actions.astype(float), strict=True):
        window = Window(states[past], actions[past], states[now - WINDOW + 1 : now + 1], np.ones(WINDOW))
        yield window, states[now : now + HORIZON + 1], actions[now : now + HORIZON]


def test_adapting_beats_theta_star_and_mb_where_the_heading_is_measured_wrong(trained, toy_rollouts):
    robot = RobotConfig()
    bundles = {name: load_bundle(str(trained / name), robot) for name in ('mb', 'grbal')}
    mb, grbal = (make_method(bundle, EngineConfig(threads=1)) for bundle in bundles.values())
    errors = {'mb': [], 'before': [], 'after': []}
    one_step = {'before': [], 'after': []}
    for window, states, actions in windows(toy_rollouts(count=20, length=30, skew=0.4, seed=7)):
        models = {'mb': mb.prior, 'before': grbal.prior, 'after': grbal.adapt(window).model}
        for name, model in models.items():
            predicted = model.rollout(states[0], actions[:, None])
            errors[name].append(np.hypot(*(predicted[-1, 0, :2] - states[-1, :2])))
            if name in one_step:
                error = bundles['grbal'].prediction_error(predicted[1, 0], states[1], states[0])
                one_step[name].append(error)
    rms = {name: np.sqrt(np.mean(np.square(values))) for name, values in errors.items()}
    assert rms['after'] < 0.8 * rms['before']
    assert rms['after'] < 0.8 * rms['mb']
    assert np.mean(one_step['after']) < np.mean(one_step['before'])


def test_exported_graphs_equal_pytorch(trained, toy_rollouts):
    run = load_training_run(trained / 'run_grbal')
    bundle = load_bundle(str(trained / 'grbal'), RobotConfig())
    method = make_method(bundle, EngineConfig(threads=1))
    window, states, actions = next(iter(windows(toy_rollouts(count=1, length=30, seed=3))))
    tensors = [torch.from_numpy(array).float() for array in (window.states, window.actions, window.next_states)]
    graph = AdaptGraph(run.model.normalisation, run.model.sizes.step, LAYOUT)
    with torch.no_grad():
        *theta, before, after, norm, step = graph(*run.model.theta, *tensors, torch.ones(WINDOW))
        state = torch.from_numpy(states[:1]).float()
        expected = [state]
        for action in torch.from_numpy(actions).float():
            outputs = forward(theta, run.model.normalisation.features(body_state(expected[-1], LAYOUT), action[None]))
            expected.append(integrate(expected[-1], run.model.normalisation.change(outputs)[None], 0.1, LAYOUT)[1])
    adaptation = method.adapt(window)
    for value, wanted in zip(adaptation.model.theta.values(), theta, strict=True):
        np.testing.assert_allclose(value.numpy(), wanted.numpy(), atol=1e-5)
    report = (adaptation.loss_before, adaptation.loss_after, adaptation.gradient_norm, adaptation.step)
    np.testing.assert_allclose(report, [float(v) for v in (before, after, norm, step)], rtol=1e-5)
    rolled = adaptation.model.rollout(states[0], np.repeat(actions[:, None], 3, axis=1))
    for candidate in range(3):
        np.testing.assert_allclose(rolled[:, candidate], torch.cat(expected).numpy(), atol=1e-5)


def test_equal_seeds_give_equal_bundles(trained, toy_rollouts, tmp_path):
    settings = [part for setting in SETTINGS for part in ('--set', setting)]
    data = str(trained / 'data.npz')
    for seed, equal in (('0', True), ('1', False)):
        run, out = str(tmp_path / f'run{seed}'), tmp_path / f'bundle{seed}'
        assert main(['train', '--data', data, '--method', 'mb', '--seed', seed, '--out', run, *settings]) == 0
        assert main(['export-model', run, '--out', str(out)]) == 0
        same = (out / 'model.yaml').read_bytes() == (trained / 'mb' / 'model.yaml').read_bytes()
        assert same == equal


def test_a_run_leaves_curves_and_a_record(trained):
    run = load_training_run(trained / 'run_grbal')
    assert run.record['training']['validation']['after']['one_step'] > 0
    assert run.record['data']['origin'] == 'toy'
    assert (trained / 'run_grbal' / 'curves.png').stat().st_size > 1000


def test_what_is_kept_is_the_moving_average_over_the_gradient_steps(toy_rollouts):
    rollouts = toy_rollouts(count=10, length=30)
    data = make_data_set(rollouts, 8, split_rollouts(10, generator(0)))
    config = TrainConfig(method='mb', hidden=(8,), window=4, horizon=4, steps=20, check_every=20, averaging=0.6)
    trainer = Trainer(config, data, 0.1)
    at = trainer.begin()
    expected = [value.detach().clone() for value in trainer.model.trained()]
    for step in range(1, 21):
        trainer.train_step(at)
        keep = min(0.6, step / (step + 10))  # 0.6 from the 15th step on; before, the average is one of few
        expected = [
            keep * value + (1 - keep) * now.detach()
            for value, now in zip(expected, trainer.model.trained(), strict=True)
        ]
    for value, followed, now in zip(expected, at.followed.trained(), trainer.model.trained(), strict=True):
        assert torch.allclose(followed, value, atol=1e-6)
        assert not torch.allclose(followed, now, atol=1e-6)
    kept = Trainer(config, data, 0.1).run(lambda step, line: None)
    assert all(torch.equal(a, b) for a, b in zip(kept.trained(), at.followed.trained(), strict=True))


def test_training_that_diverges_says_so_instead_of_leaving_a_model(toy_rollouts, tmp_path, capsys):
    toy_rollouts(count=10, length=30).save(tmp_path / 'data.npz')
    wild = [part for setting in (*SETTINGS, 'steps=4', 'inner_rate=1e30') for part in ('--set', setting)]
    arguments = ['--data', str(tmp_path / 'data.npz'), '--method', 'grbal_literal', '--out', str(tmp_path / 'run')]
    assert main(['train', *arguments, *wild]) == 2
    assert 'found a finite error; lower learning_rate' in capsys.readouterr().err
    assert not list((tmp_path / 'run').iterdir())


def test_a_run_that_was_killed_while_its_files_were_put_in_place_is_no_run(trained, tmp_path, monkeypatch, capsys):
    run = load_training_run(trained / 'run_mb')
    run.save(tmp_path / 'run', Curves())

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, 'replace', killed)
    with pytest.raises(KeyboardInterrupt):
        run.save(tmp_path / 'run', Curves())
    monkeypatch.undo()
    assert main(['export-model', str(tmp_path / 'run'), '--out', str(tmp_path / 'bundle')]) == 2
    assert 'holds no finished training run' in capsys.readouterr().err


def test_a_full_disk_costs_neither_an_earlier_run_nor_an_earlier_bundle(trained, tmp_path, monkeypatch, capsys):
    for name in ('run_mb', 'mb'):
        shutil.copytree(trained / name, tmp_path / name)
    before = {file: file.read_bytes() for file in tmp_path.rglob('*') if file.is_file()}

    def full(_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match=r'training\.yaml'):
        load_training_run(trained / 'run_grbal').save(tmp_path / 'run_mb', Curves())
    assert main(['export-model', str(trained / 'run_grbal'), '--out', str(tmp_path / 'mb'), '--force']) == 1
    assert f'{tmp_path / "mb"}/theta.npz: No space left' in capsys.readouterr().err
    assert {file: file.read_bytes() for file in tmp_path.rglob('*') if file.is_file()} == before


def test_nothing_is_overwritten_without_force(trained, capsys):
    data, run, bundle = (str(trained / name) for name in ('data.npz', 'run_mb', 'mb'))
    for command, what in (
        (['train', '--data', data, '--method', 'mb', '--out', run], 'holds a trained run already'),
        (['export-model', run, '--out', bundle], 'holds a model bundle already'),
        (['collect', '--out', data], 'holds collected data already'),
    ):
        assert main(command) == 2
        assert what in capsys.readouterr().err
    assert main(['export-model', run, '--out', bundle, '--force']) == 0


def test_data_of_another_robot_do_not_become_a_model_of_this_one(trained, toy_rollouts, tmp_path, capsys):
    run = load_training_run(trained / 'run_mb')
    run.record['robot'], run.record['data']['dt'] = 'roach2', 0.05
    run.save(tmp_path / 'run', Curves())
    for option in (['--robot', 'velociroach'], []):
        assert main(['export-model', str(tmp_path / 'run'), '--out', str(tmp_path / 'bundle'), *option]) == 2
        assert 'roach2' in capsys.readouterr().err
    run.record['robot'] = 'velociroach'
    run.save(tmp_path / 'slow', Curves())
    assert main(['export-model', str(tmp_path / 'slow'), '--out', str(tmp_path / 'bundle')]) == 2
    assert "'velociroach' at 0.05 s a control period" in capsys.readouterr().err
    assert not (tmp_path / 'bundle').exists()


@pytest.mark.parametrize('method', ['mb', 'grbal'])
def test_an_interrupted_training_goes_on_bit_for_bit(toy_rollouts, tmp_path, monkeypatch, capsys, method):
    toy_rollouts(count=12, length=40).save(tmp_path / 'data.npz')
    settings = [part for setting in (*SETTINGS, 'steps=60', 'check_every=10') for part in ('--set', setting)]

    def train(folder, *more):
        arguments = ['--data', str(tmp_path / 'data.npz'), '--method', method, '--out', str(tmp_path / folder)]
        return main(['train', *arguments, *settings, *more])

    assert train('whole') == 0
    look = Trainer.run

    def cut_short(self, progress, descent=None, on_look=None):
        def until_30(trainer, at):
            on_look(trainer, at)
            if at.step == 30:
                raise KeyboardInterrupt

        return look(self, progress, descent, until_30)

    monkeypatch.setattr(Trainer, 'run', cut_short)
    assert train('cut') == 130
    monkeypatch.undo()
    assert 'not finished; go on with the same command and --resume' in capsys.readouterr().out
    assert not (tmp_path / 'cut' / 'model.npz').exists()
    assert train('cut', '--set', 'batch=16', '--resume') == 2
    assert 'batch was 32 and is 16' in capsys.readouterr().err
    assert train('cut', '--resume') == 0
    assert 'going on at step 30' in capsys.readouterr().out
    whole, again = (np.load(tmp_path / folder / 'model.npz') for folder in ('whole', 'cut'))
    for name in whole.files:
        np.testing.assert_array_equal(whole[name], again[name])
    assert not (tmp_path / 'cut' / 'checkpoint.npz').exists()


def test_there_is_nothing_to_resume_where_nothing_was_interrupted(trained, tmp_path, capsys):
    arguments = ['--data', str(trained / 'data.npz'), '--out', str(tmp_path / 'run'), '--resume']
    assert main(['train', *arguments]) == 2
    assert 'holds no interrupted training' in capsys.readouterr().err
    (tmp_path / 'run' / 'checkpoint.npz').write_bytes(b'')
    assert main(['train', *arguments]) == 2
    assert 'cannot be read' in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told_before_the_work_is_done(trained, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    place = str(tmp_path / 'file' / 'run')
    for command in (
        ['train', '--data', str(trained / 'data.npz'), '--out', place],
        ['export-model', str(trained / 'run_mb'), '--out', place],
        ['collect', '--minutes', '600', '--out', place],
    ):
        assert main(command) == 2
        assert 'cannot be made' in capsys.readouterr().err
    assert main(['collect', '--minutes', '600', '--out', str(tmp_path)]) == 2
    assert 'is a folder; name a file' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (['--data', 'none.npz', '--out', 'x'], 'none.npz: no such file'),
        (['--data', 'none.npz', '--out', 'x', '--method', 'magic'], "'magic' is not one of mb, "),
        (['--data', 'none.npz', '--out', 'x', '--set', 'stepz=1'], 'unknown parameter'),
        (['--data', 'none.npz', '--out', 'x', '--set', 'steps=many'], "'many' is not of type int"),
        (['--data', 'none.npz', '--out', 'x', '--set', 'guard=maybe'], "'maybe' is not of type bool"),
        (['--data', 'none.npz', '--out', 'x', '--set', 'steps=0'], 'below its lowest value'),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(['train', *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count('\n') == 1


def test_exporting_nothing_is_bad_input(tmp_path, capsys):
    assert main(['export-model', str(tmp_path), '--out', str(tmp_path / 'x')]) == 2
    assert 'holds no finished training run' in capsys.readouterr().err
