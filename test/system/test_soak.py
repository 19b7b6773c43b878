"""A long live run with faults now and then: nothing grows, nothing drifts, the bag is whole and replays exactly.

`MILLIROBOT_SOAK_SECONDS` sets its length [s]; an hour by default.
"""

import json
import os
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from domains import join_domain
from harness import MILLIROBOT, run, wait_for

from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.bringup.processes import MANAGED, MOCK_ROBOT, RECORDER, resolve
from millirobot_adapt.bringup.run_folder import write_node_parameters, write_parameters
from millirobot_adapt.bringup.supervisor import Supervisor
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import TICK
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.share import find
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.ros.ros_version import ros_version
from millirobot_adapt.ros.witness import Witness

pytestmark = [pytest.mark.system, pytest.mark.long]

SECONDS = float(os.environ.get('MILLIROBOT_SOAK_SECONDS', '3600'))
EVERY = 15.0
"""Time between two faults [s]."""
GROWTH = 1.05
FENCE = [-5000.0, -5000.0, 5000.0, 5000.0]
FAULTS = (
    ('mocap.stop', None, 0.2), ('mocap.stop', None, 2.0), ('mocap.freeze', None, 1.0), ('mocap.nan', None, 0.5),
    ('mocap.strays', '0.2', 2.0), ('mocap.twice', None, 3.0), ('mocap.latency', '0.1', 3.0), ('radio.loss', '0.2', 3.0),
    ('radio.corruption', '0.001', 3.0), ('radio.reply_loss', '1.0', 0.5), ('port.vanish', None, 1.0),
    ('robot.reset', None, 0.0),
)  # fmt: skip


def memory(pid):
    """Resident memory of a process [kB]."""
    text = Path(f'/proc/{pid}/status').read_text()
    return int(next(line for line in text.splitlines() if line.startswith('VmRSS')).split()[1])


class Soak:
    """A run with the mock, walking circles for as long as it is asked to."""

    def __init__(self, folder, environment):
        self.bag = folder / 'bag'
        path = folder / 'path.csv'
        np.savetxt(path, [[x, 0.0] for x in range(101)], delimiter=',', header='x,y', comments='')
        parameters = folder / 'nodes.yaml'
        overrides = {
            'mock_robot': {'port': str(folder / 'radio'), 'condition': 'flat'},
            'bridge': {'port': str(folder / 'radio'), 'gate.fence': FENCE},
            'controller': {'path': str(path), 'planner.samples': 100, 'objective.fence_corners': FENCE},
            'recorder': {'bag': str(self.bag), 'run_file': str(folder / 'parameters.yaml')},
        }
        nodes = resolve((RECORDER, MOCK_ROBOT, *MANAGED), overrides)
        write_node_parameters(parameters, nodes)
        # Without it the bag would not say with which parameters it was made, and replay takes the shipped ones.
        write_parameters(
            folder / 'parameters.yaml',
            command='pytest',
            seed=nodes['controller']['seed'],
            robot=flatten(load_robot(nodes['controller']['robot'])),
            model=find('models', nodes['controller']['model']),
            nodes=nodes,
            sources=[],
            ros=ros_version(),
            now=datetime.now(),
        )
        self.supervisor = Supervisor(folder, environment, ('controller', 'bridge', 'estimator', 'mock_robot'))
        self.witness = Witness()
        self.pids = {}
        for node in (RECORDER, MOCK_ROBOT):
            self.pids[node.name] = self.supervisor.start(node.name, node.command(parameters))
        wait_for((folder / 'radio').exists, 'the port of the mock', 60.0)
        for node in MANAGED:
            self.pids[node.name] = self.supervisor.start(node.name, node.command(parameters))
        self.witness.bring_up([node.name for node in (RECORDER, *MANAGED)], 60.0)
        self.ticks = 0

    def close(self):
        self.witness.call('controller/stop', 5.0)
        self.witness.call('bridge/stop', 5.0)
        self.supervisor.stop()
        self.witness.close()

    def walk(self, seconds):
        """Let the robot walk; arm and start it again whenever it has stopped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.witness.moving and self.witness.call('bridge/arm', 2.0)[0]:
                self.witness.call('controller/start', 2.0)
            self.witness.spin(0.5)
            self.ticks += len(self.witness.ticks)
            self.witness.ticks.clear()


@pytest.fixture
def soak(tmp_path, monkeypatch):
    domain = reserve_domain()
    environment = local_environment(domain.number, tmp_path / 'mock_hooks')
    join_domain(monkeypatch, environment)
    made = Soak(tmp_path, environment)
    yield made
    made.supervisor.stop()
    domain.release()


def tick_times(bag):
    """Stamps [s] and work [s] of every tick."""
    found = [decode_tick(message.data) for _, message, _ in open_bag(bag).messages([TICK])]
    return np.array([tick.stamp for tick in found]), np.array([1e-3 * tick.work_ms for tick in found])


def test_a_long_run_with_faults_neither_grows_nor_drifts_and_replays_exactly(soak):
    rng = generator(0)
    soak.walk(min(60.0, SECONDS / 6))
    before = {name: memory(pid) for name, pid in soak.pids.items()}
    start, injected, refused, course = time.monotonic(), [], [], []
    while (passed := time.monotonic() - start) < SECONDS:
        if passed >= SECONDS / 6 * (len(course) + 1):
            course.append({name: memory(pid) for name, pid in soak.pids.items()})
        fault, value, duration = FAULTS[int(rng.integers(len(FAULTS)))]
        done, answer = soak.witness.inject(fault, value, duration)
        (injected if done else refused).append(f'{fault}: {answer}')
        soak.walk(EVERY)
    after = {name: memory(pid) for name, pid in soak.pids.items()}
    soak.close()

    stamps, work = tick_times(soak.bag)
    third = len(stamps) // 3
    p99 = [float(np.nanquantile(part, 0.99)) for part in (work[:third], work[-third:])]
    steps = np.diff(stamps)
    walking = steps[steps < 0.15]
    figures = {
        'seconds': SECONDS, 'faults': len(injected), 'ticks': len(stamps),
        'memory_kB': {'from': before, 'course': course, 'to': after},
        'growth': {name: round(after[name] / before[name], 4) for name in before},
        'work_p99_ms': [round(1e3 * value, 1) for value in p99], 'period_ms': round(1e3 * float(walking.mean()), 4),
    }  # fmt: skip
    print(json.dumps(figures))
    assert not refused
    assert np.isfinite(work).mean() > 0.5, figures
    assert max(after[name] / before[name] for name in before) <= GROWTH, figures
    assert p99[1] <= 1.25 * p99[0] + 0.005, figures
    assert abs(float(walking.mean()) - 0.1) < 1e-4, figures
    repaired = run([*MILLIROBOT, 'repair', str(soak.bag)], seconds=SECONDS)
    assert 'is whole' in repaired.stdout, repaired
    checked = run([*MILLIROBOT, 'replay', str(soak.bag), '--check'], seconds=3 * SECONDS + 600)
    assert checked.returncode == 0, checked.stdout + checked.stderr
