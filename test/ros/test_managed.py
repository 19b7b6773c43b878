"""The lifecycle that all managed nodes share, driven as a manager or `ros2 lifecycle` does."""

from types import SimpleNamespace

import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from lifecycle_msgs.msg import Transition  # noqa: E402
from lifecycle_msgs.srv import ChangeState  # noqa: E402
from rclpy.lifecycle import TransitionCallbackReturn  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from millirobot_adapt.bringup.environment import reserve_domain  # noqa: E402
from millirobot_adapt.contract.topics import BRIDGE_STATE  # noqa: E402
from millirobot_adapt.core.errors import UserError  # noqa: E402
from millirobot_adapt.ros.conversions import status  # noqa: E402
from millirobot_adapt.ros.managed import Entities, ManagedNode, NotYetError  # noqa: E402
from millirobot_adapt.ros.process import run  # noqa: E402

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class Worker(ManagedNode):
    """Write down what it is asked to do."""

    def __init__(self, context=None):
        self.told = []
        super().__init__('worker', BRIDGE_STATE)
        self.did, self.ready, self.mistake = [], True, None

    def create_publisher(self, kind, topic, *given, **options):
        if topic == BRIDGE_STATE.name:
            return SimpleNamespace(publish=self.told.append)
        return super().create_publisher(kind, topic, *given, **options)

    def configure(self):
        if self.mistake:
            raise self.mistake
        self.create_publisher(String, 'product', 1)
        # Python 3.10 knows no signature of `print`, and rclpy asks for that of a subscription's callback.
        self.create_subscription(String, 'order', lambda order: None, 1)
        self.create_timer(10.0, print)
        self.did.append('configure')

    def activate(self):
        self.create_client(ChangeState, 'somebody')
        if not self.ready:
            raise NotYetError('no orders yet')
        self.did.append('activate')

    def deactivate(self):
        self.did.append('deactivate')

    def cleanup(self):
        self.did.append('cleanup')

    def examine(self):
        return status('worker', 'busy', {}, DiagnosticStatus.WARN)


@pytest.fixture
def node(context, monkeypatch):
    monkeypatch.setattr('rclpy.node.get_default_context', lambda: context)
    node = Worker()
    yield node
    node.destroy_node()


def entities(node):
    return [id(entity) for _, entity in Entities(node).all()]


def test_two_whole_lives_leave_nothing_behind(node):
    before = entities(node)
    for _ in range(2):
        assert node.trigger_configure() == SUCCESS
        configured = entities(node)
        assert len(configured) == len(before) + 3
        for _ in range(2):
            assert node.trigger_activate() == SUCCESS
            assert len(entities(node)) == len(configured) + 1
            assert node.trigger_deactivate() == SUCCESS
            assert entities(node) == configured
        assert node.trigger_cleanup() == SUCCESS
        assert entities(node) == before
    assert node.did == 2 * ['configure', *2 * ['activate', 'deactivate'], 'cleanup']


def test_the_state_is_told_at_every_transition(node):
    for transition in (node.trigger_configure, node.trigger_activate, node.trigger_deactivate, node.trigger_cleanup):
        transition()
    assert [message.message for message in node.told] == ['inactive: busy', 'busy', 'inactive: busy', 'unconfigured']
    lifecycles = [pair.value for message in node.told for pair in message.values if pair.key == 'lifecycle']
    assert lifecycles == ['inactive', 'active', 'inactive', 'unconfigured']


def test_a_node_that_is_not_ready_stays_inactive_says_why_and_can_be_asked_again(node):
    node.trigger_configure()
    configured = entities(node)
    node.ready = False
    assert node.trigger_activate() == FAILURE
    assert (node.lifecycle, node.failure) == ('inactive', None)
    assert node.told[-1].message == 'no orders yet'
    assert entities(node) == configured, 'what the attempt made is gone'
    node.ready = True
    assert node.trigger_activate() == SUCCESS


@pytest.mark.parametrize('transition', [Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_CLEANUP, 77])
def test_a_transition_that_is_not_possible_is_answered_with_no(node, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    (service,) = (service for service in node.services if service.srv_type is ChangeState)
    assert not service.callback(request, ChangeState.Response()).success
    assert (node.lifecycle, node.did) == ('unconfigured', [])


def test_close_ends_what_was_begun_and_no_more(node):
    node.close()
    assert node.did == []
    node.trigger_configure()
    node.trigger_activate()
    node.close()
    node.close()
    assert node.did == ['configure', 'activate', 'deactivate', 'cleanup']


@pytest.fixture
def own_domain(monkeypatch):
    """A ROS domain in which nothing else on this machine claims the worker's name."""
    domain = reserve_domain()
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain.number))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    yield
    domain.release()


def ending(monkeypatch, prepare, *transitions):
    """Run a worker as a process does, with transitions from the start; return it and the exit code."""
    monkeypatch.setattr('sys.argv', ['worker'])
    monkeypatch.setattr('signal.signal', lambda *_: None)
    made = []

    def make():
        node = Worker()
        prepare(node)
        for transition in transitions:
            getattr(node, f'trigger_{transition}')()
        made.append(node)
        return node

    return run(make), made[0]


@pytest.mark.usefixtures('own_domain')
def test_what_configure_refuses_ends_the_process_with_one_line(monkeypatch, capfd):
    def mistake(node):
        node.mistake = UserError('port: no such port; plug it in')

    code, node = ending(monkeypatch, mistake, 'configure')
    assert code == 2
    assert 'error: port: no such port; plug it in' in capfd.readouterr().err
    assert node.did == []


@pytest.mark.usefixtures('own_domain')
def test_a_bug_is_not_swallowed(monkeypatch):
    def bug(node):
        node.mistake = ZeroDivisionError('a bug')

    with pytest.raises(ZeroDivisionError):
        ending(monkeypatch, bug, 'configure')


@pytest.mark.usefixtures('own_domain')
def test_shutdown_ends_the_work_and_the_process(monkeypatch):
    code, node = ending(monkeypatch, lambda node: None, 'configure', 'activate', 'shutdown')
    assert code == 0
    assert node.did == ['configure', 'activate', 'deactivate', 'cleanup']


def test_a_thread_that_fails_is_told_of_and_ends_the_process_with_its_error(node):
    stands = []
    node.on_thread_failure = stands.append
    node.trigger_configure()
    thread = node.watched_thread('worker', lambda: 1 / 0)
    thread.start()
    thread.join()
    assert isinstance(node.failure, ZeroDivisionError), 'which `run` raises'
    assert stands == ["the thread 'worker' failed: ZeroDivisionError: division by zero"]


def test_a_thread_that_fails_ends_the_process_even_if_the_stop_fails_too(node):
    node.on_thread_failure = lambda reason: [][0]
    node.trigger_configure()
    thread = node.watched_thread('worker', lambda: 1 / 0)
    thread.start()
    thread.join()
    assert isinstance(node.failure, ZeroDivisionError)


def test_a_thread_that_ends_as_it_should_is_no_failure(node):
    done = []
    thread = node.watched_thread('worker', lambda: done.append(True))
    thread.start()
    thread.join()
    assert (done, node.failure) == ([True], None)
