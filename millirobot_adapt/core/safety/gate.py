"""The gate: the last thing a setpoint passes before it becomes bytes.

What comes out is, for each action, neutral or inside the robot's range, and neutral whenever the gate is not armed.
Three grades: a **hold** gives neutral until its cause is over, a **stop** disarms, and after that only an operator arms
again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.estimation.quality import PoseFault
from millirobot_adapt.core.robot.description import RADIANS_PER_REVOLUTION, RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.state import StateView
from millirobot_adapt.core.safety.causes import HoldCause, StopCause
from millirobot_adapt.core.safety.geofence import Fence, fence_text
from millirobot_adapt.core.safety.inputs import GateInputs, Seen, tilt_of
from millirobot_adapt.core.safety.leg_watch import LegWatch


class GateConfig(Config):
    """Limits of the gate."""

    setpoint_timeout: float = param(0.2, 'An older setpoint becomes zero.', unit='s', low=0.02, high=1.0, live='lower')
    pose_hold: float = param(
        0.3, 'Hold at zero while the last pose that the estimator accepted is older.',
        unit='s', low=0.02, high=5.0, live='lower',
    )  # fmt: skip
    pose_stop: float = param(
        1.0, 'Stop when the last pose that the estimator accepted is older.',
        unit='s', low=0.05, high=10.0, live='lower',
    )  # fmt: skip
    position_sd_hold: float = param(
        0.1, "Hold at zero while the estimated position's standard deviation is larger.",
        unit='m', low=0.001, high=10.0, live='lower',
    )  # fmt: skip
    heading_sd_hold: float = param(
        0.5, "Hold at zero while the estimated heading's standard deviation is larger.",
        unit='rad', low=0.01, high=10.0, live='lower',
    )  # fmt: skip
    state_hold: float = param(
        0.5, 'Hold at zero while the newest state is older.', unit='s', low=0.1, high=5.0, live='lower'
    )
    state_stop: float = param(1.5, 'Stop when the newest state is older.', unit='s', low=0.1, high=10.0, live='lower')
    telemetry_hold: float = param(
        0.22, "Hold at zero while the robot's newest reply is older: one may be missing, not two.",
        unit='s', low=0.05, high=1.0, live='lower',
    )  # fmt: skip
    leg_hold: float = param(
        1.0, 'Hold at zero when a leg has not followed its setpoint for longer, until nobody asks it to turn.',
        unit='s', low=0.2, high=60.0, live='lower',
    )  # fmt: skip
    leg_share: float = param(
        0.2, 'A leg that turns at less than this share of its setpoint does not follow it.', low=0.0, high=0.9,
        live='higher',
    )  # fmt: skip
    fence: tuple[float, ...] = param(
        (-1.4, -1.2, 2.5, 1.8), 'Box (x low, y low, x high, y high) or corners (x, y, ...) in `world`.', unit='m'
    )
    fence_margin: float = param(
        0.1, 'Stop when closer than this to the fence.', unit='m', low=0.0, high=1.0, live='higher'
    )
    tilt: float = param(
        1.0, 'Stop when the body z axis leans more from vertical.', unit='rad', low=0.1, high=3.2, live='lower'
    )
    battery_samples: int = param(
        5, 'Stop after this many low battery readings in a row.', low=1, high=100, live='lower'
    )
    slew: float = param(
        20.0, "Largest change of a leg's setpoint between two sent, beside the slew of the robot; stopping is exempt.",
        unit='rev/s', low=0.01, high=20.0, live='lower',
    )  # fmt: skip

    @property
    def words(self) -> str:
        """The limits in one line, for people."""
        return (
            f'setpoint {self.setpoint_timeout:g} s, accepted pose {self.pose_hold:g}/{self.pose_stop:g} s (hold/stop), '
            f'position sd {self.position_sd_hold:g} m, heading sd {self.heading_sd_hold:g} rad, '
            f'state {self.state_hold:g}/{self.state_stop:g} s, telemetry {self.telemetry_hold:g} s, '
            f'legs {self.leg_hold:g} s below {100 * self.leg_share:g} %, fence [{fence_text(self.fence)}] less '
            f'{self.fence_margin:g} m, tilt {self.tilt:g} rad, battery low {self.battery_samples} times, '
            f'slew {self.slew:g} rev/s'
        )


@dataclass(frozen=True)
class Decision:
    """What the gate lets through."""

    setpoint: FloatArray
    """The action to send, shape (nu,)."""
    reason: str
    """Why it differs from what was wanted; 'as wanted' where it does not."""
    stop: bool = False
    """True once, in the decision that disarms: switch the motors off."""
    hold: HoldCause = HoldCause.NONE
    """Why the robot stands although it is armed."""


class Gate:
    """Decide what may be sent; pure: it knows the time only from its inputs.

    Raises:
        UserError: the fence is no area.
    """

    def __init__(self, config: GateConfig, robot: RobotConfig) -> None:
        self.limit(config)
        self.layout = robot.layout
        self._low, self._high, self._neutral = robot.action_low, robot.action_high, robot.layout.neutral
        self._battery_low = None if robot.battery is None else robot.battery.low
        self._low_readings = 0
        self._battery_known = robot.battery is None
        self._sent = self._neutral
        self._legs = LegWatch(robot.layout)
        self._accepted_at = -math.inf  # when the last pose was taken that a state called accepted [s, steady clock]
        self.armed = False
        self.reason = 'not armed yet'
        """Why the gate is not armed, or what the last decision was."""
        self.hold = HoldCause.NONE
        """Why the robot stands although the gate is armed, as last decided."""
        self.last_stop = 'none'
        """Why it was last disarmed."""
        self.stop_cause = StopCause.NONE
        """The same, for programs."""

    def limit(self, config: GateConfig) -> None:
        """Set the limits, from the next decision on.

        Raises:
            UserError: the fence is no area.
        """
        self.fence = Fence(config.fence, config.fence_margin)
        self.config = config

    def arm(self, inputs: GateInputs) -> str | None:
        """Arm, or return why not (any cause of a hold or a stop, the age of the setpoint apart)."""
        self._legs.restart()
        refusal = self._why_stop(inputs) or self._why_hold(inputs)
        if refusal is not None:
            return refusal[1]
        if not self._battery_known:
            return 'no battery reading yet'
        self.armed, self.reason, self.hold = True, 'armed', HoldCause.NONE
        return None

    def disarm(self, reason: str, cause: StopCause) -> None:
        """Let nothing but zero through until `arm`."""
        if self.armed:
            self.last_stop, self.stop_cause = reason, cause
        self.armed, self.reason, self.hold = False, reason, HoldCause.NONE
        self._sent = self._neutral

    def decide(self, inputs: GateInputs) -> Decision:
        """Return what may be sent now; `inputs.setpoint` is what is wanted."""
        self._take_in(inputs)
        if not self.armed:
            return Decision(self._neutral.copy(), self.reason)
        stop = self._why_stop(inputs)
        if stop is not None:
            cause, reason = stop
            self.disarm(reason, cause)
            return Decision(self._neutral.copy(), reason, stop=True)
        hold = self._why_hold(inputs) or self._setpoint_fault(inputs)
        if hold is None:
            self.hold, (self._sent, self.reason) = HoldCause.NONE, self._limited(inputs.setpoint)
        else:
            self._sent, (self.hold, self.reason) = self._neutral, hold
        return Decision(self._sent.copy(), self.reason, hold=self.hold)

    def good_for(self, inputs: GateInputs) -> float | None:
        """Return how long the robot may move as last decided if nothing more comes [s]; None if it is to stand."""
        if self.layout.stands(self._sent):
            return None
        config = self.config
        limits = (
            (_age(inputs.setpoint_seen, inputs), config.setpoint_timeout),
            (_age(inputs.telemetry_seen, inputs), config.telemetry_hold),
            (_age(inputs.state_seen, inputs), config.state_hold),
            (_pose_age(inputs), config.pose_hold),
        )
        # Written so that an age that is not a number leaves no time.
        return max(0.0, float(np.min([limit - age for age, limit in limits])))

    def _limited(self, setpoint: FloatArray | None) -> tuple[FloatArray, str]:
        """Return what of a finite setpoint may be sent, shape (nu,), and why it differs."""
        wanted, neutral = np.asarray(setpoint, dtype=float), self._neutral
        # A leg told to stand stands: clamping its zero into the range would make it walk.
        # So does one told to go backward, which it cannot.
        below, above = neutral < self._low, neutral > self._high
        stands = (below & (wanted <= neutral)) | (above & (wanted >= neutral))
        clamped = np.where(stands, neutral, np.clip(wanted, self._low, self._high))
        # Between standing still and a range beside it there is nothing to slew through.
        exempt = (clamped == neutral) | ((self._sent == neutral) & (below | above))
        slew = self.layout.slew(self.config.slew * RADIANS_PER_REVOLUTION)
        limited = np.clip(clamped, self._sent - slew, self._sent + slew)
        allowed = np.where(exempt, clamped, np.clip(limited, self._low, self._high))
        if np.array_equal(allowed, wanted):
            return allowed, 'as wanted'
        return allowed, 'slew limited' if np.array_equal(clamped, wanted) else 'clamped to the range'

    def _setpoint_fault(self, inputs: GateInputs) -> tuple[HoldCause, str] | None:
        config = self.config
        if inputs.setpoint is None or not _age(inputs.setpoint_seen, inputs) <= config.setpoint_timeout:
            refused = f': {inputs.setpoint_refused}' if inputs.setpoint_refused else ''
            return HoldCause.SETPOINT, f'no setpoint for {config.setpoint_timeout:g} s{refused}'
        if np.shape(inputs.setpoint) != np.shape(self._neutral) or not np.all(np.isfinite(inputs.setpoint)):
            return HoldCause.SETPOINT, 'the setpoint is not finite'
        return None

    def _why_hold(self, inputs: GateInputs) -> tuple[HoldCause, str] | None:
        config = self.config
        if not _age(inputs.telemetry_seen, inputs) <= config.telemetry_hold:
            return HoldCause.TELEMETRY, f'no telemetry for {config.telemetry_hold:g} s'
        if inputs.state is None or not _age(inputs.state_seen, inputs) <= config.state_hold:
            return HoldCause.STATE, f'no state from the estimator for {config.state_hold:g} s'
        if not _pose_age(inputs) <= config.pose_hold:
            return HoldCause.POSE, f'no accepted pose for {config.pose_hold:g} s{_why_no_pose(inputs)}'
        quality = inputs.state.quality
        if not quality.position_sd <= config.position_sd_hold:
            return HoldCause.UNCERTAIN, f'the position is known to {quality.position_sd:.2g} m (sd) only'
        if not quality.heading_sd <= config.heading_sd_hold:
            return HoldCause.UNCERTAIN, f'the heading is known to {quality.heading_sd:.2g} rad (sd) only'
        return (HoldCause.LEGS, self._legs.fault) if self._legs.fault else None

    def _why_stop(self, inputs: GateInputs) -> tuple[StopCause, str] | None:
        if not inputs.link_up:
            return StopCause.LINK, 'the link is not up'
        reason = self._limit_reached(inputs)
        return None if reason is None else (StopCause.SAFETY, reason)

    def _limit_reached(self, inputs: GateInputs) -> str | None:
        """Return which limit calls for a stop. By the steady clock alone: a step of the host's clock holds, at most."""
        config = self.config
        if inputs.objection is not None:
            return inputs.objection
        if inputs.state is None or inputs.state_seen is None:
            return 'no state from the estimator yet'
        silence = inputs.state_seen.silence(inputs.steady)
        if not silence <= config.state_stop:
            return f'no state from the estimator for {config.state_stop:g} s'
        pose_age = inputs.state.quality.pose_age
        if math.isfinite(pose_age):
            self._accepted_at = inputs.state_seen.arrival - pose_age
        if not inputs.steady - self._accepted_at <= config.pose_stop:
            return f'no accepted pose for {config.pose_stop:g} s{_why_no_pose(inputs)}'
        # A state without a pose says nothing of place and tilt: it is a hold, and the stop above in its time.
        # Written so that a position or tilt that is not finite stops the robot otherwise.
        if math.isfinite(pose_age) and not self.fence.contains(StateView(inputs.state.state).position):
            return 'outside the fence'
        if math.isfinite(pose_age) and not tilt_of(inputs.state.state) <= config.tilt:
            return f'tilted more than {config.tilt:g} rad'
        if self._low_readings >= config.battery_samples:
            return f'battery below {self._battery_low:.3g} V'
        return None

    def _take_in(self, inputs: GateInputs) -> None:
        """Count what a reply brought that came since the last decision."""
        if self._battery_low is not None and inputs.battery is not None:
            self._battery_known = True
            self._low_readings = self._low_readings + 1 if inputs.battery < self._battery_low else 0
        if self._setpoint_fault(inputs) is not None or self.layout.stands(inputs.setpoint):
            self._legs.restart()  # nobody asks the legs to turn
        elif inputs.legs is not None:
            self._legs.add(inputs.legs, self.config.leg_share, self.config.leg_hold)


def _age(seen: Seen | None, inputs: GateInputs) -> float:
    """Return how old something is [s]; inf when it was never heard of."""
    return np.inf if seen is None else seen.age(inputs.steady)


def _pose_age(inputs: GateInputs) -> float:
    """Return how old the last accepted pose is [s]: what the state says, and the time since the state's own stamp."""
    return np.inf if inputs.state is None else inputs.state.quality.pose_age + _age(inputs.state_seen, inputs)


def _why_no_pose(inputs: GateInputs) -> str:
    """Say why no pose was accepted of late, as the estimator knows it."""
    fault = PoseFault.NONE if inputs.state is None else inputs.state.quality.fault
    return '' if fault is PoseFault.NONE else f': {fault.words}'
