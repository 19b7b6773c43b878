"""Speaking to a managed node whose answers may get lost."""

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from millirobot_adapt.ros import lifecycle_client
from millirobot_adapt.ros.lifecycle_client import ANSWER_TIME, LifecycleClient, listen_for_words


class Service:
    """A service whose answers the test gives, or does not."""

    def __init__(self):
        self.asked = []

    def service_is_ready(self):
        return True

    def call_async(self, request):
        self.asked.append(SimpleNamespace(done=lambda: False, result=None))
        return self.asked[-1]

    def answer(self, content):
        self.asked[-1].done, self.asked[-1].result = lambda: True, lambda: content


@pytest.fixture
def now(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(lifecycle_client.time, 'monotonic', lambda: clock.now)
    return clock


@pytest.fixture
def services():
    return {'bridge/change_state': Service(), 'bridge/get_state': Service()}


@pytest.fixture
def client(services):
    return LifecycleClient(SimpleNamespace(create_client=lambda _, name: services[name]), 'bridge')


def in_state(label):
    return SimpleNamespace(current_state=SimpleNamespace(label=label))


def test_an_answer_is_the_answer(client, services, now):
    client.ask('configure')
    assert client.answer is None
    services['bridge/change_state'].answer(SimpleNamespace(success=False))
    assert client.answer is False
    assert services['bridge/get_state'].asked == []


def ask_in_vain(client, now):
    client.ask('configure')
    now.now += ANSWER_TIME + 0.1
    assert client.answer is None


def test_a_lost_answer_is_replaced_by_a_look_at_the_state(client, services, now):
    ask_in_vain(client, now)
    services['bridge/get_state'].answer(in_state('inactive'))
    assert client.answer is True
    assert len(services['bridge/change_state'].asked) == 1


def test_a_lost_request_is_made_again(client, services, now):
    ask_in_vain(client, now)
    services['bridge/get_state'].answer(in_state('unconfigured'))
    assert client.answer is None
    assert len(services['bridge/change_state'].asked) == 2
    services['bridge/change_state'].answer(SimpleNamespace(success=True))
    assert client.answer is True


def test_a_state_of_before_a_request_says_nothing_of_it(client, services, now):
    client.poll()
    services['bridge/get_state'].answer(in_state('unconfigured'))
    client.ask('configure')
    now.now += ANSWER_TIME + 0.1
    assert client.answer is None
    assert len(services['bridge/change_state'].asked) == 1


def test_a_look_whose_answer_is_lost_is_repeated(client, services, now):
    assert client.poll() == ''
    assert client.poll() == ''
    assert len(services['bridge/get_state'].asked) == 1
    now.now += ANSWER_TIME + 0.1
    assert client.poll() == ''
    services['bridge/get_state'].answer(in_state('active'))
    assert client.poll() == 'active'


def listening():
    """Return a node that listens in the namespace /robot1, and what lets it hear a diagnostic."""
    heard = []
    listener = SimpleNamespace(
        get_namespace=lambda: '/robot1', create_subscription=lambda *arguments: heard.append(arguments[2])
    )
    return listener, lambda name, message: heard[0](
        DiagnosticArray(status=[DiagnosticStatus(name=name, message=message)])
    )


def test_the_words_of_a_node_are_those_of_its_diagnostics_in_its_namespace():
    clients = {'bridge': SimpleNamespace(words=''), '/robot2/bridge': SimpleNamespace(words='')}
    listener, say = listening()
    listen_for_words(listener, clients)
    say('robot1/bridge', 'inactive: the link is opening')
    say('robot1/bridge/battery', 'full')
    say('bridge', 'of another namespace')
    assert clients['bridge'].words == 'inactive: the link is opening'
    assert clients['/robot2/bridge'].words == ''
    say('robot2/bridge', 'inactive')
    assert clients['/robot2/bridge'].words == 'inactive'
