"""Drive the robot at random to collect data: who may do what, and when. Pure: the clock is an argument."""

from __future__ import annotations

import time
from collections.abc import Callable

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.control.inbox import Inbox
from millirobot_adapt.core.control.random_policy import RandomPolicy
from millirobot_adapt.core.control.run_state import BridgeNews, NotReadyError, RunState, RunStatus
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.niceness import NICENESS
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.safety.causes import HoldCause, StopCause


class CollectorConfig(Config):
    """Parameters of the executable `collector`."""

    robot: str = param('velociroach', 'Robot: a name under params/robots/ or the path of a YAML file.')
    minutes: float = param(10.0, 'A run ends by itself after walking this long.', unit='min', low=0.01, high=600.0)
    centre: tuple[float, ...] = param(
        (0.5, 0.3), 'Centre of the safety circle, in `world`.', unit='m', low=-100.0, high=100.0, length=2
    )
    radius: float = param(
        1.0, 'Radius of the safety circle; outside the robot turns home. Leave half a metre to the fence.', unit='m',
        low=0.2, high=50.0,
    )  # fmt: skip
    stale_after: float = param(
        0.5, 'A run does not start on a state older than this, and ends when there is no newer one.', unit='s',
        low=0.15, high=10.0,
    )  # fmt: skip
    seed: int = param(0, 'Seed of the policy; each run of one process walks differently.', low=0, high=2**31)
    niceness: int = NICENESS


class Collector:
    """The state machine waiting -> idle -> running -> finished or stopped around the random policy."""

    def __init__(
        self, config: CollectorConfig, robot: RobotConfig, steady: Callable[[], float] = time.monotonic
    ) -> None:
        """Make an idle collector."""
        self._config = config
        self._robot = robot
        self._steady = steady
        self._inbox = Inbox(robot.dt)
        self._bridge = BridgeNews(False)
        self._policy: RandomPolicy | None = None
        self._began = 0.0
        self._run = RunState()
        self._zero_due = False

    # What arrives.

    def on_state(self, sample: StateSample) -> None:
        """Take a state of the estimator; one that is not finite is no state."""
        self._inbox.add_state(sample, self._steady())

    def on_bridge(self, news: BridgeNews) -> None:
        """Take the bridge's state: disarmed, held for its legs or driven by another source it ends the run."""
        self._bridge = news
        if not news.armed:
            self.stop(f'the bridge disarmed ({news.reason})', StopCause.BRIDGE)
        elif news.hold is HoldCause.LEGS:
            self.stop(news.reason, StopCause.FAULT)
        elif news.taken_by:
            self.stop(f'{news.taken_by} has taken over', StopCause.OPERATOR)

    # What the operator asks.

    @property
    def running(self) -> bool:
        """Return whether a run is in progress."""
        return self._run.running

    @property
    def status(self) -> RunStatus:
        """Where the collector stands."""
        return self._run.status(self.missing())

    @property
    def walked(self) -> float:
        """Return how long the present run has walked [s]; 0 while there is none."""
        return self._steady() - self._began if self.running else 0.0

    def start(self) -> None:
        """Begin a run.

        Raises:
            NotReadyError: something is missing; the message says what.
        """
        if self.running:
            raise NotReadyError('already running')
        missing = self.missing()
        if missing:
            raise NotReadyError(missing)
        self._bridge.check_free()
        config, robot = self._config, self._robot
        rng = generator(config.seed, self._run.number)
        self._policy = RandomPolicy(robot.layout, config.radius, rng, config.centre)
        self._began = self._steady()
        self._run.begin()

    def stop(self, reason: str, cause: StopCause) -> None:
        """End the run: the robot stands from the next tick on."""
        if self.running:
            self._run.stop(reason, cause)
            self._stand()

    # What the ticker does.

    def begin_tick(self) -> FloatArray | None:
        """Return the setpoint to publish in the tick that begins [rad/s], shape (nu,).

        One zero ends a run; None while standing: others may drive then (teleop), and the bridge sends zero itself.
        """
        missing = self.missing()
        if self.running and missing:
            self.stop(missing, StopCause.FAULT)
        if self.walked >= 60.0 * self._config.minutes:
            self._run.finish()
            self._stand()
        newest = self._inbox.newest
        if self._policy is None or newest is None:
            due, self._zero_due = self._zero_due, False
            return self._robot.layout.neutral if due else None
        return self._policy.act(newest.state)

    def _stand(self) -> None:
        self._policy, self._zero_due = None, True

    def missing(self) -> str:
        """Say what is missing before a run can start; empty when nothing is."""
        return self._inbox.missing(self._steady(), self._config.stale_after)
