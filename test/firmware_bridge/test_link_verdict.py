"""Every fault of a link is named with its remedy, and a sound link is not blamed."""

import dataclasses
import itertools
import struct

import pytest
from check_bench import Bench, raw_frame, reframed
from robots import imageproc

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.link_measurements import Jog, Trip, Watchdog
from firmware_bridge.link_verdict import judge_jog, judge_trips, judge_watchdog
from firmware_bridge.packet_codec import encode
from firmware_bridge.packets import SetVelocity
from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, encode_frame
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import RadioConfig, ScalesConfig

ROBOT = RobotConfig()
SIXTY_FOUR = bytes.fromhex('0013A20040522BAA')

HOLDS = (0.0, 0.04, 0.0, 0.0, 0.03)
"""How long a busy machine keeps one reply after another from us [s]."""


def with_scales(**scales):
    return imageproc(scales=ScalesConfig(**scales))


def with_radio(**radio):
    return imageproc(radio=RadioConfig(**radio))


def escaped(data):
    return b''.join(encode_frame(frame, True) for frame in StreamParser().feed(data))


def unescaped(data):
    return b''.join(encode_frame(frame) for frame in StreamParser(True).feed(data))


def big_endian(frame):
    payload = frame.payload
    if payload[1] == 0x20:
        payload = payload[:2] + struct.pack('>2L4l11h', *struct.unpack('<2L4l11h', payload[2:]))
    return encode_frame(dataclasses.replace(frame, payload=payload))


def as_kind(head):
    return reframed(lambda frame: raw_frame(head + frame.payload))


from_address_2 = reframed(lambda frame: encode_frame(dataclasses.replace(frame, source=2)))


def test_a_sound_link_has_no_problem():
    assert Bench().problems() == []


def test_a_clock_that_stalls_now_and_then_is_not_called_slow():
    """As the mock's does on a busy machine."""
    bench = Bench()
    telemetry, stalls = bench.microcontroller.telemetry, []

    def stalling(command):
        reply = telemetry(command)
        if reply.index % 20 == 0:
            stalls.append(60_000)
        return dataclasses.replace(reply, timestamp=(reply.timestamp - sum(stalls)) % 2**32)

    bench.microcontroller.telemetry = stalling
    assert not [problem for problem in bench.problems() if 'scales.clock' in problem]


@pytest.mark.parametrize(('scale', 'named'), [(1e-6, False), (8e-7, True), (1.2e-6, True)])
def test_a_busy_machine_is_not_taken_for_a_slow_clock_of_the_robot(scale, named):
    bench = Bench(truth=with_scales(clock=scale))
    trips, waited = [], 0.0
    for trip, hold in zip(bench.check.round_trips(200, lambda: None), itertools.cycle(HOLDS), strict=False):
        stamp = trip.reply.timestamp + round(waited / scale)
        reply = dataclasses.replace(trip.reply, timestamp=stamp)
        trips.append(Trip(trip.sent + waited, reply, trip.arrived + waited + hold, None))
        waited += hold
    found = judge_trips(trips, 0, bench.check.receiver, bench.file, LinkConfig())
    assert any("the robot's clock runs" in problem for problem in found) is named


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        ({'loss': 1.0}, ['radio does not acknowledge']),
        ({'reply_loss': 1.0}, ['radio acknowledges, its firmware does not answer']),
        ({'down': lambda data: b''}, ['nothing comes over the port']),
        ({'reply_loss': 0.17}, ['requests', 'got no answer']),
        ({'loss': 0.02}, ['requests', 'got no answer']),
        ({'delay': 0.05}, ['took longer than the 60 ms']),
        ({'down': as_kind(b'\x90' + SIXTY_FOUR + b'\x00\x01\x01')}, ['0x90', 'AO']),
        ({'down': as_kind(b'\x91' + SIXTY_FOUR + b'\x00\x01\xe8\xe8\x00\x11\xc1\x05\x01')}, ['0x91', 'AO']),
        ({'down': as_kind(b'\x80' + SIXTY_FOUR + b'\x28\x00')}, ['0x80', 'MY']),
        ({'down': as_kind(b'\xa5')}, ['0xa5', '802.15.4']),
        ({'down': from_address_2}, ['0x0002', 'radio.address', 'MY']),
        ({'down': reframed(lambda f: f.payload)}, ['bytes came outside of frames', 'AP']),
        ({'down': lambda data: b''.join(f.payload for f in StreamParser().feed(data) if isinstance(f, RxPacket))},
         ['bytes came outside of frames', 'AP', '57600']),
        ({'down': lambda data: bytes(byte ^ 0x55 for byte in data)}, ['bytes came outside of frames', 'baud']),
        ({'down': escaped}, ['API mode 2', 'radio.escaped to true']),
        ({'file': with_radio(escaped=True), 'up': unescaped}, ['API mode 1', 'radio.escaped to false']),
        ({'down': reframed(big_endian)}, ['battery reading', 'no 10-bit number', 'big-endian']),
        ({'down': reframed(lambda f: encode_frame(dataclasses.replace(f, payload=f.payload[:-1])))},
         ['payloads are no packet', '0x20 carries 46 bytes']),
        ({'truth': imageproc(index_before_timestamp=False)}, ['index_before_timestamp to false']),
        ({'file': imageproc(index_before_timestamp=False)}, ['index_before_timestamp to true']),
        ({'truth': with_scales(clock=1e-3)}, ['scales.clock to about 0.001']),
        ({'truth': with_scales(clock=2e-6)}, ['scales.clock to about 2e-06']),
        ({'truth': with_scales(clock=5e-7)}, ['scales.clock to about 5e-07']),
        ({'truth': with_scales(accelerometer=5e-4)}, ['scales.accelerometer']),
        ({'truth': with_scales(gyro=1e-6)}, ['scales.gyro']),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_remedy(options, says):
    problems = Bench(**options).problems()
    assert problems
    for words in says:
        assert words in ' '.join(problems), problems


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'battery': 3200}, 'battery reading 3200 is no 10-bit number'),
        ({'battery': 700}, 'below 780: charge it'),
        ({'back_emf': (2000, 0)}, 'back-EMF (2000, 0) is no 10-bit number'),
        ({'duty': (0, 5000)}, 'duty (0, 5000)'),
        ({'index': 7}, 'index 7 does not follow 7'),
        ({'timestamp': 7}, 'clock stands still'),
        ({'command': (5, 5)}, 'echoes (5, 5), not (0, 0)'),
        ({'accel': (0, 0, 0)}, 'scales.accelerometer'),
        ({'gyro': (30000, 0, 0)}, 'scales.gyro'),
    ],
)
def test_a_field_at_fault_is_named(changes, says):
    bench = Bench()
    bench.change_telemetry(**changes)
    problems = bench.problems()
    assert [problem for problem in problems if says in problem], problems


