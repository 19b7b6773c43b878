"""What the tests of the launch files do with a robot, and how they look after processes."""

import time
from pathlib import Path

from millirobot_adapt.bringup.processes import BRIDGE, COLLECTOR, CONTROLLER, ESTIMATOR, MANAGER, MOCK_ROBOT, RECORDER
from millirobot_adapt.contract.states import ManagerPhase
from millirobot_adapt.ros.witness import Witness

ROOT = Path(__file__).resolve().parents[2]
BAG = ROOT / 'test' / 'data' / 'bags' / 'good'
START = {'sim': 'controller/start', 'robot': 'controller/start', 'collect': 'collector/start'}
"""Launch file -> service that starts a run."""
DRIVEN = {
    'sim': (RECORDER, MOCK_ROBOT, BRIDGE, ESTIMATOR, CONTROLLER, MANAGER),
    'robot': (RECORDER, BRIDGE, ESTIMATOR, CONTROLLER, MANAGER),
    'collect': (RECORDER, MOCK_ROBOT, BRIDGE, ESTIMATOR, COLLECTOR, MANAGER),
}
"""Launch file -> what it starts."""
END = 40.0
"""Everything has ended within this time [s], the report included, on a busy machine."""
PATIENCE = 120.0
"""A busy machine is slow to start six processes [s]."""


def arguments_of(name, folder):
    """Return arguments that suit a test: the mock on an even floor, run folders in `folder`."""
    if name == 'replay':
        return {'bag': str(BAG)}
    chosen = {'out': str(folder / 'runs')}
    if name == 'robot':
        return {**chosen, 'trajectory': 'straight', 'port': str(folder / 'radio'), 'params': str(fenceless(folder))}
    return {**chosen, 'condition': 'flat', **({'trajectory': 'straight'} if name == 'sim' else {})}


def fenceless(folder):
    """Write the parameter file of a floor without end."""
    file = folder / 'floor.yaml'
    file.write_text('bridge: {ros__parameters: {gate: {fence: [-30.0, -30.0, 30.0, 30.0]}}}\n')
    return file


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
        """Arm, start, and see the motors turn."""
        for service in ('bridge/arm', start):
            self.until(lambda service=service: self.witness.call(service, 5.0)[0], f'{service} agrees')
        self.until(lambda: self.witness.moving, 'the motors turn')

    def stand(self):
        self.until(lambda: not self.witness.moving, 'the motors stand', 10.0)

    def close(self):
        self.witness.close()


def processes_of(folder):
    """Return the living processes whose command line names `folder`: node or program -> process id."""
    found = {}
    for entry in Path('/proc').iterdir():
        try:
            words = (entry / 'cmdline').read_bytes().decode().split('\0') if entry.name.isdigit() else []
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(str(folder) in word for word in words) and len(words) > 3:
            name = program_of(words)
            if name:
                found[name] = int(entry.name)
    return found


def program_of(words):
    """Return which program of ours a command line starts; empty for others."""
    if 'lib/millirobot_adapt/' in words[1]:
        return Path(words[1]).name
    module = words[2].rpartition('.')[2] if words[1] == '-m' and words[2].startswith('millirobot_adapt.') else ''
    return words[3] if module == 'run_node' else module


NOT_NODES = {'launched', 'process_guardian'}
"""Programs that conduct a run."""
