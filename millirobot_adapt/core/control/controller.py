"""Run the control loop in real time: who may do what, and when.

Three parties meet here, each on a thread of its own: messages arrive (`on_*`), the ticker begins a tick every control
period (`begin_tick`), the worker waits for the tick's state and plans (`work`). The ticker never waits for the worker:
a plan that is late leaves the next action of the last plan to be sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from millirobot_adapt.core.control.inbox import Tick
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.model_trial import ModelTrial, TrialResult
from millirobot_adapt.core.control.pacing import LATE_TICK, LoadShedding, missed_deadlines
from millirobot_adapt.core.control.plan_buffer import PlanBuffer
from millirobot_adapt.core.control.run_state import BridgeNews, NotReadyError, RunState, RunStatus
from millirobot_adapt.core.control.tick_board import TickBoard
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.tick_result import TickResult, Tuning
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.quality import StateSample
from millirobot_adapt.core.planning.paths import ReferencePath
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout
from millirobot_adapt.core.safety.causes import HoldCause, StopCause

STARVED = 'look at link and motion capture, or close other programs'


class Controller:
    """Take one run after another through `RunState`, and hand states, plans and setpoints from party to party."""

    def __init__(
        self,
        loop: ControlLoop,
        lay_path: Callable[[FloatArray], ReferencePath],
        *,
        dt: float,
        layout: StateLayout,
        seed: int,
        deadline: float,
        misses_allowed: int,
        stale_after: float,
        state_timeout: float,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make an idle controller; `lay_path` returns the path of a run from the state it starts in.

        It may raise UserError where there is none yet.
        """
        self._loop = loop
        self._lay_path = lay_path
        self._layout = layout
        self._seed = seed
        self._deadline = deadline
        self._misses_allowed = misses_allowed
        self._stale_after = stale_after
        self._state_timeout = state_timeout
        self._steady = steady
        self._book = PlanBuffer(misses_allowed, layout.neutral)
        self.board = TickBoard(dt)
        """The tick under way and what has arrived for it."""
        self._changed = self.board.changed  # guards everything here but the loop
        self._loop_in_use = threading.Lock()
        self._dt = dt
        self._shedding = LoadShedding()
        self._bridge = BridgeNews(False)
        self._failure = ''
        self._run = RunState()
        self._tuning: Tuning | None = None
        self._due_trial: ModelTrial | None = None
        self._trial: ModelTrial | None = None
        self._on_trial_end: Callable[[ModelTrial, TrialResult], object] = lambda trial, result: None
        self._stateless = 0

    # What arrives.

    def on_state(self, sample: StateSample) -> None:
        """Take a state of the estimator; one that is not finite is no state."""
        self.board.add_state(sample, self._steady())

    def on_sent(self, stamp: float, action: FloatArray) -> None:
        """Take what the bridge really sent at time `stamp` [s]: action [rad/s], shape (nu,)."""
        with self._changed:
            self.board.inbox.add_sent(stamp, action, self._steady())

    def on_bridge(self, news: BridgeNews) -> None:
        """Take the bridge's state: disarmed or held for its legs it ends the run, driven by another it pauses it."""
        with self._changed:
            self._bridge = news
            if not news.armed:
                self.stop(f'the bridge disarmed ({news.reason})', StopCause.BRIDGE)
            elif news.hold is HoldCause.LEGS:
                self.stop(news.reason, StopCause.FAULT)
            elif news.taken_by and self._run.walking:
                self._run.pause(f'{news.taken_by} has taken over')

    # What the operator asks.

    @property
    def status(self) -> RunStatus:
        """Where the controller stands."""
        with self._changed:
            return self._run.status(self.missing())

    def start(self) -> ReferencePath:
        """Begin a run from where the robot stands; returns the path it will follow, in `world`.

        Raises:
            NotReadyError: something is missing; the message says what.
        """
        # A late tick of the run before may still be planning: the loop is one run's at a time.
        with self._loop_in_use, self._changed:
            if self._run.paused:
                raise NotReadyError('a run is paused; resume goes on with it, stop ends it')
            if self._run.running:
                raise NotReadyError('already running')
            state = self._ready()
            try:
                path = self._lay_path(state)
            except UserError as error:
                raise NotReadyError(str(error)) from None
            self._loop.restart(path)
            if self._trial is not None:
                self._trial.restart()
            self._run.begin()
            self._walk_on()
            return path

    def pause(self) -> None:
        """Let the robot stand from the next tick on; the run, its progress and what was learned are kept.

        Raises:
            NotReadyError: there is no run to pause.
        """
        with self._changed:
            if not self._run.walking:
                raise NotReadyError('already paused' if self._run.paused else 'not running')
            self._run.pause()

    def resume(self) -> None:
        """Go on with a paused run from where the robot stands now.

        Raises:
            NotReadyError: nothing is paused, or something is missing.
        """
        with self._changed:
            if not self._run.paused:
                raise NotReadyError('not paused')
            self._ready()
            self._run.resume()
            self._walk_on()

    def finish(self, reason: str) -> None:
        """End the run as one that has reached its aim: the robot stands from the next tick on.

        Raises:
            NotReadyError: there is no run to finish.
        """
        with self._changed:
            if not self._run.running:
                raise NotReadyError('not running')
            self._run.finish(reason)

    def tune(self, tuning: Tuning, trial: ModelTrial | None = None) -> None:
        """Take other live parameters, or another model, from the next tick that is planned, never in the middle.

        `trial` begins with that tick; without one, the trial that is under way goes on.
        """
        with self._changed:
            self._tuning = tuning
            self._due_trial = trial or self._due_trial

    def watch_trials(self, on_end: Callable[[ModelTrial, TrialResult], object]) -> None:
        """Tell `on_end` from now on what each trial found, on the thread that works."""
        self._on_trial_end = on_end

    def stop(self, reason: str, cause: StopCause) -> None:
        """End the run: the robot stands from the next tick on."""
        with self._changed:
            if self._run.running:
                self._run.stop(reason, cause)

    def fail(self, reason: str) -> None:
        """End the run, and let none begin any more: a thread that the runs need has died."""
        with self._changed:
            self._failure = reason
            self._run.stop(reason, StopCause.FAULT)

    def close(self) -> None:
        """Wake the worker for good."""
        with self._changed:
            self.stop('the controller has ended', StopCause.SHUTDOWN)
            self.board.close()

    # What the ticker does.

    def begin_tick(self, stamp: float) -> FloatArray | None:
        """Begin the next tick at host time `stamp` [s]; returns the setpoint to publish [rad/s], shape (nu,).

        None while standing: after the zero that ends a run others may drive (teleop); the bridge sends zero itself.
        """
        with self._changed:
            now = self._steady()
            last = self.board.tick
            number = 0 if last is None else last.number + 1
            setpoint = self._layout.neutral
            if self._run.walking:
                if last is not None and self.board.inbox.answer(last) is None:
                    self._stateless += 1
                setpoint = self._planned(number)
            tick = Tick(
                number=number,
                stamp=stamp,
                steady=now,
                setpoint=setpoint,
                period=float('nan') if last is None else now - last.steady,
                misses=self._book.misses(number) if self._run.walking else 0,
                run=self._run.number if self._run.running else 0,
                paused=self._run.paused,
            )
            self.board.begin(tick)
            return setpoint if self._run.running or (last is not None and last.run > 0) else None

    def _planned(self, number: int) -> FloatArray:
        """Return the planned action of a tick; zero, and the run may be over, where there is none to trust."""
        action = self._book.action(number)
        if action is not None:
            return action
        if (misses := self._book.misses(number)) - self._stateless > self._misses_allowed:
            self._run.stop(missed_deadlines(misses, self._loop.samples), StopCause.FAULT)
        elif self._stateless * self._dt > self._state_timeout:
            self._run.stop(f'no state has come for {self._state_timeout:g} s; {STARVED}', StopCause.FAULT)
        return self._layout.neutral  # without states the robot stands until they return

    # What the worker does.

    def work(self) -> TickRecord | None:
        """Wait for the next tick of a run and for its state, adapt and plan; returns its record, None when closed."""
        while (tick := self.board.next_tick()) is not None:
            record = self.work_on(tick)
            if record is not None:
                return record
        return None

    def _without_state(self, tick: Tick, running: bool = True) -> TickRecord:
        """Return the record of a tick in which nothing is planned."""
        return TickRecord.without_state(tick.number, tick.stamp, self._seed, tick.setpoint, self._layout.nx, running)

    def work_on(self, tick: Tick) -> TickRecord | None:
        """Do the work of one tick of the board; None when another run has begun meanwhile."""
        if tick.paused:
            return self._timed(self._without_state(tick, running=False), tick)
        arrival = self.board.state_of(tick)
        began_late = tick.period > LATE_TICK * self._dt
        if arrival is None:
            self._shedding.on_tick(late=began_late)
            return self._timed(self._without_state(tick), tick)
        with self._changed:
            before, executing = self.board.inbox.sent_around(tick)
        with self._loop_in_use:
            if tick.run != self._run.number:
                return None
            self._use_tuning()
            left = tick.steady + self._deadline - self._steady()
            share = self._shedding.share
            result = self._loop.step(tick.number, arrival.stamp, arrival.state, before, executing, left, share)
            too_late = self._steady() > tick.steady + self._deadline
            self._shedding.on_tick(late=began_late or too_late or result.cut_short)
        with self._changed:
            if self._run.running and tick.run == self._run.number:
                self._take(tick, result)
        self._observe(tick, result)
        record = result.record(seed=self._seed, stamp=tick.stamp, state_stamp=arrival.stamp)
        return self._timed(record, tick, wait_ms=1e3 * (arrival.steady - tick.steady))

    def _use_tuning(self) -> None:
        with self._changed:
            tuning, self._tuning = self._tuning, None
            trial, self._due_trial = self._due_trial, None
        if tuning is not None:
            self._loop.tune(tuning)
        if trial is not None:
            self._trial = trial

    def _observe(self, tick: Tick, result: TickResult) -> None:
        """Let a trial see the tick, once its plan is stored: the former model takes no time from it."""
        with self._loop_in_use:
            trial = self._trial
            if trial is None or tick.run != self._run.number:
                return
            found = trial.observe(result)
            if found is None:
                return
            self._trial = None
        self._on_trial_end(trial, found)

    def _take(self, tick: Tick, result: TickResult) -> None:
        if result.tracking.finished:
            self._run.finish()
        elif result.tracking.failed:
            self._run.stop(result.tracking.failed, StopCause.FAULT)
        elif result.plan.candidates > 0:  # without time for any, the next action of the last plan goes out
            self._book.store(tick.number, result.plan)
            self._stateless = 0
            if self._book.blind > self._misses_allowed:
                self._run.stop(f'the model predicted nothing usable {self._book.blind} times in a row', StopCause.FAULT)

    # The rest.

    def _ready(self) -> FloatArray:
        """Return the state to walk from.

        Raises:
            NotReadyError: there is none, it is too old, the bridge is not armed, another source drives, or a thread
                has died.
        """
        if self._failure:
            raise NotReadyError(self._failure)
        missing = self.missing()
        if missing:
            raise NotReadyError(missing)
        self._bridge.check_free()
        assert self.board.inbox.newest is not None
        return self.board.inbox.newest.state

    def _walk_on(self) -> None:
        """Walk from the next tick on: its action is zero, for nothing is planned yet."""
        self._book.restart(-1 if self.board.tick is None else self.board.tick.number)
        self._stateless = 0

    def missing(self) -> str:
        """Say what is missing before a run can start; empty when nothing is."""
        with self._changed:
            return self.board.inbox.missing(self._steady(), self._stale_after)

    @staticmethod
    def _timed(record: TickRecord, tick: Tick, wait_ms: float = float('nan')) -> TickRecord:
        return replace(record, wait_ms=wait_ms, period_ms=1e3 * tick.period, misses=float(tick.misses))
