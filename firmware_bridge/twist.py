"""Drive a robot that takes velocity commands under ROS 2; this file knows no ROS: it is given what sends.

Such a robot reports nothing of itself. Its reply to an action is the moment at which the action went out: that is when
the estimator has to know its state.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from firmware_bridge.clock import Clock
from firmware_bridge.driver_interface import Exchange, Interrupted, LinkLost, SilencePromise
from firmware_bridge.guardian import StartingGuardian
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.drivers import TwistConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.robot.samples import Telemetry

READY_TIME, LOOK = 30.0, 0.02
"""Longest wait for the guardian to be ready, and the time between two looks [s]."""
STOPS = 3
"""A stop is sent this often: a message of best effort may be lost."""


class TwistDriver:
    """Send each action as a velocity command; see `RobotDriver`."""

    def __init__(
        self,
        robot: RobotConfig,
        send: Callable[[FloatArray], None],
        start_guardian: Callable[[], StartingGuardian],
        clock: Clock,
    ) -> None:
        """Make a driver that is not connected.

        Args:
            robot: A robot with driver twist.
            send: Publishes an action, shape (nu,).
            start_guardian: Starts the process that sends zero when this one is gone or hangs.
            clock: Time.
        """
        self._robot = robot
        self._send = send
        self._start_guardian = start_guardian
        self._clock = clock
        self._guardian: StartingGuardian | None = None
        self._interrupt: Callable[[], bool] = lambda: False
        self._sent = 0
        self.state = LinkState.CLOSED
        self.motors_on = False
        self.last_words = b''  # the guardian has its own: a command of zero

    @property
    def silence_promise(self) -> SilencePromise:
        """What the robot does when no command comes any more."""
        return twist_promise(self._robot)

    def counts(self) -> dict[str, int | float]:
        """Return how many commands were sent; each counts as answered."""
        return {'sent': self._sent, 'replies': self._sent, 'lost': 0, 'stale': 0}

    def interrupt_when(self, interrupt: Callable[[], bool]) -> None:
        """End the wait of `start` as soon as `interrupt` returns True."""
        self._interrupt = interrupt

    def beat(self) -> None:
        """Tell the guardian that the caller's thread is alive."""
        if self._guardian is not None:
            self._guardian.beat(self.motors_on)

    def guardian_trouble(self) -> str | None:
        """Return what the guardian has done; it goes on guarding.

        Raises:
            LinkLost: it has died; `start` starts another one.
        """
        guardian = self._guardian
        trouble = None if guardian is None else guardian.trouble()
        if trouble is not None and guardian is not None and not guardian.alive:
            raise self._lost(trouble)
        return trouble

    def connect(self) -> None:
        """Start the guardian; send nothing.

        Raises:
            LinkLost: it cannot be started.
        """
        if self._guardian is None:
            try:
                self._guardian = self._start_guardian()
            except OSError as error:
                raise LinkLost(f'the guardian cannot be started: {error}') from None

    def start(self) -> None:
        """Command standstill; whoever listens is not known. Wait for the guardian: nothing moves without it.

        Raises:
            LinkLost: the guardian cannot be started.
            Interrupted: see `interrupt_when`.
        """
        self.connect()
        self._stand()
        deadline = self._clock.steady() + READY_TIME
        while self._guardian is not None and not self._guardian.ready:
            if not self._guardian.alive or self._clock.steady() > deadline:
                raise self._lost('the guardian of the velocity command did not start')
            if self._interrupt():
                raise Interrupted
            self._clock.sleep(LOOK)
        self.state = LinkState.UP

    def exchange(self, action: FloatArray, patience: float = math.inf) -> Exchange:
        """Send an action, shape (nu,); its reply is the moment of sending."""
        self.beat()
        stamp = self._clock.host()
        self._send(action)
        self._sent += 1
        nothing, unknown = np.empty(0), np.full(3, np.nan)
        reply = Telemetry(stamp, nothing, nothing, unknown, unknown, nothing, math.nan, self._sent)
        return Exchange(np.array(action, dtype=float), stamp, reply, 0.0)

    def start_motors(self) -> None:
        """Note that commands may move the robot from now on."""
        self.motors_on = True
        self.beat()

    def stop(self) -> bool:
        """Command standstill several times. Nobody confirms it, so the answer is always True."""
        self._stand()
        self.motors_on = False
        self.beat()
        return True

    def close(self) -> None:
        """Command standstill, and end the guardian."""
        self._stand()
        self._close_guardian()
        self.state = LinkState.CLOSED

    def _lost(self, reason: str) -> LinkLost:
        """Command standstill, give the guardian up, and return the exception that says why."""
        self._stand()
        self._close_guardian()
        self.motors_on = False
        self.state = LinkState.LOST
        return LinkLost(reason)

    def _stand(self) -> None:
        for _ in range(STOPS):
            self._send(self._robot.layout.neutral)

    def _close_guardian(self) -> None:
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None


def twist_promise(robot: RobotConfig) -> SilencePromise:
    """Return what a robot with driver twist promises for when no command comes.

    Raises:
        UserError: the robot has another driver.
    """
    driver = robot.driver
    if not isinstance(driver, TwistConfig):
        raise UserError(f'robot {robot.name} has driver {driver.kind}, not twist')
    return SilencePromise(
        driver.timeout or None,
        driver.timeout_verified,
        f'stop the publisher of {driver.topic} while it drives',
        'losing the network',
    )
