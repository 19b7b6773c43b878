"""What load_bundle refuses, and that it says so in one line naming the thing and the fix."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig, load_robot

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden_bundle'


@pytest.fixture
def folder(tmp_path):
    """A copy to damage."""
    return Path(shutil.copytree(GOLDEN, tmp_path / 'bundle'))


def edit(folder, change):
    """Change the manifest; with a new file's content its hash is set right."""
    manifest = yaml.safe_load((folder / 'model.yaml').read_text())
    change(manifest)
    (folder / 'model.yaml').write_text(yaml.safe_dump(manifest))


def replace_file(folder, name, content):
    (folder / name).write_bytes(content)
    edit(folder, lambda manifest: manifest['files'].update({name: hashlib.sha256(content).hexdigest()}))


def refused(folder, complaint, robot=None):
    with pytest.raises(UserError) as caught:
        load_bundle(str(folder), robot or RobotConfig())
    assert complaint in str(caught.value)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('name', ['velociroach_mb', 'velociroach_grbal'])
def test_shipped_bundles_load_and_predict(name):
    robot = load_robot('velociroach')
    bundle = load_bundle(name, robot)
    method = make_method(bundle, EngineConfig(threads=1))
    assert name.endswith(bundle.method)
    state = np.zeros(24)
    state[[6, 8, 10, 15, 17]] = 1.0
    state[19:21] = 30.0
    states = method.prior.rollout(state, np.full((15, 3, 2), 35.0))
    assert np.isfinite(states).all()
    assert 0.05 < states[-1, 0, 0] < 1.5  # metres forward in 1.5 s at 5.6 leg turns a second


def test_missing_things(folder, tmp_path):
    refused('no_such_model', 'no such file, and no model of that name is shipped')
    refused(tmp_path, 'has no model.yaml')
    (folder / 'rollout.onnx').unlink()
    refused(folder, 'rollout.onnx: cannot be read')


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        (lambda m: m.update(schema=99), 'schema 99 is not 1'),
        (
            lambda m: m['state']['names'].__setitem__(3, 'speed'),
            "state names do not fit the robot: number 3 is 'speed'",
        ),
        (lambda m: m['state']['names'].pop(), '23 instead of 24'),
        (lambda m: m['action']['units'].__setitem__(0, 'rev/s'), 'action units do not fit'),
        (lambda m: m['targets'].pop('names'), 'targets: names is missing; export the model again'),
        (lambda m: m['targets'].update(scale=[1.0] * 7), 'targets: scale has 7 values instead of 8'),
        (lambda m: m['targets'].update(scale=[0.0] * 8), 'targets: scale = 0.0 must be greater than 0'),
        (lambda m: m['targets'].update(scale='wide'), 'targets: scale must be a list'),
        (lambda m: m.update(robot='cheetah'), "was trained for robot 'cheetah'"),
        (lambda m: m.update(dt=0.02), 'dt = 0.02 s, but the robot is controlled every 0.1 s'),
        (lambda m: m.update(window=0), 'window = 0 is below its lowest value 1'),
        (lambda m: m.update(window='long'), 'window must be of type int'),
        (lambda m: m.pop('state'), 'state is missing'),
        (lambda m: m['files'].pop('theta.npz'), 'files: theta.npz is missing'),
        (lambda m: m['files'].update({'../x.onnx': '0' * 64}), '../x.onnx is outside the bundle'),
        (lambda m: m['files'].update({'theta.npz': '0' * 64}), 'does not have the SHA-256'),
    ],
)
def test_manifests_that_do_not_fit(folder, change, complaint):
    edit(folder, change)
    refused(folder, complaint)


def test_model_of_another_control_period(folder):
    refused(folder, 'dt = 0.1 s', replace(RobotConfig(), dt=0.05))


def test_damaged_and_dangerous_files(folder):
    replace_file(folder, 'theta.npz', b'no arrays')
    refused(folder, 'theta.npz: cannot be read as arrays')
    np.savez(folder / 'theta.npz', w0=np.array([{'pickled': 1}], dtype=object), allow_pickle=True)
    replace_file(folder, 'theta.npz', (folder / 'theta.npz').read_bytes())
    refused(folder, 'theta.npz: cannot be read as arrays')
    np.savez(folder / 'theta.npz', w0=np.array([np.nan]))
    replace_file(folder, 'theta.npz', (folder / 'theta.npz').read_bytes())
    refused(folder, 'not finite')


def test_graph_with_data_outside(folder):
    graph = (folder / 'rollout.onnx').read_bytes()
    replace_file(folder, 'rollout.onnx', graph + b'\x6a\x14\x0a\x08location\x12\x08/etc/any')
    refused(folder, 'keeps data outside itself')


def test_graph_that_is_none(folder):
    replace_file(folder, 'rollout.onnx', b'no graph')
    bundle = load_bundle(str(folder), RobotConfig())
    with pytest.raises(UserError, match=r'rollout.onnx: is not a graph that onnxruntime can load'):
        make_method(bundle, EngineConfig())


def test_graph_of_another_network(folder):
    with np.load(folder / 'theta.npz') as arrays:
        np.savez(folder / 'theta.npz', **dict(arrays), w3=np.ones((8, 8)))
    replace_file(folder, 'theta.npz', (folder / 'theta.npz').read_bytes())
    bundle = load_bundle(str(folder), RobotConfig())
    with pytest.raises(UserError, match=r'do not fit theta.npz \(w3\)'):
        make_method(bundle, EngineConfig())


def test_method_without_its_graph(folder):
    edit(folder, lambda manifest: manifest['files'].pop('adapt.onnx'))
    bundle = load_bundle(str(folder), RobotConfig())
    with pytest.raises(UserError, match=r'has no adapt.onnx, which the chosen method or engine needs'):
        make_method(bundle, EngineConfig())
    assert make_method(bundle, EngineConfig(), 'mb').window_length == 6
