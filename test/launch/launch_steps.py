"""What the tests of the launch files do with a robot, and how they look after processes."""

import contextlib
import os
import pty
import select
import signal
import time
from pathlib import Path

import yaml

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
    file.write_text(yaml.safe_dump({node: {'ros__parameters': values} for node, values in PATIENT.items()}))
    chosen = {'out': str(folder / 'runs'), 'params': str(file)}
    if name == 'robot':
        return {**chosen, 'trajectory': 'straight', 'port': str(folder / 'radio')}
    return {**chosen, 'condition': 'flat', **({'trajectory': 'straight'} if name == 'sim' else {})}


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


class Terminal:
    """`ros2 launch` in a terminal of its own: what is on its screen, Ctrl-C, and its end. A context manager."""

    def __init__(self, name, folder, **more):
        words = [f'{key}:={value}' for key, value in {**arguments_of(name, folder), **more}.items()]
        self.said = b''
        self.code = None
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is ignored where pytest itself runs in the background
            os.chdir(folder)
            os.execvp('ros2', ['ros2', 'launch', 'millirobot_adapt', f'{name}.launch.py', *words])
        self._folder = folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Leave nothing that would disturb the next test, whatever happened in this one."""
        for name, pid in processes_of(self._folder).items():
            if name != 'mock_robot':
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def read(self, seconds=0.0):
        """Take what is on the screen, so that nobody waits for room on it; wait `seconds` for something to come."""
        if self._screen is None:
            return
        with contextlib.suppress(OSError):  # everybody on the other side has gone
            while select.select([self._screen], [], [], seconds)[0]:
                self.said += os.read(self._screen, 65536)
                seconds = 0.0

    @property
    def text(self):
        return self.said.decode(errors='replace')

    def press_ctrl_c(self):
        """The terminal turns it into SIGINT for everybody in front."""
        os.write(self._screen, b'\x03')

    def shut(self):
        os.close(self._screen)
        self._screen = None

    def ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None


NOT_NODES = {'launched', 'process_guardian'}
"""Programs that conduct a run."""
