import numpy as np
import pytest

from firmware_bridge import packet_codec, packets
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, load_robot
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.microcontroller import FIRMWARE_NAME
from millirobot_adapt.sim.world import World

ROBOT = load_robot('velociroach')
GAINS = packets.PidGains((1800, 200, 100, 0, 0), (1800, 200, 100, 0, 0))

COASTING = 1.5
"""Time in which legs come to rest once the motors are off [s]."""


class Host:
    """Talk to the microcontroller in packets."""

    def __init__(self) -> None:
        self.world = World(ROBOT, Condition(step_noise=0.0), seed=1)
        self.ask(GAINS)

    def ask(self, packet):
        reply = self.world.microcontroller.receive(packet_codec.encode(packet))
        return None if reply is None else packet_codec.decode_reply(reply)

    def wait(self, seconds: float) -> None:
        self.world.advance(self.world.time + seconds)

    @property
    def leg_rate(self) -> np.ndarray:
        return np.array(self.world.hexapod.leg_velocity()) / RADIANS_PER_REVOLUTION


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def walking(host) -> Host:
    host.ask(packets.StartMotors())
    host.ask(packets.SetVelocity((300, 400)))
    host.wait(0.3)
    return host


def test_gains_are_echoed_and_the_firmware_names_itself(host):
    assert host.ask(GAINS) == GAINS
    assert host.ask(packets.WhoAmI()) == packets.WhoAmIReply(FIRMWARE_NAME)


def test_the_legs_do_not_turn_before_the_motors_are_started(host):
    assert host.ask(packets.SetVelocity((300, 400))).command == (300, 400)
    host.wait(0.3)
    assert np.abs(host.leg_rate).max() < 0.2
    assert host.world.microcontroller.first_motion is None


def test_the_legs_follow_the_commanded_velocity(walking):
    before = walking.ask(packets.SetVelocity((300, 400)))
    walking.wait(0.1)
    after = walking.ask(packets.SetVelocity((300, 400)))
    rates = np.subtract(after.position, before.position) / 100
    np.testing.assert_allclose(rates, [300, 400], rtol=0.25)
    assert after.timestamp - before.timestamp == 100_000
    assert after.index == before.index + 1


def test_telemetry_is_sampled_before_the_command_acts_and_echoes_the_new_command(walking):
    duty = walking.ask(packets.SetVelocity((300, 400))).duty
    reply = walking.ask(packets.SetThrust((-3000, -3000)))
    assert reply.command == (-3000, -3000)
    assert reply.duty == duty


def test_encoders_have_14_bits_in_units_of_16(walking):
    position = walking.ask(packets.GetPosition()).position
    assert all(count % 4 == 0 and count > 0 for count in position)


def test_zeroing_sets_the_encoders_to_zero_without_a_jerk(walking):
    walking.ask(packets.ZeroPosition())
    assert walking.ask(packets.GetPosition()).position == (0, 0)
    walking.wait(0.05)
    assert np.abs(np.array(walking.ask(packets.GetPosition()).position)).max() < 20000


def test_stop_lets_the_legs_come_to_rest_and_only_a_start_moves_them_again(walking):
    walking.ask(packets.StopMotors())
    walking.wait(COASTING)
    assert np.abs(walking.leg_rate).max() < 0.2
    walking.ask(packets.SetVelocity((300, 300)))
    walking.wait(0.3)
    assert np.abs(walking.leg_rate).max() < 0.2
    walking.ask(packets.StartMotors())
    walking.ask(packets.SetVelocity((300, 300)))
    walking.wait(0.3)
    assert walking.leg_rate.min() > 2.0


def test_an_armed_timeout_stops_the_motors_when_commands_cease(walking):
    walking.ask(packets.SetTimeout(200))
    walking.wait(0.19)
    assert walking.leg_rate.min() > 2.0
    walking.wait(COASTING)
    assert np.abs(walking.leg_rate).max() < 0.2
    assert walking.ask(packets.SetVelocity((300, 400))).duty == (0, 0)
    walking.wait(0.19)
    assert walking.leg_rate.min() > 2.0


def test_without_a_timeout_the_legs_run_on_for_ever(walking):
    walking.wait(1.0)
    assert walking.leg_rate.min() > 2.0


def test_what_the_motors_are_told_is_known_to_the_millisecond(host):
    microcontroller = host.world.microcontroller
    host.ask(packets.SetVelocity((300, 400)))
    assert microcontroller.command == (0, 0)
    host.ask(packets.StartMotors())
    host.ask(packets.SetVelocity((300, 400)))
    start = host.world.time
    host.wait(0.1)
    assert microcontroller.command == (300, 400)
    assert microcontroller.command_since == pytest.approx(start, abs=0.0011)
    host.ask(packets.SetTimeout(50))
    host.wait(0.1)
    assert microcontroller.command == (0, 0)
    assert microcontroller.command_since == pytest.approx(start + 0.15, abs=0.0021)


def test_a_robot_that_starts_anew_has_forgotten_everything(walking):
    walking.ask(packets.SetTimeout(5000))
    before = walking.ask(packets.SetVelocity((300, 400)))
    walking.world.microcontroller.power_up()
    after = walking.ask(packets.SetVelocity((300, 400)))
    assert (after.index, after.timestamp) == (1, 0)
    assert before.index > 1
    assert all(abs(count) <= ROBOT.imageproc.scales.encoder_counts / 2 for count in after.position)
    walking.wait(COASTING)
    assert np.abs(walking.leg_rate).max() < 0.2
    walking.ask(packets.StartMotors())
    walking.ask(packets.SetVelocity((300, 400)))
    walking.wait(0.3)
    assert np.abs(walking.leg_rate).max() < 0.2, 'without gains the PID gives nothing'


def test_a_timed_run_ends_by_itself(host):
    host.ask(packets.StartTimedRun(200))
    host.ask(packets.SetVelocity((300, 300)))
    host.wait(0.19)
    assert host.leg_rate.min() > 2.0
    host.wait(COASTING)
    assert np.abs(host.leg_rate).max() < 0.2


def test_thrust_drives_the_motors_open_loop(host):
    host.ask(packets.StartMotors())
    host.ask(packets.SetThrust((1000, 2000)))
    host.wait(0.3)
    assert host.world.hexapod.duty == (0.25, 0.5)
    assert host.leg_rate[1] > host.leg_rate[0] > 2.0


def test_garbage_is_counted_and_not_answered(host):
    assert host.world.microcontroller.receive(b'\x00\x55\x01') is None
    assert host.world.microcontroller.receive(b'') is None
    assert host.world.microcontroller.ignored == 2


def test_raw_back_emf_and_battery_have_the_size_of_the_real_robots(walking):
    replies = []
    for _ in range(40):
        replies.append(walking.ask(packets.SetVelocity((393, 393))))
        walking.wait(0.05)
    back_emf = np.mean([reply.back_emf for reply in replies], axis=0) / 6.0
    assert 5 < back_emf[0] < 20
    assert -20 < back_emf[1] < -5
    assert 840 < np.mean([reply.battery for reply in replies]) < 895
    assert 5 < np.std([reply.battery for reply in replies]) < 50
    assert 60 < np.std([reply.back_emf[0] for reply in replies]) < 150
