"""A robot that nobody has programmed for, from its YAML alone: trained, planned with, recorded, and replayed."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('onnx')

import yaml

from millirobot_adapt.app import main as cli
from millirobot_adapt.contract import topics
from millirobot_adapt.contract.arrival_record import ArrivalLog, feed
from millirobot_adapt.contract.reply_codec import decode_reply, encode_reply
from millirobot_adapt.contract.state_codec import encode_state
from millirobot_adapt.contract.tick_codec import encode_tick
from millirobot_adapt.core.config import flatten, nest
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.geometry import quaternion_from_rpy
from millirobot_adapt.core.planning.planner_factory import PlannerConfig
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
from millirobot_adapt.core.share import file_hashes
from millirobot_adapt.learning import session
from millirobot_adapt.learning.rollout_file import cut_walks, load_rollouts
from millirobot_adapt.learning.train_config import TrainConfig
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter

pytestmark = pytest.mark.train
START, TICKS = 1_700_000_000.0, 40
YAML = """
name: holonomic
dt: 0.05
driver: {kind: twist}
actions:
  - {name: forward, unit: m/s, low: -0.5, high: 0.8}
  - {name: lateral, unit: m/s, low: -0.3, high: 0.3}
  - {name: turn, unit: rad/s, low: -1.5, high: 1.5}
"""


class Point:
    """Moves as it is told, but for a hidden share of its turning."""

    def __init__(self, share=1.0):
        self.x = self.y = self.yaw = 0.0
        self.share = share

    def step(self, action, seconds):
        forward, lateral, turn = action
        self.x += seconds * (forward * np.cos(self.yaw) - lateral * np.sin(self.yaw))
        self.y += seconds * (forward * np.sin(self.yaw) + lateral * np.cos(self.yaw))
        self.yaw += seconds * self.share * turn


def sense(point, action, stamp, dt, rng):
    """Let a period pass that ends at `stamp`; return its poses and the reply of a robot that reports nothing."""
    poses = []
    for early in np.arange(dt - 0.01, -0.005, -0.01):
        point.step(action, 0.01)
        position = np.array([point.x, point.y, 0.1]) + rng.normal(0.0, 1e-4, 3)
        turn = quaternion_from_rpy(np.array([0.0, 0.0, point.yaw]))
        poses.append(PoseSample(_exact(stamp - early), position, turn))
    nothing, unknown = np.empty(0), np.full(3, np.nan)
    return poses, Telemetry(_exact(stamp), nothing, nothing, unknown, unknown, nothing, np.nan)


def _exact(stamp):
    """Return a stamp as it comes back over the wire."""
    microseconds = round(stamp * 1e6)
    return microseconds // 1_000_000 + 1e-9 * (microseconds % 1_000_000 * 1000)


def collected(robot, rng):
    walks = []
    for _ in range(8):
        estimator, point = make_estimator(EstimatorNodeConfig(), robot), Point(rng.uniform(0.6, 1.2))
        log, stamps, states, actions = ArrivalLog(), [], [], []
        for tick in range(80):
            if tick % 5 == 0:
                action = rng.uniform(robot.action_low, robot.action_high)
            poses, reply = sense(point, action, START + robot.dt * tick, robot.dt, rng)
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


def write_run(folder, file, bundle):
    """Write the bag of a short run along a path, as the nodes would; return the loop's last result."""
    controller = ControllerConfig(
        robot=str(file), model=str(bundle), path='zigzag', seed=3, deadline=0.04, engine=EngineConfig(threads=1),
        planner=PlannerConfig(samples=60, batch=30, horizon=8),
    )  # fmt: skip
    assembly = assemble(controller)
    robot, config = assembly.robot, EstimatorNodeConfig(robot=str(file))
    estimator, point, log, rng = make_estimator(config, robot), Point(0.8), ArrivalLog(), np.random.default_rng(1)
    content = {
        'seed': 3, 'version': {'package': '0.1.0'}, 'robot': flatten(robot),
        'model': {'path': str(bundle), 'sha256': file_hashes(bundle)},
        'controller': nest(flatten(controller)), 'estimator': nest(flatten(config)),
    }  # fmt: skip
    action, before, result, names = robot.layout.neutral, None, None, robot.layout.action_names
    with BagWriter(folder) as bag:

        def write(topic, message, stamp):
            bag.write_message(f'/{topic.name}', message, stamp)

        write(topics.RUN, typestore().types[topics.RUN.type](yaml.safe_dump(content)), START)
        details = {'fingerprint': assembly.details['fingerprint']}
        write(topics.CONTROLLER_STATE, stored_messages.status('controller', 'running', details), START)
        for tick in range(TICKS):
            stamp = START + robot.dt * tick
            for topic in (topics.SETPOINT, topics.SENT):
                write(topic, stored_messages.joint_state(stamp, action, names=names), stamp)
            poses, reply = sense(point, action, stamp + 0.01, robot.dt, rng)
            for pose in poses:
                log.pose(pose)
            record = log.reply(decode_reply(encode_reply(reply)))
            write(topics.ARRIVALS, stored_messages.labelled_array(record.encode(), 'arrivals'), stamp + 0.011)
            estimate, sample = feed(estimator, record)
            if estimate is None:
                continue
            write(topics.ODOMETRY, stored_messages.odometry(estimate), stamp + 0.012)
            write(topics.STATE, stored_messages.labelled_array(encode_state(sample), 'state'), stamp + 0.012)
            if result is None:
                path = assembly.paths.lay(sample.state)
                assembly.loop.restart(path)
                write(topics.REFERENCE, stored_messages.path(stamp, path.outline), stamp)
            result = assembly.loop.step(tick, sample.stamp, sample.state, before, action)
            tick_record = replace(result.record(seed=3, stamp=stamp, state_stamp=sample.stamp), misses=0.0)
            message = stored_messages.labelled_array(encode_tick(tick_record), 'tick')
            write(topics.TICK, message, stamp + 0.03)
            before, action = action, result.next_action
    return robot, result, point


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
