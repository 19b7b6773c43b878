"""Shared by the cases: the checkout (environment variable MILLI), its small fixture bag, a made-up walk. Run with the checkout's .venv/bin/python."""
import os, sys, math, shutil, subprocess, tempfile
from dataclasses import replace
from pathlib import Path
MAIN = Path(os.environ['MILLI'])
sys.path.insert(0, str(MAIN))
import numpy as np
from scipy.spatial.transform import Rotation
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import Channel, Raw
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import PoseSample, Telemetry
GOOD, MODEL = MAIN / 'test/data/bags/good', MAIN / 'test/data/bags/small_grbal'
ROBOT = RobotConfig()
assemble_state = ROBOT.layout.assemble

def scratch():
    """An empty folder to work in."""
    folder = Path(tempfile.mkdtemp(prefix='case_')); os.chdir(folder); return folder

def milli(*arguments):
    """Run the command; print exit code and the last lines."""
    done = subprocess.run([str(MAIN / '.venv/bin/millirobot'), *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if ' rows  ' not in line]
    print(f'$ millirobot {" ".join(map(str, arguments))}\n[{done.returncode}]', '\n'.join(lines[-7:]))
    return done

def good(): return list(open_bag(GOOD).raw_messages())

def edited(messages, topic, edit):
    """Change the decoded messages of one topic."""
    store, out = typestore(), []
    for raw in messages:
        if raw.channel.topic == topic:
            message = store.deserialize_cdr(raw.data, raw.channel.type); edit(message)
            raw = raw._replace(data=bytes(store.serialize_cdr(message, raw.channel.type)))
        out.append(raw)
    return out

def write(folder, messages, **options):
    with BagWriter(Path(folder), topics={}, **options) as writer:
        for raw in messages: writer.write_raw(raw)
    return Path(folder)

def write_rosbags(folder, messages, plugin='MCAP', compress=False):
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
    writer = Writer(Path(folder), version=9, storage_plugin=StoragePlugin[plugin])
    if compress: writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    with writer:
        known = {}
        for raw in messages:
            if raw.channel.topic not in known:
                known[raw.channel.topic] = writer.add_connection(raw.channel.topic, raw.channel.type, typestore=typestore())
            writer.write(known[raw.channel.topic], raw.received, raw.data)
    return Path(folder)

# A body that walks a circle at 0.3 m/s and swings in yaw with its stride; gyro and poses agree.
SPEED, TURN, SWING, RATE = 0.3, 0.5, 0.06, 2 * math.pi * 4.3
def yaw(t): return TURN * t + SWING * math.sin(RATE * t) + 0.1 * math.sin(1.7 * t)
def yaw_rate(t): return TURN + SWING * RATE * math.cos(RATE * t) + 0.17 * math.cos(1.7 * t)
def place(t): return np.array([SPEED / TURN * math.sin(TURN * t), SPEED / TURN * (1 - math.cos(TURN * t)), 0.03])
_noise = np.random.default_rng(0)
def pose(t):
    turned = Rotation.from_euler('z', yaw(t)) * Rotation.from_rotvec(0.0015 * _noise.standard_normal(3))
    return PoseSample(t, place(t) + 5e-5 * _noise.standard_normal(3), turned.as_quat())
def reply(t): return Telemetry(t, np.zeros(2), np.array([28.0, 32.0]), np.array([0, 0, yaw_rate(t)]), np.zeros(3), np.zeros(2), 4.0)
def frames(seconds, hertz=100.0, latency=0.004, begin=10.0):
    """(arrival, sample) of every pose."""
    return [(begin + k / hertz + latency, pose(begin + k / hertz)) for k in range(round(seconds * hertz))]
def walk(arrivals, seconds, begin=10.0, config=EstimatorConfig(), look=lambda t, estimate, estimator: None):
    """Feed poses in the order of arrival, and ten replies a second; call `look` at each reply. Returns the estimator."""
    estimator, i = make_estimator(config, ROBOT), 0
    arrivals = sorted(arrivals, key=lambda each: each[0])
    for k in range(1, round(seconds * 10)):
        t = begin + 0.1 * k
        while i < len(arrivals) and arrivals[i][0] <= t: estimator.on_pose(arrivals[i][1]); i += 1
        estimator.on_telemetry(reply(t)); look(t, estimator.estimate(t), estimator)
    return estimator
def error(t, estimate): return float(np.linalg.norm(estimate.position[:2] - place(t)[:2]))
