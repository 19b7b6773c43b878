"""The reference firmware in the mock's body, as a process and emulated: how it is chosen, the mock's faults."""

import contextlib
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from build import needs_compiler
from robots import imageproc

from firmware_bridge import packets
from firmware_bridge.packet_codec import decode_reply, encode
from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, encode_frame
from millirobot_adapt.core.errors import DeviceError, UserError
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import Condition, Fault
from millirobot_adapt.sim.firmware_board import FirmwareBoard, check_firmware
from millirobot_adapt.sim.firmware_microcontroller import FirmwareMicrocontroller
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.realtime import RealtimeRobot
from millirobot_adapt.sim.shared_body import SharedBody
from millirobot_adapt.sim.world import World

ROBOT = RobotConfig()
PATIENCE = 60.0
"""Longest wait [s]; only a firmware that fails takes so long."""
TOOLS = ('qemu-system-arm', 'arm-none-eabi-gcc')
on_the_emulator = (
    pytest.mark.firmware,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in TOOLS), reason=f'not installed: {" or ".join(TOOLS)}'
    ),
)


def test_an_unknown_firmware_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="firmware 'quemu': no such firmware; did you mean 'qemu'"):
        check_firmware('quemu')


@pytest.mark.parametrize(
    ('firmware', 'tool', 'package'),
    [('host', 'cc', 'gcc'), ('qemu', 'qemu-system-arm', 'qemu-system-arm'), ('qemu', 'arm-none-eabi-gcc', 'gcc-arm')],
)
def test_a_missing_program_is_named_with_its_package(monkeypatch, firmware, tool, package):
    monkeypatch.setattr(shutil, 'which', lambda name: None if name == tool else f'/usr/bin/{name}')
    with pytest.raises(UserError, match=f'firmware {firmware} needs {tool}, .* apt install .*{package}'):
        check_firmware(firmware)


def test_the_mocks_own_firmware_needs_no_program(monkeypatch):
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    check_firmware('python')


def test_a_body_that_no_board_has_joined_is_at_rest():
    body = SharedBody()
    driven = body.driven()
    body.close()
    assert (driven.milliseconds, driven.duty, driven.resets) == (0, (0, 0), 0)


