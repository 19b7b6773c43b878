"""How a node's process ends: what one signal asks, and what a second one."""

import os
import signal
from types import SimpleNamespace

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.node import Node  # noqa: E402

from millirobot_adapt.ros.process import ONE_WISH, NodeExit, run  # noqa: E402


@pytest.fixture(autouse=True)
def signals_restored(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    monkeypatch.setattr('sys.argv', ['worker'])
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number):
    os.kill(os.getpid(), number)


def test_signals_at_once_are_one_wish_and_a_later_one_interrupts():
    now = 5.0
    ending = NodeExit(lambda: now)
    assert not ending.asked
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        send(number)
        assert ending.asked
    now += ONE_WISH + 0.1
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)


class Worker(Node):
    """Ends at once, and closes while more signals come."""

    def __init__(self, clock, later):
        super().__init__('worker')
        self.clock = clock
        self.closed = False
        self.later = later
        send(signal.SIGINT)

    def close(self):
        send(signal.SIGINT)
        if self.later:
            self.clock.now += self.later
            send(signal.SIGINT)
        self.closed = True


@pytest.mark.parametrize(('later', 'code', 'closed'), [(0.0, 0, True), (2 * ONE_WISH, 130, False)])
def test_what_closes_is_left_alone_unless_somebody_insists(capfd, later, code, closed):
    made = []
    clock = SimpleNamespace(now=5.0)

    def make():
        made.append(Worker(clock, later))
        return made[0]

    assert run(make, lambda: clock.now) == code
    assert made[0].closed == closed
    said = capfd.readouterr().err
    assert ('error: interrupted before everything was closed' in said) == (not closed)
