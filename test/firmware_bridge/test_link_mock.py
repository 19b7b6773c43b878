"""The link and the mock robot, over a real pty, in real time (about two seconds)."""

import math
import queue
import threading

import numpy as np
import pytest

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import SystemClock
from firmware_bridge.driver_interface import LinkLost
from firmware_bridge.link import Link
from firmware_bridge.transports.serial_port import SerialPort
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig

WALK = np.array([4.0, 4.0]) * 2 * math.pi


class Mock:
    """The mock's real-time loop on a thread."""

    def __init__(self, path):
        from millirobot_adapt.sim.conditions import Condition
        from millirobot_adapt.sim.pty_port import PtyPort
        from millirobot_adapt.sim.radio import Radio
        from millirobot_adapt.sim.radio_faults import RadioFaults
        from millirobot_adapt.sim.realtime import RealtimeRobot
        from millirobot_adapt.sim.world import World

        robot = RobotConfig()
        self.world = World(robot, Condition(), 0)
        self._port = PtyPort(path)
        radio = Radio(robot.imageproc.radio, RadioFaults(), False, generator(0, 1))
        self._robot = RealtimeRobot(self.world, radio, self._port)
        self._ended = threading.Event()
        self._tasks = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ended.is_set():
            self._robot.turn()
            while not self._tasks.empty():
                self._tasks.get()()

    def unplug(self):
        self._do(self._port.vanish)

    def plug_in(self):
        self._do(self._port.come_back)

    def _do(self, action):
        """Let the mock's own thread do something, and wait until it has."""
        done = threading.Event()
        self._tasks.put(lambda: (action(), done.set()))
        assert done.wait(10.0)

    def close(self):
        if not self._ended.is_set():
            self._ended.set()
            self._thread.join()
            self._port.close()


@pytest.fixture
def mock(tmp_path):
    mock = Mock(tmp_path / 'radio')
    yield mock
    mock.close()


@pytest.fixture
def link(mock, tmp_path):
    robot = RobotConfig()
    # A busy machine may keep the mock waiting: this test is about bytes, not about time.
    config = LinkConfig(zero_hold_off=0.05, reply_timeout=0.5, status_timeout=1.0, gains_timeout=1.0)
    link = Link(lambda: SerialPort(str(tmp_path / 'radio'), robot.imageproc.radio.baud), robot, config, SystemClock())
    yield link
    link.close()


@pytest.mark.system
def test_the_mock_walks_and_stops_as_it_is_told(link, mock):
    link.start()
    assert link.state is LinkState.UP
    exchanges = [link.exchange(WALK)]
    start = mock.world.time
    while mock.world.time < start + 0.5 or exchanges[-1].telemetry is None:
        exchanges.append(link.exchange(WALK))
    walked = mock.world.time - start
    # A reply that a busy machine holds up for longer than the timeout counts as lost, and nothing else is wrong.
    assert sum(exchange.telemetry is None for exchange in exchanges) == link.counters.lost
    assert link.counters.rejected <= link.counters.lost
    assert link.counters.as_dict()['bad_frames'] == 0
    assert mock.world.microcontroller.first_motion is not None
    assert exchanges[-1].telemetry.joint_angle == pytest.approx(walked * WALK, rel=0.5)
    assert link.stop()


@pytest.mark.system
def test_a_port_that_is_unplugged_and_plugged_in_again_is_used_again_from_the_start(link, mock):
    link.start()
    link.exchange(WALK)
    mock.unplug()
    with pytest.raises(LinkLost):
        link.exchange(WALK)
    with pytest.raises(UserError, match='no such port'):
        link.start()
    mock.plug_in()
    link.start()
    assert link.state is LinkState.UP
    assert any(link.exchange(np.zeros(2)).telemetry is not None for _ in range(5))
    assert link.counters.start_ups == 2
    assert link.stop()


@pytest.mark.system
def test_a_mock_that_ends_takes_the_port_with_it(link, mock):
    link.start()
    mock.close()
    with pytest.raises(LinkLost):
        link.exchange(WALK)
