"""Make the bag of a short run of a robot that takes velocity commands and reports nothing, as the nodes write it."""

from dataclasses import replace

import numpy as np
import yaml

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
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
from millirobot_adapt.core.share import file_hashes
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter

START, TICKS = 1_700_000_000.0, 40


class Point:
    """Moves as it is told, but for a hidden share of its turning."""

    def __init__(self, share=1.0):
        self.x = self.y = self.yaw = 0.0
        self.share = share

    def step(self, action, seconds):
        """Follow an action, named `forward`, `turn`, and `lateral` where there is one."""
        forward, lateral, turn = (action.get(name, 0.0) for name in ('forward', 'lateral', 'turn'))
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
        poses.append(PoseSample(exact(stamp - early), position, turn))
    nothing, unknown = np.empty(0), np.full(3, np.nan)
    return poses, Telemetry(exact(stamp), nothing, nothing, unknown, unknown, nothing, np.nan)


def exact(stamp):
    """Return a stamp as it comes back over the wire."""
    microseconds = round(stamp * 1e6)
    return microseconds // 1_000_000 + 1e-9 * (microseconds % 1_000_000 * 1000)


def write_run(folder, robot, model, told=('model', 'controller', 'estimator')):
    """Write the bag of a short run along a path, as the nodes would; return robot, last result of the loop, point.

    `told`: of what the run tells parameters.
    """
    controller = ControllerConfig(
        robot=str(robot), model=str(model), path='zigzag', seed=3, deadline=0.04, engine=EngineConfig(threads=1),
        planner=PlannerConfig(samples=60, batch=30, horizon=8),
    )  # fmt: skip
    assembly = assemble(controller)
    config, robot, bundle = EstimatorNodeConfig(robot=str(robot)), assembly.robot, assembly.bundle.path
    estimator, point, log, rng = make_estimator(config, robot), Point(0.8), ArrivalLog(), np.random.default_rng(1)
    content = {
        'seed': 3, 'version': {'package': '0.1.0'}, 'robot': flatten(robot),
        'model': {'path': str(bundle), 'sha256': file_hashes(bundle)},
        'controller': nest(flatten(controller)), 'estimator': nest(flatten(config)),
    }  # fmt: skip
    content = {key: value for key, value in content.items() if key in ('seed', 'version', 'robot', *told)}
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
            told = dict(zip(names, action, strict=True))
            poses, reply = sense(point, told, stamp + 0.01, robot.dt, rng)
            for pose in poses:
                log.pose(pose)
            write(topics.REPLY, stored_messages.labelled_array(encode_reply(reply), 'reply'), stamp + 0.011)
            link = {'sent': tick + 1, 'replies': tick + 1, 'lost': 0, 'bad_frames': 0}
            write(topics.BRIDGE_STATE, stored_messages.status('bridge', 'armed', link), stamp + 0.011)
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
