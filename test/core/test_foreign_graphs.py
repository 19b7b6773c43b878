"""Graphs that load and are not what a bundle needs are refused when the model is loaded, by name, type and shape."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from onnx_graphs import standing_rollout

from millirobot_adapt.app.doctor.examine import examine
from millirobot_adapt.app.doctor.finding import Level
from millirobot_adapt.app.doctor.model_checks import check_model
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble, warm_up
from millirobot_adapt.core.dynamics.bundle import load_bundle
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.dynamics.method_factory import make_method
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden_bundle'


@pytest.fixture
def bundle_with(tmp_path):
    """Make the golden bundle with another graph of some name, as another program would: the hashes are right."""

    def make(name, content):
        folder = Path(shutil.copytree(GOLDEN, tmp_path / 'bundle'))
        (folder / name).write_bytes(content)
        manifest = yaml.safe_load((folder / 'model.yaml').read_text())
        manifest['files'][name] = hashlib.sha256(content).hexdigest()
        (folder / 'model.yaml').write_text(yaml.safe_dump(manifest))
        return load_bundle(str(folder), RobotConfig())

    return make


@pytest.fixture(scope='module')
def theta():
    with np.load(GOLDEN / 'theta.npz') as arrays:
        return dict(arrays)


def refused(bundle, *says, method='mb'):
    with pytest.raises(UserError) as caught:
        make_method(bundle, EngineConfig(threads=1), method)
    for words in says:
        assert words in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_foreign_graph_that_fits_is_taken(bundle_with, theta):
    method = make_method(bundle_with('rollout.onnx', standing_rollout(theta)), EngineConfig(threads=1), 'mb')
    states = method.prior.rollout(np.arange(24.0), np.zeros((5, 40, 2)))
    assert (states == np.arange(24.0)).all()


@pytest.mark.parametrize(
    ('how', 'says'),
    [
        ({'kind': 'double'}, 'is tensor(double) of shape'),
        ({'time_axis': False}, 'output states is tensor(float) of shape (any, 24) instead of tensor(float) of shape'),
        (
            {'actions': (15, 1000, 2)},
            'input actions is tensor(float) of shape (15, 1000, 2) instead of tensor(float) of shape (any, any, 2)',
        ),
        ({'actions': ('H', 'K', 3)}, 'input actions is tensor(float) of shape (any, any, 3) instead'),
        ({'actions': ('H', 2)}, 'input actions is tensor(float) of shape (any, 2) instead'),
        ({'factor': np.nan}, 'output states is not finite even for a robot that stands at the origin'),
        ({'factor': np.inf}, 'output states is not finite'),
    ],
)
def test_another_rollout_graph_is_refused(bundle_with, theta, how, says):
    refused(bundle_with('rollout.onnx', standing_rollout(theta, **how)), 'rollout.onnx: its ', says)


def test_an_input_that_misses_or_is_too_many_is_named(bundle_with, theta):
    fewer = {name: array for name, array in theta.items() if name != 'b0'}
    refused(bundle_with('rollout.onnx', standing_rollout(fewer)), 'its inputs do not fit theta.npz (b0)')


def test_a_rollout_graph_in_place_of_the_adaptation_is_refused(bundle_with, theta):
    refused(bundle_with('adapt.onnx', standing_rollout(theta)), 'adapt.onnx: its inputs do not fit', method='grbal')


def test_a_graph_that_cannot_be_run_is_refused(bundle_with, theta):
    refused(bundle_with('rollout.onnx', standing_rollout(theta, places=(0, 7))), 'rollout.onnx: it cannot be run: ')


def test_a_graph_with_axes_in_another_order_is_refused(bundle_with, theta):
    graph = standing_rollout(theta, places=(1, 0))
    refused(bundle_with('rollout.onnx', graph), 'output states has the shape (4, 2, 24) instead of (3, 3, 24)')


def test_a_model_that_predicts_nothing_finite_after_all_is_refused_when_it_warms_up(bundle_with, theta):
    """At the origin its numbers are large; those of a robot with a charged battery overflow."""
    bundle = bundle_with('rollout.onnx', standing_rollout(theta, factor=1e38))
    config = ControllerConfig(model=str(bundle.path), method='mb')
    with pytest.raises(UserError, match='predicts nothing finite for a robot that stands'):
        warm_up(assemble(config, RobotConfig()))


def test_the_doctor_names_the_graph(bundle_with, theta):
    bundle = bundle_with('rollout.onnx', standing_rollout(theta, kind='double'))
    (_, finding), *more = examine(Subject(model=str(bundle.path)), {'model': check_model})
    assert not more
    assert finding.level is Level.FAIL
    assert 'rollout.onnx: its input ' in finding.what
    assert finding.fix == 'export the model again'
