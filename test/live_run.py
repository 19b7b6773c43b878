"""Make the bag of a short live run with the real estimator and the real control loop, but no processes and no robot.

The robot is a point that does what it is told with some noise; everything that estimator and controller publish is
written as their nodes do, so replay must find every number again.
"""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.arrival_record import ArrivalLog, feed
from millirobot_adapt.contract.reply_codec import encode_reply
from millirobot_adapt.contract.state_codec import encode_state
from millirobot_adapt.contract.tick_codec import encode_tick
from millirobot_adapt.core.config import flatten, nest
from millirobot_adapt.core.control.plan_buffer import PlanBuffer
from millirobot_adapt.core.control.planning_model import load_model
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.geometry import quaternion_from_rpy
from millirobot_adapt.core.live_rules import changed, live_values
from millirobot_adapt.core.planning.planner_factory import PlannerConfig
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
from millirobot_adapt.core.share import file_hashes
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0
DT = 0.1
MODEL = Path(__file__).resolve().parent / 'data' / 'bags' / 'small_grbal'
CONTROLLER = ControllerConfig(
    model=str(MODEL),
    planner=PlannerConfig(samples=24, batch=12, horizon=5),
    engine=EngineConfig(threads=1),
    path='zigzag',
    seed=11,
)


@dataclass
class Robot:
    """A point that moves as far as its legs turn."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.3

    def step(self, action, seconds):
        speed = 0.006 * float(action.mean())
        self.yaw += 0.02 * float(action[1] - action[0]) * seconds
        self.x += speed * np.cos(self.yaw) * seconds
        self.y += speed * np.sin(self.yaw) * seconds


def unchanged(topic, number, message):
    """Write every message as it is; a test gives another function, which returns None for a message to lose."""
    return message


class Writer:
    """Write messages to a bag, each by its way through `change`, numbered by topic."""

    def __init__(self, bag, change):
        self.bag, self.change, self.counts = bag, change, {}

    def __call__(self, topic, message, received):
        number = self.counts.get(topic.name, 0)
        self.counts[topic.name] = number + 1
        changed = self.change(topic.name, number, message)
        if changed is not None:
            self.bag.write_message(f'/{topic.name}', changed, received)


def write_live_run(
    folder,
    ticks=12,
    change=unchanged,
    fingerprint=None,
    model_hashes=None,
    starts=(0,),
    controller=CONTROLLER,
    blind=(),
    tuned=None,
    paused=(),
    swapped=None,
):
    """Write a bag and return its folder.

    A run starts at each tick of `starts`, no state comes in those of `blind`, the run is paused in those of `paused`;
    `tuned` maps ticks to the live parameters that are in use from then on, `swapped` to the folder of the model.
    """
    walk = (ticks, tuple(starts), tuple(blind), tuned or {}, tuple(paused), swapped or {})
    key = repr((controller, walk))
    if key not in _walks:
        _walks[key] = Walk(controller, *walk)
    walked = _walks[key]
    sha256 = model_hashes or file_hashes(walked.bundle)
    content = {**walked.content, 'model': {'path': str(walked.bundle), 'sha256': sha256}}
    details = {'fingerprint': walked.fingerprint if fingerprint is None else fingerprint}
    with BagWriter(folder) as bag:
        write = Writer(bag, change)
        write(topics.RUN, typestore().types[topics.RUN.type](yaml.safe_dump(content)), START)
        write(topics.CONTROLLER_STATE, stored_messages.status('controller', 'running', details), START)
        for written in walked.written:
            if written is None:
                bag.flush()
            else:
                topic, message, received = written
                write(topic, message if change is unchanged else copy.deepcopy(message), received)
    return folder


class Walk:
    """What estimator and controller publish in a walk, in order; None where the recorder flushes."""

    def __init__(self, controller, ticks, starts, blind, tuned, paused, swapped):
        assembly = assemble(controller)
        estimator_config = EstimatorNodeConfig()
        self.bundle = assembly.bundle.path
        self.fingerprint = assembly.details['fingerprint']
        self.content = {
            'seed': controller.seed,
            'version': {'package': '0.1.0'},
            'robot': flatten(assembly.robot),
            'controller': nest(flatten(controller)),
            'estimator': nest(flatten(estimator_config)),
        }
        self.written = []
        estimator = make_estimator(estimator_config, assembly.robot)
        _walk(self._write, assembly, estimator, ticks, starts, blind, tuned, paused, swapped)

    def _write(self, topic=None, message=None, received=None):
        self.written.append(None if topic is None else (topic, message, received))


_walks: dict[str, Walk] = {}
"""Each walk is walked once by a process, and written as often as tests ask."""


def _walk(write, assembly, estimator, ticks, starts, blind, tuned, paused, swapped):
    robot, log, rng = Robot(), ArrivalLog(), generator(4)
    neutral = assembly.robot.layout.neutral
    book, before, path = PlanBuffer(assembly.config.misses_allowed, neutral), None, None
    config, revision, model = assembly.config, 0, assembly.model
    if swapped:
        _tell(write, START, revision, config, model)
    for tick in range(ticks):
        stamp = START + DT * tick
        if tick in starts:
            book.restart(tick - 1)
            path = None
        if tick - 1 in paused and tick not in paused:
            book.restart(tick - 1)
        if tick in tuned or tick in swapped:
            config, revision = changed(config, tuned.get(tick, {}), 'test'), revision + 1
            if tick in swapped:
                name = str(swapped[tick])
                first = name == str(assembly.bundle.path)
                model = assembly.model if first else load_model(name, assembly.robot, config.engine)
            _tell(write, stamp, revision, config, model if swapped else None)
            assembly.loop.tune(assembly.tuning(config, revision, model))
        setpoint, misses = book.action(tick), book.misses(tick)
        setpoint = neutral if setpoint is None else setpoint
        if tick in paused:
            setpoint, misses = np.zeros(2), 0
        write(topics.SETPOINT, stored_messages.joint_state(stamp, setpoint), stamp)
        write(topics.SENT, stored_messages.joint_state(stamp + 0.001, setpoint), stamp + 0.001)
        poses, reply = _sense(robot, setpoint, stamp, rng)
        for pose in poses:  # the recorder hears of them later than the estimator does
            write(
                topics.MOCAP_POSE,
                stored_messages.pose_stamped(pose.stamp, pose.position, pose.quaternion),
                stamp + 0.09,
            )
            log.pose(pose)
        record = log.reply(reply)
        write(topics.ARRIVALS, stored_messages.labelled_array(record.encode(), 'arrivals'), stamp + 0.02)
        estimate, sample = feed(estimator, record)
        odometry = stored_messages.odometry(estimate)
        write(topics.ODOMETRY, odometry, stamp + 0.02)
        write(topics.STATE, stored_messages.labelled_array(encode_state(sample), 'state'), stamp + 0.02)
        write(topics.REPLY, stored_messages.labelled_array(encode_reply(reply), 'reply'), stamp + 0.015)
        parts = zip(TELEMETRY, stored_messages.telemetry_messages(reply), strict=True)
        for topic, message in parts:
            write(topic, message, stamp + 0.015)
        state_stamp, state = sample.stamp, sample.state
        if tick in paused:
            record = TickRecord.without_state(
                tick, stamp, assembly.config.seed, setpoint, assembly.robot.layout.nx, running=False
            )
            _write_tick(write, record, misses)
            before = setpoint
            continue
        if tick in blind:
            _write_tick(
                write,
                TickRecord.without_state(tick, stamp, assembly.config.seed, setpoint, assembly.robot.layout.nx),
                misses,
            )
            before = None
            continue
        if path is None:
            path = assembly.paths.lay(state)
            assembly.loop.restart(path)
            write(topics.REFERENCE, stored_messages.path(stamp, path.outline), stamp)
        result = assembly.loop.step(tick, state_stamp, state, before, setpoint)
        book.store(tick, result.plan)
        record = result.record(seed=assembly.config.seed, stamp=stamp, state_stamp=state_stamp)
        _write_tick(write, record, misses)
        before = setpoint
        if tick % 3 == 2:
            write()


def _tell(write, stamp, revision, config, model):
    """Say what is in use; versions before the swap of models named no model."""
    told = {'revision': revision, 'parameters': live_values(config)}
    if model is not None:
        told['model'] = {'path': str(model.bundle.path), 'digest': model.bundle.digest, 'why': 'a test'}
    write(topics.PARAMETERS, typestore().types[topics.PARAMETERS.type](yaml.safe_dump(told)), stamp)


def _write_tick(write, record, misses):
    message = stored_messages.labelled_array(encode_tick(replace(record, misses=misses)), 'tick')
    write(topics.TICK, message, record.stamp + 0.04)


TELEMETRY = (topics.LEGS, topics.IMU, topics.BATTERY, topics.BACK_EMF)


def _sense(robot, setpoint, stamp, rng):
    """Return ten poses of a tick, one of them late, and its telemetry reply."""
    poses = []
    for early in np.arange(0.09, -0.005, -0.01):
        robot.step(setpoint, 0.01)
        position = np.array([robot.x, robot.y, 0.03]) + rng.normal(0.0, 2e-4, 3)
        poses.append(PoseSample(_exact(stamp - early), position, quaternion_from_rpy(np.array([0.0, 0.0, robot.yaw]))))
    poses[4], poses[7] = poses[7], poses[4]
    legs = 0.9 * setpoint + rng.normal(0.0, 1.0, 2)
    gyro, nothing = rng.normal(0.0, 0.1, 3), np.zeros(3)
    return poses, Telemetry(_exact(stamp + 0.012), legs * stamp % 7.0, legs, gyro, nothing, 0.01 * legs, 4.0)


def _exact(stamp):
    """Return a stamp as it comes back over the wire."""
    microseconds = round(stamp * 1e6)
    return microseconds // 1_000_000 + 1e-9 * (microseconds % 1_000_000 * 1000)
