"""A robot on a stand and the checks of `link-test`, in simulated time, with hooks for what may go wrong."""

import dataclasses

import numpy as np
from noting_guardian import NotingGuardian

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.channel import RadioChannel
from firmware_bridge.link_check import LinkCheck
from firmware_bridge.link_verdict import judge_trips
from firmware_bridge.packet_codec import decode_command
from firmware_bridge.xbee import RxPacket, StreamParser, encode_frame
from millirobot_adapt.benchmarks.link.simulated_link import RadioTransport, SimulatedClock
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.sim.conditions import Condition
from millirobot_adapt.sim.radio import Radio
from millirobot_adapt.sim.radio_faults import RadioFaults
from millirobot_adapt.sim.wireless_robot import WirelessRobot
from millirobot_adapt.sim.world import World


class HookedTransport(RadioTransport):
    """Change the bytes on their way down to the host or up to the radio; a descriptor, so that there is a guardian."""

    def __init__(self, robot, clock, down, up):
        super().__init__(robot, clock)
        self._down, self._up = down, up

    def read(self, timeout):
        data = super().read(timeout)
        return self._down(data) if data else data

    def write(self, data):
        data = self._up(data)
        if data:
            super().write(data)

    def fileno(self):
        return 99


class Bench:
    """`file` is what the robot's file says, `truth` what the robot is."""

    def __init__(self, file=None, truth=None, down=lambda data: data, up=lambda data: data, **faults):
        self.file, truth = file or RobotConfig(), truth or RobotConfig()
        self.clock = SimulatedClock()
        self.world = World(truth, Condition(), 0)
        self.radio = Radio(truth.imageproc.radio, RadioFaults(**faults), True, np.random.default_rng(0))
        self.peer = WirelessRobot(self.world, self.radio)
        self.guardian = NotingGuardian()
        self.guardian.beat = lambda motors_on: self.beats.append((self.clock.steady(), motors_on))
        self.beats = []
        transport = HookedTransport(self.peer, self.clock, down, up)
        channel = RadioChannel(lambda: transport, self.file, self.clock, lambda descriptor, words: self.guardian)
        channel.open()
        self.check = LinkCheck(channel, self.file, LinkConfig(), self.clock)

    @property
    def microcontroller(self):
        return self.world.microcontroller

    @property
    def stands(self):
        return self.microcontroller.command == (0, 0)

    def deaf_to(self, kind):
        """Let the firmware ignore a packet."""
        receive = self.microcontroller.receive
        self.microcontroller.receive = lambda payload: (
            None if isinstance(decode_command(payload), kind) else receive(payload)
        )

    def change_telemetry(self, **changes):
        """Let fields of every telemetry reply be other ones."""
        telemetry = self.microcontroller.telemetry
        self.microcontroller.telemetry = lambda command: dataclasses.replace(telemetry(command), **changes)

    def problems(self, trips=200):
        """What the round trips of this robot are judged by."""
        self.check.name()
        found = self.check.round_trips(trips, lambda: None)
        return judge_trips(found, self.check.restarts, self.check.receiver, self.file, LinkConfig())


def raw_frame(data):
    """A frame of any kind, in API mode 1."""
    return b'\x7e' + len(data).to_bytes(2, 'big') + data + bytes([0xFF - sum(data) % 256])


def reframed(change):
    """A hook that sends each packet of the robot as other bytes."""

    def hook(data):
        frames = StreamParser().feed(data)
        return b''.join(change(frame) if isinstance(frame, RxPacket) else encode_frame(frame) for frame in frames)

    return hook
