import numpy as np
import pytest

from firmware_bridge import packets
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.pty_port import PtyPort
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.radio_schedule import RadioSchedule, RadioScheduleConfig
from millirobot_adapt.sim.world import World

FAULTS = RadioFaults(loss=0.5)


class Mock:
    """A mock with a schedule that is followed as its world advances."""

    def __init__(self, path, config):
        robot = RobotConfig()
        self.world = World(robot, Condition(), 0)
        self.radio = Radio(robot.radio, RadioFaults(), True, np.random.default_rng(0))
        self.port = PtyPort(path)
        self.schedule = RadioSchedule(config, self.world, self.radio, self.port)

    def tell(self, packet):
        self.world.microcontroller.receive(packets.encode(packet))

    def walk(self):
        self.tell(packets.StartMotors())
        self.tell(packets.SetVelocity((300, 300)))

    def live(self, seconds):
        end = self.world.time + seconds
        while self.world.time < end - 1e-9:
            self.world.advance(self.world.time + 0.01)
            self.schedule.update()


@pytest.fixture
def make(tmp_path):
    made = []

    def make(**config):
        made.append(Mock(tmp_path / 'radio', RadioScheduleConfig(**config)))
        return made[-1]

    yield make
    for mock in made:
        mock.port.close()


def test_faults_hold_from_the_start_if_nothing_else_is_said(make):
    mock = make(faults=FAULTS)
    mock.live(0.01)
    assert mock.radio.faults == FAULTS


def test_faults_begin_and_end_at_their_times_after_the_first_motor_command(make):
    mock = make(begin=0.1, end=0.2, faults=FAULTS)
    mock.live(0.3)
    assert mock.radio.faults == RadioFaults()
    mock.walk()
    mock.live(0.09)
    assert mock.radio.faults == RadioFaults()
    mock.live(0.05)
    assert mock.radio.faults == FAULTS
    mock.live(0.1)
    assert mock.radio.faults == RadioFaults()


def test_the_robot_starts_anew_once_at_its_time(make):
    mock = make(reset=0.1)
    mock.walk()
    mock.live(0.09)
    assert mock.world.microcontroller.command == (300, 300)
    mock.live(0.05)
    assert mock.world.microcontroller.command == (0, 0)
    mock.walk()
    mock.live(0.2)
    assert mock.world.microcontroller.command == (300, 300)


def test_the_port_vanishes_at_its_time_and_comes_back(make):
    mock = make(vanish=0.1, vanish_duration=0.2)
    mock.walk()
    mock.live(0.09)
    assert mock.port.present
    mock.live(0.05)
    assert not mock.port.present
    mock.live(0.2)
    assert mock.port.present
    assert mock.port.path.exists()


def test_reset_and_vanish_can_be_asked_for(make):
    mock = make(vanish_duration=0.1)
    mock.walk()
    mock.live(0.05)
    mock.schedule.reset()
    mock.schedule.vanish()
    assert mock.world.microcontroller.command == (0, 0)
    assert not mock.port.present
    mock.live(0.15)
    assert mock.port.present
