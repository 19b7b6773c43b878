"""Data that would teach a model wrong things are refused, or what is wrong with them is said."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnx')

from millirobot_adapt.app.main import main  # noqa: E402
from millirobot_adapt.core.dynamics.bundle import load_bundle  # noqa: E402
from millirobot_adapt.core.dynamics.engine import EngineConfig  # noqa: E402
from millirobot_adapt.core.dynamics.method_factory import make_method  # noqa: E402
from millirobot_adapt.core.errors import UserError  # noqa: E402
from millirobot_adapt.core.robot.description import RobotConfig  # noqa: E402
from millirobot_adapt.learning.data_check import check_data  # noqa: E402
from millirobot_adapt.learning.rollout_file import load_rollouts  # noqa: E402

pytestmark = pytest.mark.train

STATE_NAMES = RobotConfig().layout.state_names

SETTINGS = [
    part
    for setting in ('steps=120', 'check_every=40', 'hidden=32,32', 'window=8', 'horizon=5', 'batch=32')
    for part in ('--set', setting)
]


def changed(rollouts, **arrays):
    return dataclasses.replace(rollouts, **arrays)


def test_good_data_pass_without_a_word(toy_rollouts):
    assert check_data(toy_rollouts(count=4, length=30)) == []


@pytest.mark.parametrize(('column', 'name'), [(0, 'left_setpoint'), (1, 'right_setpoint')])
def test_a_setpoint_that_never_varies_is_named(toy_rollouts, column, name):
    rollouts = toy_rollouts(count=4, length=30)
    actions = rollouts.actions.copy()
    actions[..., column] = 12.566
    (line,) = check_data(changed(rollouts, actions=actions))
    assert line.startswith(f'warning: {name} never varies in the data (12.57 throughout)')


def test_a_gyro_that_never_varies_is_named(toy_rollouts):
    rollouts = toy_rollouts(count=4, length=30)
    states = rollouts.states.copy()
    states[..., STATE_NAMES.index('wz')] = 0.0
    (line,) = check_data(changed(rollouts, states=states))
    assert 'yaw_rate never varies' in line
    assert 'check the sensor' in line


def test_legs_that_did_not_turn_are_refused(toy_rollouts):
    rollouts = toy_rollouts(count=4, length=30)
    states = rollouts.states.copy()
    states[..., STATE_NAMES.index('right_velocity')] = 0.01
    with pytest.raises(UserError, match=r'the right legs did not turn in the data: 0\.01 rad/s for setpoints of'):
        check_data(changed(rollouts, states=states))


def test_data_without_a_valid_transition_are_refused(toy_rollouts):
    rollouts = toy_rollouts(count=2, length=30)
    with pytest.raises(UserError, match='no valid transition'):
        check_data(changed(rollouts, valid=np.zeros_like(rollouts.valid)))


def test_an_input_that_was_constant_has_no_influence_on_the_model(toy_rollouts, tmp_path, capsys):
    rollouts = toy_rollouts(count=12, length=40)
    actions = rollouts.actions.copy()
    actions[..., 0] = 30.0
    changed(rollouts, actions=actions).save(tmp_path / 'data.npz')
    run, bundle = str(tmp_path / 'run'), str(tmp_path / 'bundle')
    assert main(['train', '--data', str(tmp_path / 'data.npz'), '--method', 'mb', '--out', run, *SETTINGS]) == 0
    assert 'left_setpoint never varies' in capsys.readouterr().out
    assert main(['export-model', run, '--out', bundle]) == 0
    model = make_method(load_bundle(bundle, RobotConfig()), EngineConfig(threads=1)).prior
    slow, fast = (
        model.rollout(rollouts.states[0, 0].astype(float), np.full((5, 1, 2), (left, 30.0))) for left in (13.0, 56.0)
    )
    np.testing.assert_allclose(slow, fast, atol=1e-4)
    other = model.rollout(rollouts.states[0, 0].astype(float), np.full((5, 1, 2), (13.0, 56.0)))
    assert np.abs(other - slow)[-1, 0, :2].max() > 1e-3


@pytest.fixture
def saved(toy_rollouts, tmp_path):
    path = tmp_path / 'data.npz'
    toy_rollouts(count=3, length=60).save(path)
    with np.load(path) as file:
        return path, {name: file[name] for name in file.files}


def refused(path, capsys):
    assert main(['train', '--data', str(path), '--method', 'mb', '--out', str(path.parent / 'run')]) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1, error
    return error


@pytest.mark.parametrize('content', [b'', b'PK', b'\x93NUMPY', b'PK\x03\x04' + bytes(60), b'text\n'])
def test_a_file_that_is_none_of_rollouts_is_one_line(saved, capsys, content):
    path, _ = saved
    path.write_bytes(content)
    assert 'is not a file of rollouts' in refused(path, capsys)


def test_a_renamed_npy_is_one_line(saved, capsys):
    path, _ = saved
    with path.open('wb') as file:
        np.save(file, np.zeros((3, 4)))
    assert 'is not a file of rollouts (a single array and no npz)' in refused(path, capsys)


def test_a_file_cut_short_is_one_line(saved, capsys):
    path, _ = saved
    content = path.read_bytes()
    for part in (0.2, 0.6, 0.95):
        path.write_bytes(content[: int(part * len(content))])
        assert 'is not a file of rollouts' in refused(path, capsys)


@pytest.mark.parametrize('name', ['states', 'actions'])
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_valid_transition_that_is_not_finite_is_named(saved, capsys, name, value):
    path, arrays = saved
    arrays[name][2, 50] = value
    np.savez(path, **arrays)
    first = 49 if name == 'states' else 50
    assert f'transition {first} of rollout 2 is marked valid but is not finite' in refused(path, capsys)
    arrays['valid'][2, 49:51] = False
    np.savez(path, **arrays)
    assert load_rollouts(path).valid.sum() == 3 * 60 - 2


def test_values_of_another_kind_are_one_line(saved, capsys):
    path, arrays = saved
    for name, wrong in (('valid', arrays['valid'].astype(int)), ('states', arrays['states'].astype(str))):
        np.savez(path, **{**arrays, name: wrong})
        assert f'{name} holds' in refused(path, capsys)
