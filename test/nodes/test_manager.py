"""The manager with nodes of a namespace in the same process: the order, what it waits for, what it does at a loss."""

import time

import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from millirobot_adapt.contract.states import ManagerPhase, ManagerState  # noqa: E402
from millirobot_adapt.core.errors import DeviceError, UserError  # noqa: E402
from millirobot_adapt.nodes.manager import Manager  # noqa: E402
from millirobot_adapt.ros.conversions import status  # noqa: E402
from millirobot_adapt.ros.managed import ManagedNode, NotYetError  # noqa: E402

NODES = ('recorder', 'bridge', 'estimator')
LONG = 60.0
"""More than anything here takes on a busy machine [s]."""


class Worker(ManagedNode):
    """Write down what it is asked to do in a list that all share."""

    def __init__(self, name, log):
        super().__init__(name)
        self.log, self.objection, self.mistake = log, '', None
        if name == 'bridge':
            self.create_service(Trigger, '~/manager_stop', self.on_stop)

    def on_stop(self, _, response):
        self.log.append('stop')
        response.success = True
        return response

    def configure(self):
        if self.mistake:
            raise self.mistake
        self.log.append(f'configure {self.get_name()}')

    def activate(self):
        if self.objection:
            raise NotYetError(self.objection)
        self.log.append(f'activate {self.get_name()}')

    def examine(self):
        return status(self.get_name(), 'well', {})


class Lab:
    def __init__(self, silence=LONG, patience=LONG, nodes=NODES):
        given = {'silence': silence, 'patience': patience, 'nodes': f'[{",".join(nodes)}]'}
        parameters = [part for name, value in given.items() for part in ('-p', f'{name}:={value}')]
        rclpy.init(args=['--ros-args', '-r', '__ns:=/robot1', *parameters])
        self.log = []
        self.workers = {name: Worker(name, self.log) for name in nodes}
        self.manager = Manager()
        self.executor = SingleThreadedExecutor()
        for node in (*self.workers.values(), self.manager):
            self.executor.add_node(node)

    @property
    def state(self):
        return self.manager.examine()

    @property
    def phase(self):
        return ManagerState.of(self.state).phase

    def spin_until(self, condition):
        end = time.monotonic() + LONG
        while not condition():
            assert time.monotonic() < end, self.state.message
            self.executor.spin_once(timeout_sec=0.1)

    def close(self):
        for node in (*self.workers.values(), self.manager):
            node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture
def make(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    made = []

    def make(**given):
        made.append(Lab(**given))
        return made[-1]

    yield make
    made[0].close()


def test_nodes_come_up_in_order_each_when_it_is_ready(make):
    lab = make()
    lab.workers['bridge'].objection = 'the robot does not answer'
    lab.spin_until(lambda: lab.state.message == 'waiting: bridge: the robot does not answer')
    assert lab.log == ['configure recorder', 'activate recorder', 'configure bridge', 'configure estimator']
    lab.workers['bridge'].objection = ''
    lab.spin_until(lambda: lab.phase is ManagerPhase.ACTIVE)
    assert lab.log[4:] == ['activate bridge', 'activate estimator']
    assert lab.state.level == DiagnosticStatus.OK
    lab.workers['estimator'].trigger_deactivate()
    lab.spin_until(lambda: lab.phase is ManagerPhase.DEGRADED and 'estimator' in lab.state.message)
    assert 'stop' not in lab.log, 'the gate judges what that means'


def test_one_that_is_not_ready_in_time_ends_it_with_its_reason(make):
    lab = make(patience=1.0)
    lab.workers['estimator'].objection = 'nobody publishes /mocap/pose'
    with pytest.raises(DeviceError, match='gave up after 1 s of waiting for estimator: nobody publishes /mocap/pose'):
        lab.spin_until(lambda: False)
    assert lab.phase is ManagerPhase.FAILED
    assert 'gave up' in lab.state.message


def test_one_that_cannot_be_configured_ends_it_at_once_in_its_own_words(make):
    lab = make()
    lab.workers['bridge'].mistake = UserError('port: no such port')
    with pytest.raises(DeviceError, match='bridge could not be configured: port: no such port'):
        lab.spin_until(lambda: False)
    assert 'configure estimator' not in lab.log


def without(lab, name):
    """Bring everything up, then let a node hang."""
    lab.spin_until(lambda: lab.phase is ManagerPhase.ACTIVE)
    lab.executor.remove_node(lab.workers[name])
    return lab


def test_when_a_node_hangs_the_robot_is_stopped_and_the_node_is_named(make):
    lab = without(make(silence=2.0), 'estimator')
    with pytest.raises(DeviceError, match=r'estimator has died or hangs.*the robot was told to stop'):
        lab.spin_until(lambda: False)
    assert lab.log[-1] == 'stop'


def test_when_the_bridge_itself_is_gone_nobody_claims_a_stop(make):
    lab = without(make(silence=2.0), 'bridge')
    with pytest.raises(DeviceError, match=r'bridge has died or hangs.*did not confirm a stop'):
        lab.spin_until(lambda: False)


def test_where_no_robot_is_driven_nobody_speaks_of_its_stop(make):
    lab = without(make(silence=2.0, nodes=('player', 'estimator')), 'estimator')
    with pytest.raises(DeviceError, match=r'nothing heard of it for 2 s$'):
        lab.spin_until(lambda: False)
