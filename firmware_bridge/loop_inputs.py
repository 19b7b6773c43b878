"""Collect what the bridge receives between two decisions, and hand it to the gate."""

from __future__ import annotations

import numpy as np

from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import Exchange
from firmware_bridge.permission import Permission
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.core.safety.arbiter import Arbiter, Sender
from millirobot_adapt.core.safety.inputs import GateInputs, LegReading, Seen

REFUSAL_SHOWN = 1.0
"""How long the state of the bridge names a refused setpoint [s]."""


class LoopInputs:
    """The newest value of each input, by the clocks of the bridge; not thread-safe, the loop holds its lock."""

    def __init__(self, clock: Clock, permission: Permission, layout: StateLayout) -> None:
        self._clock = clock
        self._layout = layout
        self._arbiter = Arbiter()
        self.permission = permission
        self._setpoint: FloatArray | None = None
        self.setpoint_seen: Seen | None = None
        self.setpoint_new = False
        """A setpoint that counts has come since `decided`."""
        self._refusal, self._refused_at = '', -float('inf')
        self._state: StateSample | None = None
        self._state_seen: Seen | None = None
        self._telemetry_seen: Seen | None = None
        self._told = layout.neutral
        self._battery: float | None = None
        self._legs: LegReading | None = None

    def take_setpoint(self, sender: Sender, setpoint: FloatArray, stamp: float, timeout: float) -> bool:
        """Take a wanted action, shape (nu,), stamped [s, host clock]; return whether they count."""
        steady = self._clock.steady()
        refusal = self.permission.objection(sender)
        # One that is not finite asks for motion.
        refusal = refusal or self._arbiter.offer(sender, not self._layout.stands(setpoint), steady, timeout)
        if refusal:
            self.refuse(refusal)
            return False
        self._setpoint, self.setpoint_seen, self.setpoint_new = setpoint, self._seen(stamp), True
        return True

    def refuse(self, why: str) -> None:
        """Note a setpoint that does not count."""
        self._refusal, self._refused_at = why, self._clock.steady()

    def take_state(self, sample: StateSample) -> None:
        """Take a state of the estimator."""
        self._state, self._state_seen = sample, self._seen(sample.stamp)

    def take_exchange(self, exchange: Exchange) -> None:
        """Take what the robot was commanded and has answered."""
        reply = exchange.telemetry
        self._battery = None if reply is None else reply.battery
        if reply is None:
            self._told = np.where(np.abs(exchange.sent) < np.abs(self._told), exchange.sent, self._told)
            return
        before, self._telemetry_seen = self._telemetry_seen, self._seen(reply.stamp)
        if before is not None:
            self._legs = LegReading(self._told, reply.joint_velocity, self._telemetry_seen.arrival - before.arrival)
        self._told = exchange.sent

    def decided(self) -> None:
        """Note that what has come until now has been looked at."""
        self.setpoint_new, self._battery, self._legs = False, None, None

    def owner(self, timeout: float) -> Sender | None:
        """Return whose setpoints drive; None when they have been silent for longer than `timeout` [s]."""
        return self._arbiter.owner(self._clock.steady(), timeout)

    def refusal(self) -> str:
        """Return why a setpoint did not count of late; empty: none was refused."""
        return self._refusal if self._clock.steady() - self._refused_at <= REFUSAL_SHOWN else ''

    def to_decide(self, link_up: bool, timeout: float) -> GateInputs:
        """Return what a decision rests on; an owner that has been silent for longer than `timeout` [s] is none."""
        owner = self.owner(timeout)
        return self._inputs(link_up, None if owner is None else self.permission.objection(owner))

    def to_arm(self, link_up: bool) -> GateInputs:
        """Return what arming rests on."""
        return self._inputs(link_up, self.permission.objection_to_arming(self._clock.steady()))

    def _inputs(self, link_up: bool, objection: str | None) -> GateInputs:
        return GateInputs(
            steady=self._clock.steady(),
            link_up=link_up,
            setpoint=None if self._setpoint is None else np.array(self._setpoint, dtype=float),
            setpoint_seen=self.setpoint_seen,
            setpoint_refused=self.refusal(),
            state=self._state,
            state_seen=self._state_seen,
            telemetry_seen=self._telemetry_seen,
            battery=self._battery,
            legs=self._legs,
            objection=objection,
        )

    def _seen(self, stamp: float) -> Seen:
        return Seen(self._clock.steady(), self._clock.host() - stamp)
