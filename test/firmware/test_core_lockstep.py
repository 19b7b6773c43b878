"""The C core against the mock's microcontroller: same commands, same legs; equal duty at every tick, equal replies."""

import math

import numpy as np
import pytest
from build import needs_compiler
from core_library import CoreRobot, Sensors, load

from firmware_bridge import packet_codec, packets
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.microcontroller import Microcontroller

pytestmark = needs_compiler
ROBOT = RobotConfig()
SECONDS = 60
FASTEST = 0.09
"""Leg speed at full duty [rad/ms]."""
NAME = b'millirobot_adapt reference firmware 1'


class Legs:
    """What the microcontroller knows of the body: two motors with a lag, shaken; everything else at rest."""

    battery = 880 * ROBOT.imageproc.scales.battery

    def __init__(self, rng):
        self.angle = rng.uniform(-20.0, 20.0, 2)
        self.speed = np.zeros(2)
        self._rng = rng

    def turn(self, duty):
        self.speed += (np.array(duty) * FASTEST - self.speed) / 30 + self._rng.normal(0.0, 2e-4, 2)
        self.angle = self.angle + self.speed

    def leg_angle(self):
        return self.angle

    def angular_velocity(self):
        return np.array([0.1, -0.2, 0.3])

    def acceleration(self):
        return np.array([0.0, 0.0, 9.81])

    def back_emf(self):
        return self.speed * 5

    def sensors(self):
        """The same as the C core reads it."""
        scales = ROBOT.imageproc.scales
        back_emf = np.clip(np.rint(self.back_emf() / scales.back_emf * scales.back_emf_signs), -1023, 1023)
        found = Sensors(battery=round(self.battery / scales.battery))
        found.see(self.angle)
        found.gyro[:] = [round(v / scales.gyro) for v in self.angular_velocity()]
        found.accel[:] = [round(v / scales.accelerometer) for v in self.acceleration()]
        found.back_emf[:] = [int(value) for value in back_emf]
        return found


class NoNoise:
    """A generator for a microcontroller whose sensors do not err."""

    def standard_normal(self, size):
        return np.zeros(size)

    def random(self):
        return 1.0


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    return load(tmp_path_factory.mktemp('firmware'))


class Pair:
    """Both implementations on equal legs."""

    def __init__(self, library, seed):
        rng = np.random.default_rng(seed)
        self.legs = Legs(rng)
        self.python = Microcontroller(ROBOT, self.legs, NoNoise())
        self.c = CoreRobot(library, self.legs.sensors())

    def tick(self):
        """Let both run a millisecond; return the duty of each, left and right."""
        duties = self.python.tick(), self.c.tick(self.legs.sensors())
        self.legs.turn(duties[1])
        return duties

    def receive(self, payload):
        return self.python.receive(payload), self.c.receive(self.legs.sensors(), payload)

    def reset(self):
        self.python.power_up()
        self.c.power_up(self.legs.sensors())


def random_payload(rng):
    """A command with numbers of any size, mostly such that a leg turns; now and then no command at all."""
    choice = rng.random()
    if choice < 0.1:
        return bytes([0, *rng.integers(0, 256, rng.integers(0, 30)).tolist()])
    wide = tuple(int(value) for value in rng.integers(-32768, 32768, 24))
    walk = tuple(int(value) for value in rng.integers(-600, 600, 2))
    gains = tuple(int(value) for value in rng.integers(0, 3000, 10)) if rng.random() < 0.5 else wide[:10]
    return packet_codec.encode(
        rng.choice(
            [
                packets.SetVelocity(walk), packets.SetVelocity(walk), packets.SetVelocity(wide[:2]),
                packets.SetThrust(wide[:2]), packets.StartMotors(), packets.StartMotors(), packets.StopMotors(),
                packets.gains_packet(ROBOT.imageproc.pid_gains), packets.gains_packet(gains), packets.ZeroPosition(),
                packets.SetTimeout(int(rng.integers(0, 400))), packets.SetTimeout(wide[0]), packets.GetPosition(),
                packets.StartTimedRun(int(rng.integers(0, 1500))), packets.SetPidOutputChannel(1),
                packets.SetVelocityProfile(wide[:6], wide[6:12]), packets.SetThrustOpenLoop(*wide[:2]),
            ]
        )
    )  # fmt: skip


def equal_for(pair, rng, seconds):
    """Live with random commands and resets; return how many ticks a motor was driven."""
    driven, due = 0, 0
    for tick in range(1000 * seconds):
        if tick >= due:
            due = tick + int(rng.integers(1, 300))
            if rng.random() < 0.01:
                pair.reset()
            python, c = pair.receive(random_payload(rng))
            assert python == c, tick
        python, c = pair.tick()
        assert python == c, tick
        driven += any(c)
    return driven


@pytest.mark.parametrize('seed', [0, 1])
def test_equal_in_every_bit_under_random_commands_and_resets(library, seed):
    assert equal_for(Pair(library, seed), np.random.default_rng(100 + seed), 20) > 2000


@pytest.mark.long
@pytest.mark.parametrize('seed', range(20))
def test_equal_in_every_bit_for_a_minute(library, seed):
    assert equal_for(Pair(library, seed), np.random.default_rng(200 + seed), SECONDS) > 6000


def test_a_walk_and_the_robots_own_timeout(library):
    pair = Pair(library, 3)
    for packet in (*packets.start_sequence(ROBOT.imageproc.pid_gains), packets.SetTimeout(250)):
        pair.receive(packet_codec.encode(packet))
    start = pair.legs.angle.copy()
    for _ in range(10):
        pair.receive(packet_codec.encode(packets.SetVelocity((262, 131))))
        for _ in range(100):
            pair.tick()
    assert (pair.legs.angle - start) / math.tau == pytest.approx([4.0, 2.0], rel=0.15)
    silent = [pair.tick() for _ in range(300)]  # no byte comes from the host
    assert all(python == c for python, c in silent)
    driven = sum(any(c) for _, c in silent)
    assert driven == 250 - 100, 'the last command came 100 ms before'


def test_every_firmware_says_its_own_name(library):
    python, c = Pair(library, 0).receive(packet_codec.encode(packets.WhoAmI()))
    assert python != c
    assert packet_codec.decode_reply(c).text.encode() == NAME


def test_an_empty_battery_switches_the_motors_off_until_a_reset(library):
    sensors = Legs(np.random.default_rng(0)).sensors()
    robot = CoreRobot(library, sensors, cutoff=700)

    def walk():
        for packet in (*packets.start_sequence(ROBOT.imageproc.pid_gains), packets.SetVelocity((262, 262))):
            robot.receive(sensors, packet_codec.encode(packet))

    def driven_after(milliseconds):
        return any([robot.tick(sensors) for _ in range(milliseconds)][-1])

    walk()
    assert driven_after(100)
    sensors.battery = 699
    assert driven_after(900), 'a start of the motors may pull the battery down for a while'
    sensors.battery = 880
    assert driven_after(10)
    sensors.battery = 699
    assert not driven_after(1001)
    sensors.battery = 880
    walk()
    assert not driven_after(10)
    robot.power_up(sensors)
    walk()
    assert driven_after(10)
