"""Six simulated servos on a bench, a line to them, and a driver, in the time of a manual clock."""

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.clock import ManualClock
from firmware_bridge.dynamixel.dynamixel_driver import DynamixelDriver
from firmware_bridge.transports import TransportLost
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig
from millirobot_adapt.sim.servo_rig import FreeShafts, ServoRig

START = np.array([0.3, -2.0, 1.0, 2.5, -0.4, 3.0])
"""Where the shafts stand at first [rad]."""


class RigTransport:
    """The host's end of the line; reading moves the clock."""

    def __init__(self, rig, clock):
        self.rig, self.clock, self.lost = rig, clock, False

    def read(self, timeout):
        if self.lost:
            raise TransportLost('unplugged')
        deadline = self.clock.steady() + timeout
        while not (data := self.rig.read(self.clock.steady())) and (left := deadline - self.clock.steady()) > 0:
            due = self.rig.line.next_due()
            wait = left if due is None else min(left, max(due - self.clock.steady(), 0.0))
            self.clock.sleep(wait + 1e-6)
        return data

    def write(self, data):
        if self.lost:
            raise TransportLost('unplugged')
        self.rig.write(data, self.clock.steady())

    def fileno(self):
        return None

    def close(self):
        pass


class ServoBench:
    """A driver that is connected; `start` it, then `walk`."""

    def __init__(self, seed=0, **config):
        self.config = DynamixelConfig(**config)
        self.clock = ManualClock()
        self.shafts = FreeShafts(START)
        self.rig = ServoRig(self.config, self.shafts, generator(seed))
        self.transport = RigTransport(self.rig, self.clock)
        self.events = []
        self.driver = DynamixelDriver(
            lambda: self.transport, self.config, LinkConfig(), self.clock, self.events.append, own_thread=False
        )
        self.driver.connect()
        self.signs = np.array([1, 1, 1, -1, -1, -1])
        self.exchanges = []

    def on(self):
        """Start up and switch the motors on."""
        self.driver.start()
        self.driver.start_motors()
        return self

    def live(self, seconds):
        """Let the leg clock cycle without a new action; the first error is raised."""
        for _ in range(round(seconds * self.config.rate)):
            self._cycle(self.driver.cycle)

    def walk(self, rate, seconds, each=lambda: None):
        """Give an action every 0.1 s, in rev/s; `each` is called after every cycle."""
        for _ in range(round(seconds * 10)):
            self._cycle(lambda: self.exchanges.append(self.driver.exchange(np.array(rate) * 2 * np.pi)))
            each()
            for _ in range(round(0.1 * self.config.rate) - 1):
                self._cycle(self.driver.cycle)
                each()

    def _cycle(self, act):
        due = self.clock.steady() + 1 / self.config.rate
        act()
        self.clock.sleep(due - self.clock.steady())
        self.rig.advance(self.clock.steady())

    def legs(self):
        """The true angles of the legs [rad], positive forward, shape (2, 3)."""
        return (self.signs * self.shafts.angle).reshape(2, 3)

    def leg_rates(self):
        """The true velocities of the legs [rad/s], shape (2, 3)."""
        return (self.signs * self.shafts.velocity).reshape(2, 3)

    def register(self, number, register):
        """What a servo's register holds, by its place."""
        return register.decode(self.rig.servos[number].read(register.address, register.size))
