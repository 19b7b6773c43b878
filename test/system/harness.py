"""Start real processes for a test, on a ROS domain of their own, and listen to them."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from millirobot_adapt.bringup.environment import local_environment, reserve_domain
from millirobot_adapt.bringup.processes import MOCK_ROBOT, STOP_ORDER
from millirobot_adapt.bringup.supervisor import Supervisor
from millirobot_adapt.ros.conversions import message_class, qos
from millirobot_adapt.ros.operator import Operator

PATIENCE = 30.0
"""Longest wait for anything that has to come [s]."""
MILLIROBOT = [sys.executable, '-m', 'millirobot_adapt.app.main']


def wait_for(condition, what, seconds=PATIENCE, between=lambda: time.sleep(0.02)):
    """Wait on a condition with a deadline; `between` is called while waiting."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f'{what} within {seconds:g} s'
        between()
    return value


@dataclass
class Group:
    """Processes of one test and a node that listens to them."""

    folder: Path
    environment: dict
    supervisor: Supervisor
    pids: dict = field(default_factory=dict)

    def start(self, node, *arguments, **parameters):
        """Start a node with its shipped parameters and some others, and further ROS arguments."""
        settings = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
        command = [*node.command(node.parameter_file), *settings, *arguments]
        self.pids[node.name] = self.supervisor.start(node.name, command)

    def start_mock(self, port='radio', **parameters):
        """Start the mock and wait until its port is there; returns the port."""
        path = self.folder / port
        self.start(MOCK_ROBOT, port=path, **parameters)
        wait_for(path.exists, 'the mock makes its port')
        return path

    def bring_up(self, *nodes, namespace=''):
        """Configure and activate managed nodes that have been started, as the manager does."""
        operator = Operator()
        try:
            operator.bring_up([f'{namespace}{node.name}' for node in nodes], PATIENCE)
        finally:
            operator.close()

    def listen(self, operator, listener):
        """Let an operator and a listener hear what has come; every process must still run."""
        operator.spin(0.02)
        listener.spin()
        ended = self.supervisor.ended()
        assert ended is None, ended

    def log(self, node):
        return self.supervisor.log(node.name).read_text()

    def kill(self, node):
        os.kill(self.pids[node.name], signal.SIGKILL)


class Listener:
    """A node of the test, driven by `spin`."""

    def __init__(self):
        self._context = Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node('listener', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def spin(self):
        self._executor.spin_once(timeout_sec=0.05)

    def largest_velocities(self, topic):
        """Return a list that gets the largest velocity of each JointState of a topic from now on."""
        heard = []
        kind = message_class(topic)
        self.node.create_subscription(kind, topic.name, lambda m: heard.append(max(m.velocity)), qos(topic))
        return heard

    def wait_for(self, condition, what, seconds=PATIENCE):
        return wait_for(condition, what, seconds, between=self.spin)

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)


def processes_with(text):
    """Return the process ids of living processes whose command line holds `text`."""
    found = []
    for entry in Path('/proc').iterdir():
        try:
            if entry.name.isdigit() and text in (entry / 'cmdline').read_bytes().replace(b'\0', b' ').decode():
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def run(arguments, environment=None, seconds=60.0):
    """Run a program to its end."""
    return subprocess.run(
        arguments,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def make_group(folder):
    """Reserve a domain and make a group in it; the caller releases the domain and stops the supervisor."""
    domain = reserve_domain()
    environment = local_environment(domain.number, folder / 'mock_hooks')
    return domain, Group(folder, environment, Supervisor(folder, environment, STOP_ORDER))
