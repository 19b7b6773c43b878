"""The fault table of `millirobot bench link` with the C core in the mock's place: physics, radio and bridge as there.

At every tick and every reply the core is compared with the mock's microcontroller, whose sensors it reads.
"""

import dataclasses
import functools

import pytest
from build import needs_compiler
from core_library import CoreRobot, Sensors, load

from firmware_bridge.packet_codec import decode_reply
from firmware_bridge.packets import TelemetryReply, WhoAmIReply
from millirobot_adapt.benchmarks.link.radio_trials import CASES, measure_fault, measure_reset
from millirobot_adapt.core.robot.description import RobotConfig
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
