"""What the tests of the launch files do with a robot, and how they look after processes."""

import os
import time
from pathlib import Path

import yaml

from millirobot_adapt.benchmarks.link.launched_robot import Terminal
from millirobot_adapt.bringup.processes import BRIDGE, COLLECTOR, CONTROLLER, ESTIMATOR, MANAGER, MOCK_ROBOT, RECORDER
from millirobot_adapt.contract.states import ManagerPhase
from millirobot_adapt.ros.witness import Witness

ROOT = Path(__file__).resolve().parents[2]
BAG = ROOT / 'test' / 'data' / 'bags' / 'good'
START = {
    'sim': 'controller/start', 'robot': 'controller/start', 'collect': 'collector/start', 'learn': 'bridge/arm',
}  # fmt: skip
"""Launch file -> service that starts a run; a sitting of learning begins when the robot is armed."""
DRIVEN = {
    'sim': (RECORDER, MOCK_ROBOT, BRIDGE, ESTIMATOR, CONTROLLER, MANAGER),
    'robot': (RECORDER, BRIDGE, ESTIMATOR, CONTROLLER, MANAGER),
    'collect': (RECORDER, MOCK_ROBOT, BRIDGE, ESTIMATOR, COLLECTOR, MANAGER),
    'learn': (RECORDER, MOCK_ROBOT, BRIDGE, ESTIMATOR, COLLECTOR, MANAGER),
}
"""Launch file -> what it starts."""
END = 40.0
"""Everything has ended within this time [s], the report included, on a busy machine."""
PATIENCE = 120.0
"""A busy machine is slow to start six processes [s]."""


PATIENT = {
    'bridge': {
        'guardian_silence': 2.0,
        'gate': {
            'setpoint_timeout': 1.0, 'telemetry_hold': 1.0, 'pose_hold': 5.0, 'pose_stop': 10.0, 'state_hold': 5.0,
            'state_stop': 10.0, 'leg_hold': 10.0, 'fence': [-30.0, -30.0, 30.0, 30.0],
        },
    },
    'controller': {
        'misses_allowed': 1000, 'planner': {'samples': 50}, 'engine': {'threads': 1},
        'objective': {'fence_corners': [-30.0, -30.0, 30.0, 30.0]},
    },
    'manager': {'patience': 120.0, 'silence': 20.0},
    'collector': {'stale_after': 5.0},
}  # fmt: skip
"""Nothing here is about watchdogs, and the mock shares the machine."""


def arguments_of(name, folder):
    """Return arguments that suit a test: the mock on an even floor, patience, run folders in `folder`."""
    if name == 'replay':
        return {'bag': str(BAG)}
    file = folder / 'patient.yaml'
    # The bridge of a robot without a port cannot see that a mock, started apart, takes its place.
    patient = {**PATIENT, 'bridge': {**PATIENT['bridge'], 'allow_mock_model': True}}
    file.write_text(yaml.safe_dump({node: {'ros__parameters': values} for node, values in patient.items()}))
    chosen = {'out': str(folder / 'runs'), 'params': str(file)}
    if name == 'robot':
        return {**chosen, 'trajectory': 'straight', 'port': str(folder / 'radio')}
    return {**chosen, 'condition': 'flat', **({'trajectory': 'straight'} if name == 'sim' else {})}


def bare_environment():
    """What a shell has in which ROS was sourced, and nothing of ours."""
    ours = (str(ROOT), 'millirobot')
    environment = dict(os.environ)
    for name in (
        'AMENT_PREFIX_PATH',
        'COLCON_PREFIX_PATH',
        'CMAKE_PREFIX_PATH',
        'PYTHONPATH',
        'PATH',
        'LD_LIBRARY_PATH',
    ):
        parts = environment.get(name, '').split(os.pathsep)
        environment[name] = os.pathsep.join(part for part in parts if part and not any(each in part for each in ours))
    environment.pop('VIRTUAL_ENV', None)
    return environment


class Operated:
    """The robot of a launch, operated and watched by a test."""

    def __init__(self, namespace=''):
        self.witness = Witness(namespace)

    def until(self, condition, what, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition():
            state = None if self.witness.manager is None else self.witness.manager.text
            assert time.monotonic() < deadline, f'{what} within {seconds:g} s; the manager: {state}'
            self.witness.spin(0.05)

    def come_up(self):
        self.until(
            lambda: self.witness.manager and self.witness.manager.phase is ManagerPhase.ACTIVE, 'every node is active'
        )

    def walk(self, start):
        """Arm, start, and see the motors turn; again where a machine that is too busy has stopped the robot."""

        def walking():
            for service in () if self.witness.moving else ('bridge/arm', start):
                self.witness.call(service, 5.0)
            self.witness.spin(0.3)
            return self.witness.moving

        self.until(walking, 'the motors turn')

    def stand(self):
        self.until(lambda: not self.witness.moving, 'the motors stand', 10.0)

    def close(self):
        self.witness.close()


def in_terminal(name, folder):
    """`ros2 launch` in a terminal of its own."""
    return Terminal(name, folder, arguments_of(name, folder))
