"""The fault table of `millirobot bench link` with the C core in the mock's place: physics, radio and bridge as there.

First in lock-step: at every tick and every reply the core is compared with the mock's microcontroller, whose sensors it
reads. Then in real time, on a board of the host that runs on its own clock.
"""

import dataclasses
import functools

import pytest
from build import needs_compiler
from core_library import CoreRobot, Sensors, load

from firmware_bridge.packet_codec import decode_reply
from firmware_bridge.packets import TelemetryReply, WhoAmIReply
from millirobot_adapt.benchmarks.link.radio_trials import CASES, measure_fault, measure_out_of_reach, measure_reset
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.firmware_board import FirmwareBoard
from millirobot_adapt.sim.firmware_microcontroller import FirmwareMicrocontroller
from millirobot_adapt.sim.microcontroller import Microcontroller

pytestmark = needs_compiler
ROBOT = RobotConfig()
STOPS_WITHIN = 300.0
"""What docs/link.md promises [ms]."""
QUICK = {'none', 'replies lost', 'duplication 20 %', 'truncation 10 %'}


class CoreMicrocontroller(Microcontroller):
    """The mock's microcontroller, which measures; what the legs get and the host hears comes from the core."""

    def __init__(self, library, robot, hexapod, rng):
        self._core = None
        super().__init__(robot, hexapod, rng)
        self._body = hexapod
        self._core = CoreRobot(library, self._sensors())

    def power_up(self):
        super().power_up()
        if self._core is not None:
            self._core.power_up(self._sensors())

    def tick(self):
        expected = super().tick()
        duty = self._core.tick(self._sensors())
        assert duty == expected
        return duty

    def receive(self, payload):
        expected = super().receive(payload)
        reply = None if expected is None else decode_reply(expected)
        answer = self._core.receive(self._sensors(reply), payload)
        assert answer == expected or isinstance(reply, WhoAmIReply)
        return answer

    def _sensors(self, reply=None):
        sensors = Sensors(battery=880)
        sensors.see(self._body.leg_angle())
        if isinstance(reply, TelemetryReply):
            sensors.gyro[:], sensors.accel[:] = reply.gyro, reply.accel
            sensors.back_emf[:], sensors.battery = reply.back_emf, reply.battery
        return sensors


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    return load(tmp_path_factory.mktemp('firmware'))


@pytest.fixture
def core(library):
    return functools.partial(CoreMicrocontroller, library)


@pytest.mark.parametrize(
    'case',
    [pytest.param(case, marks=() if case.name in QUICK else pytest.mark.long, id=case.name) for case in CASES],
)
def test_a_fault_of_the_radio_ends_as_with_the_mock(core, case):
    trials = 1 if case.name in QUICK else 5
    row = measure_fault(dataclasses.replace(case, line_bytes=0), ROBOT, trials, 1, core)
    assert row.wrong_accepted == 0
    assert row.stop_ms <= STOPS_WITHIN


def test_a_reset_ends_as_with_the_mock(core):
    row = measure_reset(ROBOT, 2, 1, core)
    assert row.wrong_accepted == 0
    assert row.stop_ms <= STOPS_WITHIN


def test_out_of_reach_ends_as_with_the_mock(core):
    row = measure_out_of_reach(ROBOT, 2, 1, core)
    assert row.complaint is None
    assert ROBOT.imageproc.timeout <= row.stop_ms <= row.bound_ms


@pytest.fixture(scope='module')
def host(tmp_path_factory):
    """What makes the board of the host; it is compiled once."""
    folder = tmp_path_factory.mktemp('board')

    def make(robot, hexapod, rng):
        return FirmwareMicrocontroller(robot, hexapod, rng, FirmwareBoard('host', folder))

    return make


@pytest.mark.system
class TestOnTheHost:
    """What the bridge does takes as long as the machine lets it; what the firmware does is judged by its own clock."""

    def test_out_of_reach_its_own_timeout_stops_it_without_a_byte(self, host):
        row = measure_out_of_reach(ROBOT, 1, 1, host)
        assert (row.where, row.wrong_accepted, row.replies) == ('real time', 0, 0)
        assert row.stop_ms <= ROBOT.imageproc.timeout + 20

    @pytest.mark.long
    @pytest.mark.parametrize('case', CASES, ids=lambda case: case.name)
    def test_a_fault_of_the_radio_lets_nothing_wrong_through_and_stops_in_time(self, host, case):
        row = measure_fault(dataclasses.replace(case, line_bytes=min(case.line_bytes, 20_000)), ROBOT, 1, 1, host)
        assert row.complaint is None

    @pytest.mark.long
    def test_a_reset_switches_the_motors_off(self, host):
        assert measure_reset(ROBOT, 2, 1, host).complaint is None