class Walker:
    """The mock with the firmware on a board, in real time, and the host's end of its radio."""

    def __init__(self, kind, folder, condition=None):
        self.board = FirmwareBoard(kind, folder)
        self.world = World(
            ROBOT, condition or Condition(step_noise=0.0), 1,
            lambda robot, hexapod, rng: FirmwareMicrocontroller(robot, hexapod, rng, self.board),
        )  # fmt: skip
        self.microcontroller = self.world.microcontroller
        self.setpoint = None
        self._mock = RealtimeRobot(
            self.world, Radio(ROBOT.imageproc.radio, RadioFaults(), False, generator(0, 1)), self
        )
        self._parser = StreamParser()
        self._replies = []
        self._unanswered = 0
        self._next = 0.0
        self._to_robot = b''

    def read(self, timeout):
        """Be the port: what the host writes; and let time pass."""
        if not self._to_robot:
            time.sleep(timeout)
        data, self._to_robot = self._to_robot, b''
        return data

    def write(self, data):
        frames = self._parser.feed(data)
        self._replies += [decode_reply(frame.payload) for frame in frames if isinstance(frame, RxPacket)]

    def send(self, packet):
        self._to_robot += encode_frame(TxRequest(0, ROBOT.imageproc.radio.address, 0, encode(packet)))

    def until(self, condition, what):
        """Live until a condition holds, repeating the setpoint as a bridge does."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, what
            if self.setpoint is not None and time.monotonic() >= self._next:
                self._next = time.monotonic() + 0.05
                self._unanswered += 1
                self.send(self.setpoint)
            self._mock.turn()

    def turn(self, radians):
        """Live until the right legs have turned so far."""
        start = self.world.hexapod.leg_angle()[1]
        self.until(lambda: self.world.hexapod.leg_angle()[1] > start + radians, 'a leg')

    def ask(self, packet):
        """Send a packet and return what it is answered."""
        setpoint, self.setpoint = self.setpoint, None
        self.until(lambda: len(self._replies) == self._unanswered, 'the last replies')
        self.send(packet)
        self.until(lambda: len(self._replies) == self._unanswered + 1, packet)
        answer = self._replies[-1]
        self.setpoint, self._unanswered, self._replies = setpoint, 0, []
        return answer

    def walk(self, velocity=(262, 262)):
        for packet in (*packets.start_sequence(ROBOT.imageproc.pid_gains), packets.SetTimeout(250)):
            self.send(packet)
        self._unanswered += 1  # the gains are
        self.setpoint = packets.SetVelocity(velocity)
        self.until(lambda: self.microcontroller.command == velocity, 'the command')


def running(text):
    """The living processes, but our own child in Python, whose command line holds a text."""
    found = set()
    for entry in Path('/proc').iterdir():
        with contextlib.suppress(OSError):
            words = (entry / 'cmdline').read_bytes().decode(errors='replace') if entry.name.isdigit() else ''
            if text in words and 'import' not in words:
                found.add(int(entry.name))
    return found


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('firmware')


@pytest.fixture(params=['host', pytest.param('qemu', marks=on_the_emulator)])
def kind(request):
    return request.param


@pytest.fixture
def walker(kind, folder):
    made = []

    def make(condition=None):
        made.append(Walker(kind, folder, condition))
        return made[-1]

    yield make
    for one in made:
        one.microcontroller.close()


@needs_compiler
@pytest.mark.system
class TestOnABoard:
    def test_it_says_its_own_name_and_its_clock_starts_with_it(self, walker):
        one = walker()
        assert one.ask(packets.WhoAmI()).text == 'millirobot_adapt reference firmware 1'
        first, second = (one.ask(packets.SetVelocity((0, 0))) for _ in range(2))
        assert (first.index, second.index) == (1, 2)
        assert 0 < first.timestamp <= second.timestamp

    def test_the_legs_turn_as_commanded_and_the_mock_knows_since_when(self, walker):
        one = walker()
        one.until(lambda: one.world.time >= 0.2, 'time')
        assert one.microcontroller.first_motion is None
        one.walk()
        assert 0.2 < one.microcontroller.command_since == one.microcontroller.first_motion <= one.world.time + 0.001
        one.turn(3.0)

    def test_without_a_byte_its_own_timeout_stops_it_by_its_own_clock(self, walker):
        one = walker()
        one.walk()
        one.turn(3.0)
        one.setpoint = None
        one.until(lambda: one.microcontroller.command == (0, 0), 'the timeout')
        driven = one.board.body.driven()
        assert 250 <= driven.last_duty - driven.last_packet <= 250 + 20
        assert driven.commanded_since - driven.last_packet <= 250 + 20
        assert driven.duty == (0, 0)

    def test_a_reset_switches_the_motors_off_and_starts_its_clock_again(self, walker):
        one = walker()
        one.walk()
        one.turn(1.0)
        before = one.board.body.driven()
        one.setpoint = None
        one.world.inject(Fault('robot.reset', True))
        one.until(lambda: one.microcontroller.command == (0, 0), 'the reset')
        driven = one.board.body.driven()
        assert driven.resets == before.resets + 1
        assert (driven.last_duty, driven.last_packet) == (0, 0), 'all is forgotten'
        assert one.ask(packets.SetVelocity((262, 262))).index == 1
        assert one.board.body.driven().command == (0, 0), 'nothing moves before 0x81'

    def test_an_encoder_that_stands_still_shows_no_turn_of_the_leg(self, walker):
        one = walker()
        one.walk()
        one.world.inject(Fault('robot.encoders', 'left'))
        one.turn(0.5)  # what the firmware reads by now is the encoder that stands
        left, right = one.ask(one.setpoint).position
        one.turn(1.0)
        again = one.ask(one.setpoint).position
        assert again[0] == left
        assert again[1] > right + 65536 * 0.9 / math.tau

    def test_a_clock_that_steps_shows_in_its_replies(self, walker):
        one = walker()
        before = one.ask(packets.SetVelocity((0, 0))).timestamp
        one.world.inject(Fault('clock.robot', 100.0))
        assert one.ask(packets.SetVelocity((0, 0))).timestamp >= before + 100e6

    def test_replies_can_repeat_the_encoders_of_the_one_before(self, walker):
        one = walker(Condition(step_noise=0.0, frozen_encoders=1.0))
        one.walk()
        first = one.ask(one.setpoint)
        one.turn(1.0)
        second = one.ask(one.setpoint)
        assert second.position == first.position
        assert second.timestamp > first.timestamp

    def test_a_firmware_that_dies_is_an_error_in_one_line(self, walker, kind):
        one = walker()
        one.board.kill()
        with pytest.raises(DeviceError, match=f'firmware {kind}: has ended'):
            one.until(lambda: False, 'an error')

    def test_it_ends_with_a_mock_that_is_killed(self, kind, tmp_path):
        program = (
            'import pathlib, time; from millirobot_adapt.sim.firmware_board import FirmwareBoard; '
            f'board = FirmwareBoard({kind!r}, pathlib.Path({str(tmp_path)!r})); print("up", flush=True); time.sleep(99)'
        )
        mock = subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.PIPE, text=True)
        assert mock.stdout.readline() == 'up\n'
        board = running(f'{tmp_path}/')
        assert board
        mock.kill()
        mock.wait()
        deadline = time.monotonic() + PATIENCE
        while running(f'{tmp_path}/') & board:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def test_a_robot_of_another_layout_is_refused(self, folder):
        robot = imageproc(index_before_timestamp=False)
        with FirmwareBoard('host', folder) as board, pytest.raises(UserError, match='the index before the timestamp'):
            World(robot, Condition(), 0, lambda *body: FirmwareMicrocontroller(*body, board))
