"""How nodes tell how they are: at once when something changes, and once a second anyway."""

from collections import defaultdict
from types import SimpleNamespace

import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402

from millirobot_adapt.contract.topics import BRIDGE_STATE, DIAGNOSTICS  # noqa: E402
from millirobot_adapt.ros.conversions import status  # noqa: E402
from millirobot_adapt.ros.node_health import Health  # noqa: E402


class Patient:
    """A node's condition, and everything that was published of it."""

    def __init__(self, node, latched, published):
        self.text, self.phase, self.level, self.counter = 'idle', 'idle', DiagnosticStatus.OK, 0
        self.health = Health(node, self.examine, latched, lambda: [status('lung', 'breathes', {})])
        self.diagnostics, self.state = published[DIAGNOSTICS.name], published[latched.name]

    def examine(self):
        self.counter += 1
        return status('patient', self.text, {'counter': self.counter, 'phase': self.phase}, self.level)


@pytest.fixture
def patient(node, monkeypatch):
    published = defaultdict(list)

    def create_publisher(kind, topic, profile):
        return SimpleNamespace(publish=published[topic].append)

    monkeypatch.setattr(node, 'create_publisher', create_publisher)
    return Patient(node, BRIDGE_STATE, published)


def test_the_state_is_announced_when_one_of_its_values_changes_and_not_when_its_text_does(patient):
    for text in ('idle', 'idle', 'waiting: 0.6 s', 'waiting: 0.7 s', 'running'):
        patient.text, patient.phase = text, text.partition(':')[0]
        patient.health.announce()
    assert [message.message for message in patient.state] == ['idle', 'waiting: 0.6 s', 'running']
    patient.level = DiagnosticStatus.WARN
    patient.health.announce()
    assert patient.state[-1].level == DiagnosticStatus.WARN
    assert patient.diagnostics == []


def test_diagnostics_come_whether_or_not_anything_changed(patient):
    patient.health.tell()
    patient.health.tell()
    assert [message.status[0].values[0].value for message in patient.diagnostics] == ['1', '2']
    assert [message.values[0].value for message in patient.state] == ['1', '2']
    assert patient.diagnostics[0].header.stamp.sec > 0


def test_each_part_stands_under_the_name_of_its_node(patient):
    patient.health.tell()
    assert [found.name for found in patient.diagnostics[0].status] == ['alone', 'alone/lung']


def test_what_a_node_refuses_stands_instead_of_how_it_is(patient):
    patient.health.tell('no bed is free')
    assert (patient.state[0].message, patient.state[0].level) == ('no bed is free', DiagnosticStatus.ERROR)
    patient.health.tell()
    assert patient.state[1].message == 'idle'