def test_our_own_frames_that_come_back_are_a_loop():
    loop = encode_frame(TxRequest(0, 1, 0, encode(SetVelocity((0, 0)))))
    bench = Bench(down=lambda data: loop)
    assert 'TX and RX of the port are joined' in ' '.join(bench.problems())


def test_another_program_that_commands_the_robot_is_noticed():
    bench = Bench()

    def command():
        bench.microcontroller.receive(encode(SetVelocity((0, 0))))
        bench.clock.at(bench.clock.steady() + 0.1, command)

    command()
    assert 'requests that are not ours' in ' '.join(bench.problems())


def test_a_robot_that_restarts_is_named():
    bench = Bench()
    bench.clock.at(1.0, bench.microcontroller.power_up)
    assert 'restarted 1 times' in ' '.join(bench.problems())


@pytest.mark.parametrize(
    ('jog', 'says'),
    [
        (Jog('left', 10, 200_000.0, 0.0), 'scales.clock, index_before_timestamp'),
        (Jog('left', 10, 3.5, 0.0), 'scales.clock'),
        (Jog('left', 10, -2.0, 0.0), 'backward'),
        (Jog('left', 10, 0.0, 0.0), 'battery, motor, encoder'),
        (Jog('left', 10, 0.0, 2.0), 'swapped'),
        (Jog('right', 2, 2.0, 0.0), 'only 2 replies'),
        (Jog('right', 0, 0.0, 0.0, 'x'), 'nothing was turned: x'),
    ],
)
def test_a_jog_at_fault_is_named(jog, says):
    (problem,) = judge_jog(jog)
    assert says in problem


WATCHDOG = Watchdog(timeout=250, rate_before=1.8, travel=0.76, step=0.0, restarted=False)


@pytest.mark.parametrize(
    ('changes', 'verdict'),
    [
        ({}, True),
        ({'rate_before': 0.0}, None),
        ({'rate_before': -1.8}, None),
        ({'rate_before': 2000.0}, None),
        ({'restarted': True}, None),
        ({'travel': None, 'step': None}, None),
        ({'step': None}, None),
        ({'unconfirmed': 'x'}, None),
        ({'step': 0.4}, False),
        ({'step': -0.4}, False),
        ({'travel': 3.9}, False),
        ({'travel': -3.9}, False),
    ],
)
def test_a_timeout_is_certified_only_by_a_leg_that_turned_and_then_stood(changes, verdict):
    assert judge_watchdog(dataclasses.replace(WATCHDOG, **changes))[0] is verdict
