"""Make the bag of a run that never was, with numbers that tests know and shapes that a report should show."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from robots import NU, NX

from millirobot_adapt.contract.tick_codec import encode_tick
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.estimation.estimator_interface import Estimate
from millirobot_adapt.core.geometry import quaternion_from_rpy
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.robot.samples import Telemetry
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0
DT = 0.1
SPEED = 0.25
FAULT_TICK = 200
T1, H = 16, 4


@dataclass
class Step:
    """What one tick of the made-up run looks like."""

    offset: float
    """True distance to the left of the path [m]."""
    work_ms: float
    period_ms: float
    pre_error: float
    post_error: float


def calm_step(tick: int) -> Step:
    """Return numbers that a test can reckon with: 1 cm off the path, 3 cm after the fault."""
    late = tick >= FAULT_TICK
    return Step(0.03 if late else 0.01, 20.0 + tick % 10, 100.0, 4.0 if late else 2.0, 1.0)


def lively_step(tick: int, generator: np.random.Generator) -> Step:
    """Return numbers that look like a walk: wandering, a fault that throws the robot off, recovery."""
    since = (tick - FAULT_TICK) * DT
    thrown = 0.11 * np.exp(-since / 2.2) * np.sin(2.0 * since) if since > 0 else 0.0
    wander = 0.022 * np.sin(0.31 * tick * DT * 2) + 0.012 * np.sin(1.9 * tick * DT)
    learnt = np.exp(-max(since, 0.0) / 1.2) if since > 0 else 0.0
    before = (1.5 if since <= 0 else 2.6) * generator.lognormal(0, 0.35)
    after = (1.1 + 0.9 * learnt) * generator.lognormal(0, 0.33)
    work = 24 + 5 * generator.lognormal(0, 0.5)
    return Step(thrown + wander, work, 100 + generator.normal(0, 0.8), before, after)


def write_run(folder: Path, ticks: int = 400, lively: bool = False, seed: int = 7) -> Path:
    """Write a run folder with a bag and parameters.yaml; returns the folder."""
    path = make_path('figure8')
    generator = np.random.default_rng(seed)
    with BagWriter(folder / 'bag') as bag:
        write_beginning(bag, path)
        for tick in range(ticks):
            step = lively_step(tick, generator) if lively else calm_step(tick)
            write_tick(bag, path, tick, step, generator if lively else None, seed)
            if tick % 20 == 19:
                bag.flush()
            if lively and tick % 10 == 5:
                _write_link(bag, tick, generator)
            if tick == FAULT_TICK:
                values = {'start': 20.0, 'leg': 'left middle'}
                stamp = START + tick * DT
                bag.write_message(
                    '/mock/fault', stored_messages.status('missing_leg', 'left middle leg lost', values), stamp
                )
        write_end(bag, ticks)
    parameters = {
        'seed': seed,
        'ros': {'distro': 'jazzy', 'rmw': 'rmw_fastrtps_cpp'},
        'controller': {'path': 'figure8', 'planner': {'samples': 400, 'horizon': 12}},
    }
    (folder / 'parameters.yaml').write_text(yaml.safe_dump(parameters))
    return folder


def write_beginning(bag: BagWriter, path: ReferencePath) -> None:
    points = np.vstack([path.waypoints, path.waypoints[:1]])
    bag.write_message('/reference', stored_messages.path(START, points), START - 0.02)
    details = {'method': 'grbal', 'model': 'velociroach_grbal'}
    bag.write_message('/controller/state', stored_messages.status('controller', 'running', details), START - 0.02)
    bag.write_message('/bridge/state', stored_messages.status('bridge', 'armed', {'armed': True}), START - 0.03)


def write_end(bag: BagWriter, ticks: int) -> None:
    end = START + ticks * DT
    values = {
        'armed': True, 'sent': 500, 'replies': 495, 'lost': 5, 'bad_frames': 2, 'rtt_p50_ms': 14.2, 'rtt_p99_ms': 19.8,
    }  # fmt: skip
    bag.write_message('/bridge/state', stored_messages.status('bridge', 'armed', values), end)
    bag.write_message(
        '/bridge/state', stored_messages.status('bridge', 'battery low', values | {'armed': False}), end + 0.5
    )


def _write_link(bag: BagWriter, tick: int, generator: np.random.Generator) -> None:
    values = {
        'armed': True, 'sent': tick, 'replies': tick - tick // 90, 'lost': tick // 90, 'bad_frames': 0,
        'rtt_p50_ms': 14 + generator.normal(0, 0.2), 'rtt_p99_ms': 18 + generator.normal(0, 1.0),
    }  # fmt: skip
    stamp = START + tick * DT
    bag.write_message('/bridge/state', stored_messages.status('bridge', 'armed', values), stamp)


def _on_path(path: ReferencePath, along: float, offset: float) -> tuple[float, float, float]:
    """Return x, y [m] and yaw [rad] of the point `offset` to the left of the path, `along` metres from its start."""
    along %= path.length
    segment = int(np.searchsorted(path.segment_starts, along, side='right')) - 1
    cos, sin = path.segment_directions[segment]
    x, y = path.waypoints[segment] + (along - path.segment_starts[segment]) * path.segment_directions[segment]
    return float(x - offset * sin), float(y + offset * cos), float(np.arctan2(sin, cos))


def write_tick(
    bag: BagWriter, path: ReferencePath, tick: int, step: Step, generator: np.random.Generator | None, seed: int
) -> None:
    stamp = START + tick * DT
    x, y, yaw = _on_path(path, SPEED * DT * tick, step.offset)
    noise = np.zeros(8) if generator is None else generator.normal(size=8)
    setpoint = 2 * np.pi * np.array([5.0, 5.0])
    if generator is not None:
        setpoint = 2 * np.pi * (5.5 + 2.2 * np.sin(0.4 * stamp * np.array([1.0, -1.0]) + 0.4 * noise[:2]))
    legs = 0.9 * setpoint + 0.4 * 2 * np.pi * noise[2:4]
    bag.write_message('/setpoint', stored_messages.joint_state(stamp, setpoint), stamp + 0.0005)
    bag.write_message('/sent', stored_messages.joint_state(stamp + 0.001, setpoint), stamp + 0.002)
    sampled = stamp + 0.012
    quaternion = quaternion_from_rpy(np.array([0.0, 0.0, yaw]))
    bag.write_message('/mock/pose', stored_messages.pose_stamped(sampled, [x, y, 0.03], quaternion), sampled)
    bag.write_message('/mocap/pose', stored_messages.pose_stamped(sampled, [x, y, 0.03], quaternion), sampled)
    reply = Telemetry(sampled, legs * tick * DT, legs, np.zeros(3), np.array([0, 0, 9.81]), legs * 0.01, 4.0)
    names = ('/legs', '/imu/data_raw', '/battery', '/back_emf')
    for name, message in zip(names, stored_messages.telemetry_messages(reply), strict=True):
        bag.write_message(name, message, sampled + 0.004)
    position = np.array([x, y, 0.03]) + 0.002 * noise[4:7]
    velocity = (SPEED + 0.04 * noise[7]) * np.array([np.cos(yaw), np.sin(yaw), 0.0])
    pose = Estimate(sampled, position, quaternion, velocity, np.zeros(3), np.eye(6), np.eye(6), 0.01)
    bag.write_message('/odometry', stored_messages.odometry(pose), sampled + 0.006)
    record = _record(tick, stamp, sampled, step, seed)
    bag.write_message('/tick', stored_messages.labelled_array(encode_tick(record), 'tick record'), sampled + 0.04)


def _record(tick: int, stamp: float, sampled: float, step: Step, seed: int) -> TickRecord:
    return TickRecord(
        tick=tick, stamp=stamp, seed=seed, running=1.0, state_stamp=sampled,
        state=np.zeros(NX), executing=np.zeros(NU), sent=np.zeros(NU),
        window_states=np.zeros((T1, NX)), window_actions=np.zeros((T1, NU)), window_next_states=np.zeros((T1, NX)),
        window_mask=np.ones(T1), previous_plan=np.zeros((H, NU)), plan_actions=np.zeros((H, NU)),
        plan_states=np.zeros((H + 1, NX)), gradient_norm=1.0, inner_step=1.0,
        pre_error=step.pre_error, post_error=step.post_error,
        wait_ms=18.0, adapt_ms=2.0, plan_ms=step.work_ms - 2.0, work_ms=step.work_ms, period_ms=step.period_ms,
        misses=0.0,
    )  # fmt: skip
