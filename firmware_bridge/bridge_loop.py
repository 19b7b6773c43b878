"""Run the driver on its own thread: gate every setpoint, send it at once, act as the watchdog, reconnect.

It is a thread and not a subscription callback because it is the watchdog. It sends zero when setpoints stop, even if
the middleware stalls, and it obeys the operator's stop during a start-up or while a reply is missing.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable

from firmware_bridge.bridge_config import BridgeConfig
from firmware_bridge.channel import SLICE
from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import Exchange, Interrupted, LinkLost, RobotDriver
from firmware_bridge.loop_inputs import LoopInputs
from firmware_bridge.permission import Permission
from millirobot_adapt.contract.states import BridgeState, ControllerState, LinkState
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.safety.arbiter import Sender
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.core.safety.gate import Gate, GateConfig
from millirobot_adapt.core.safety.geofence import fence_text
from millirobot_adapt.core.safety.inputs import GateInputs

JUST_OVER = 0.001
"""Extra wait after a limit has passed, so that the next decision sees it exceeded [s]."""
SHORT_WAIT, QUICK_ZEROS = 0.02, 4
"""The zero that ends a motion waits this short time for its answer [s], and is repeated up to this many times."""


class BridgeLoop:
    """Own a driver that is already connected; `run` is its thread, the other methods may be called from any other.

    `report` is called on that thread once a cycle, with the exchange of the cycle if there was one; `log` takes events;
    `permission` says who may drive.
    """

    def __init__(
        self,
        driver: RobotDriver,
        gate: Gate,
        config: BridgeConfig,
        clock: Clock,
        report: Callable[[Exchange | None], None],
        log: Callable[[str], None],
        permission: Permission,
    ) -> None:
        self._driver = driver
        self._gate = gate
        self._config = config
        self._clock = clock
        self._report = report
        self._log = log
        self._changed = threading.Condition()  # guards everything below and the gate
        self._closing = False
        self._stop_asked = False
        self._inputs = LoopInputs(clock, permission, gate.layout)
        self._decided: FloatArray = gate.layout.neutral
        self._counters = driver.counts()
        self._attempt_at = clock.steady()
        self._back_off = config.reconnect_first
        self._repeat_zero, self._quick_zeros = False, 0
        driver.interrupt_when(lambda: self._closing or self._stop_asked)

    # For the thread of the node's callbacks.

    def on_setpoint(self, sender: Sender, setpoint: FloatArray, stamp: float) -> None:
        """Take a wanted action, shape (nu,), stamped [s, host clock].

        They are sent at once if they count: the sender may drive, and no other owns the action.
        """
        with self._changed:
            if self._inputs.take_setpoint(sender, setpoint, stamp, self._gate.config.setpoint_timeout):
                self._changed.notify()

    def on_unknown_setpoint(self, why: str) -> None:
        """Note a setpoint that nobody can be held to; it moves nothing."""
        with self._changed:
            self._inputs.refuse(why)

    def on_state(self, sample: StateSample) -> None:
        """Take a state of the estimator."""
        with self._changed:
            self._inputs.take_state(sample)

    def on_controller(self, state: ControllerState) -> None:
        """Take what a source of actions says of itself; one that drives and now may not is stopped."""
        with self._changed:
            self._inputs.permission.hear(state, self._clock.steady())
            objection = self._look().objection
            if objection is not None and self._gate.armed:
                self.stop(objection, StopCause.SAFETY)

    def limit(self, config: GateConfig) -> None:
        """Set the gate's limits, from the next decision on."""
        with self._changed:
            self._gate.limit(config)

    def arm(self) -> str | None:
        """Arm the gate, or return why not."""
        with self._changed:
            return self._gate.arm(self._inputs.to_arm(self._driver.state is LinkState.UP))

    def stop(self, reason: str, cause: StopCause) -> None:
        """Disarm at once; the motors are stopped as soon as the exchange under way is over."""
        with self._changed:
            self._gate.disarm(reason, cause)
            self._stop_asked = True
            self._changed.notify()

    def close(self) -> None:
        """Ask the thread to stop the robot and end."""
        with self._changed:
            self._closing = True
            self._gate.disarm('the bridge is ending', StopCause.SHUTDOWN)
            self._changed.notify()

    def status(self) -> BridgeState:
        """Return the state of gate and link."""
        with self._changed:
            gate = self._gate
            return BridgeState(
                gate.armed, self._driver.state, gate.reason, owner=self._inputs.owner(gate.config.setpoint_timeout),
                hold=gate.hold, cause=gate.stop_cause, last_stop=gate.last_stop, fence=fence_text(gate.config.fence),
                details={'refused': self._inputs.refusal() or 'none', **self._counters},
            )  # fmt: skip

    @property
    def decided(self) -> FloatArray:
        """What the gate let through last [rad/s], shape (2,); in a dry run it is not what was sent."""
        with self._changed:
            return self._decided.copy()

    # The link's own thread.

    def run(self) -> None:
        """Cycle until `close`, then stop the robot; after an unexpected error as well, which is raised again."""
        try:
            while not self._closing:
                self.cycle()
        except Exception as error:
            with self._changed:
                self._gate.disarm(f'the thread of the link failed: {type(error).__name__}: {error}', StopCause.FAULT)
            raise
        finally:
            self._switch_off()
            self._driver.close()
            self._counters = self._driver.counts()

    def cycle(self) -> None:
        """Wait for a setpoint, or until zero is due; decide, exchange, report. Without a link, try to reconnect."""
        exchange = None
        try:
            if self._driver.state is LinkState.UP:
                self._wait_for_setpoint()
                exchange = self._exchange()
            else:
                self._reconnect()
        except LinkLost as error:
            self._on_lost(str(error))
        except Interrupted:
            pass  # the next cycle handles the reason: a stop, or the end
        self._counters = self._driver.counts()
        self._report(exchange)

    def _wait_for_setpoint(self) -> None:
        """Wait for a new setpoint, at most as long as the one in effect is valid; without one, for an idle period.

        The zero that ends a motion is repeated at once, because the last setpoint may be delayed and arrive after it.
        A zero without an answer is repeated too.
        """
        if self._repeat_zero and self._driver.motors_on:
            return
        with self._changed:
            until = self._clock.steady() + self._longest_wait()
            while not self._wanted() and (left := until - self._clock.steady()) > 0:
                self._driver.beat()
                self._clock.wait(self._changed, min(left, SLICE))

    def _longest_wait(self) -> float:
        """Return how long to wait for a setpoint [s]; while setpoints come, they set the pace."""
        good_for = self._gate.good_for(self._look())
        seen = self._inputs.setpoint_seen
        if good_for is None and seen is not None:
            good_for = seen.arrival + self._gate.config.setpoint_timeout - self._clock.steady()
        return self._config.idle_period if good_for is None or good_for < 0.0 else good_for + JUST_OVER

    def _wanted(self) -> bool:
        return self._inputs.setpoint_new or self._stop_asked or self._closing

    def _exchange(self) -> Exchange | None:
        self._hear_guardian()
        with self._changed:
            self._stop_asked = False  # the gate is disarmed already, and that decides
        if self._gate.armed and not self._driver.motors_on:
            self._driver.start_motors()  # before the decision, which would be out of date afterwards
        with self._changed:
            if self._closing:
                return None
            inputs = self._look()
            decision = self._gate.decide(inputs)
            good_for = self._gate.good_for(inputs)
            self._inputs.decided()
            self._decided = decision.setpoint
            armed = self._gate.armed
        if decision.stop:
            self._log(f'stopped: {decision.reason}')
        if not armed and self._driver.motors_on and not self._driver.stop():
            raise LinkLost('the robot did not confirm the stop')
        setpoint = self._gate.layout.neutral if self._config.dry_run else decision.setpoint
        exchange = self._stand(setpoint) if good_for is None else self._move(setpoint, good_for)
        with self._changed:
            self._inputs.take_exchange(exchange)
        return exchange

    def _move(self, setpoint: FloatArray, good_for: float) -> Exchange:
        """Send a motion; wait for its reply no longer than the motion is allowed [s]."""
        self._quick_zeros, self._repeat_zero = QUICK_ZEROS, False
        return self._driver.exchange(setpoint, good_for + JUST_OVER)

    def _stand(self, zero: FloatArray) -> Exchange:
        """Send zero; the zero that ends a motion is repeated quickly until it is answered."""
        ends_motion = self._quick_zeros == QUICK_ZEROS
        exchange = self._driver.exchange(zero, SHORT_WAIT if self._quick_zeros else math.inf)
        answered = exchange.telemetry is not None
        self._quick_zeros = 0 if answered else max(0, self._quick_zeros - 1)
        self._repeat_zero = ends_motion or not answered
        return exchange

    def _hear_guardian(self) -> None:
        """Disarm when the guardian has acted or died: the state of the motors is unknown then, so they are stopped."""
        trouble = self._driver.guardian_trouble()
        if trouble is not None:
            with self._changed:
                self._gate.disarm(trouble, StopCause.LINK)
            self._log(f'stopped: {trouble}')

    def _switch_off(self) -> None:
        """Switch the motors off before the end; a lost link is opened once more for it."""
        if not self._driver.motors_on:
            return
        stopped = False
        with contextlib.suppress(LinkLost, UserError):
            if self._driver.state in (LinkState.LOST, LinkState.CLOSED):
                self._driver.connect()
            stopped = self._driver.stop()
        self._log('motors off' if stopped else 'the robot did not confirm that its motors are off')

    def _reconnect(self) -> None:
        wait = self._attempt_at - self._clock.steady()
        if wait > 0:
            with self._changed:
                self._clock.wait(self._changed, min(wait, SLICE))
            return
        with self._changed:
            self._stop_asked = False  # a start-up begins with zero anyway
        self._attempt_at = self._clock.steady() + self._back_off
        self._back_off = min(2 * self._back_off, self._config.reconnect_longest)
        try:
            self._driver.start()
        except (LinkLost, UserError) as error:
            with self._changed:
                self._gate.disarm(f'link lost: {error}', StopCause.LINK)
            return
        except Interrupted:
            self._switch_off()
            return
        self._back_off = self._config.reconnect_first
        with self._changed:
            self._gate.disarm('the link is up; not armed', StopCause.LINK)
        self._log('link up')

    def _on_lost(self, reason: str) -> None:
        with self._changed:
            self._gate.disarm(f'link lost: {reason}', StopCause.LINK)
        self._attempt_at = self._clock.steady() + self._config.reconnect_first
        self._log(f'link lost: {reason}')

    def _look(self) -> GateInputs:
        return self._inputs.to_decide(self._driver.state is LinkState.UP, self._gate.config.setpoint_timeout)
