"""A robot that nobody has programmed for, from its YAML alone: trained, planned with, recorded, and replayed."""

import json

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('onnx')

import yaml
from twist_run import START, TICKS, Point, sense, write_run

from millirobot_adapt.app import main as cli
from millirobot_adapt.contract.arrival_record import ArrivalLog, feed
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.learning import session
from millirobot_adapt.learning.rollout_file import cut_walks, load_rollouts
from millirobot_adapt.learning.train_config import TrainConfig

pytestmark = pytest.mark.train
YAML = """
name: holonomic
dt: 0.05
driver: {kind: twist}
actions:
  - {name: forward, unit: m/s, low: -0.5, high: 0.8}
  - {name: lateral, unit: m/s, low: -0.3, high: 0.3}
  - {name: turn, unit: rad/s, low: -1.5, high: 1.5}
"""


def collected(robot, rng):
    walks = []
    for _ in range(8):
        estimator, point = make_estimator(EstimatorNodeConfig(), robot), Point(rng.uniform(0.6, 1.2))
        log, stamps, states, actions = ArrivalLog(), [], [], []
        for tick in range(80):
            if tick % 5 == 0:
                action = rng.uniform(robot.action_low, robot.action_high)
            told = dict(zip(robot.layout.action_names, action, strict=True))
            poses, reply = sense(point, told, START + robot.dt * tick, robot.dt, rng)
            for pose in poses:
                log.pose(pose)
            estimate, sample = feed(estimator, log.reply(reply))
            if estimate is not None and tick > 5:
                stamps.append(sample.stamp)
                states.append(sample.state)
                actions.append(action)
        actions = [*actions[1:], np.full(3, np.nan)]
        walks.append((np.array(stamps), np.array(states), np.array(actions)))
    metadata = {'origin': 'toy', 'robot': robot.name, 'dt': robot.dt}
    return cut_walks(walks, 60, robot, metadata)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('third')
    file = folder / 'holonomic.yaml'
    file.write_text(YAML)
    robot = load_robot(str(file))
    rollouts = collected(robot, np.random.default_rng(0))
    rollouts.save(folder / 'data.npz')
    assert load_rollouts(folder / 'data.npz').layout == robot.layout
    config = TrainConfig(method='grbal', hidden=(24, 24), window=10, horizon=8, steps=120, check_every=40, batch=16)
    # What is trained on comes from a file that names the robot; export is told which one it is.
    session.train(load_rollouts(folder / 'data.npz'), folder / 'run', config, say=lambda line: None)
    session.export(folder / 'run', folder / 'bundle', robot)
    return file, folder / 'bundle'


def test_it_walks_its_path_and_every_number_comes_again(trained, tmp_path, capsys):
    robot, result, point = write_run(tmp_path / 'bag', *trained)
    assert result.state.shape == (15,)
    assert result.plan.actions.shape == (8, 3)
    assert ((result.plan.actions[1:] >= robot.action_low) & (result.plan.actions[1:] <= robot.action_high)).all()
    assert np.hypot(point.x, point.y) > 0.3, 'it went somewhere'
    assert result.adaptation.loss_after <= result.adaptation.loss_before
    assert cli.main(['replay', str(tmp_path / 'bag'), '--check', '--json']) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures['exact']
    assert figures['difference'] is None
    assert figures['compared']['ticks'] >= TICKS - 3
    assert figures['compared']['states'] >= TICKS - 3


def test_its_bundle_names_its_own_columns_and_fits_no_other_robot(trained):
    manifest = yaml.safe_load((trained[1] / 'model.yaml').read_text())
    assert (manifest['robot'], manifest['dt'], len(manifest['state']['names'])) == ('holonomic', 0.05, 15)
    assert manifest['action']['names'] == ['forward', 'lateral', 'turn']
    with pytest.raises(Exception, match='state names do not fit the robot'):
        assemble(ControllerConfig(model=str(trained[1])))


def test_its_tables_have_its_columns(trained, tmp_path):
    write_run(tmp_path / 'bag', *trained)
    out = tmp_path / 'tables.npz'
    assert cli.main(['export-bag', str(tmp_path / 'bag'), '--out', str(out)]) == 0
    with np.load(out) as tables:
        assert {'executing_forward_m_s', 'next_turn_rad_s', 'cos_yaw'} <= set(tables['ticks'].dtype.names)
