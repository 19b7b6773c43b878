"""One tick of model-based control with online adaptation: Algorithm 10 of Clavera's thesis (UCB/EECS-2020-234).

The same loop runs under ROS, in the lock-step simulator, in replay and in evaluation; it knows no clock but the one it
is given to time itself, and no randomness but generator(seed, tick, batch).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np

from millirobot_adapt.core.control.history import Transition, TransitionHistory, newest_transition
from millirobot_adapt.core.control.planning_model import PlanningModel, PredictionError, error_of
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.tick_result import TickResult, Tuning
from millirobot_adapt.core.dynamics.method_interface import Adaptation, AdaptedModel, Method, Window
from millirobot_adapt.core.planning.objective import ObjectiveConfig, TrackingObjective
from millirobot_adapt.core.planning.optimize import Deadline, Planner, first_batches, unlimited
from millirobot_adapt.core.planning.planner_interface import GoOn, Plan, Watcher
from millirobot_adapt.core.planning.projection import PathPosition
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.planning.tracking import Ending, PathTracker
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.layout import FloatArray, StateLayout

Result = TypeVar('Result')


class ControlLoop:
    """Adapt to the newest transitions, then plan the next action along the path."""

    def __init__(
        self,
        method: Method,
        planner: Planner,
        objective: ObjectiveConfig,
        prediction_error: PredictionError,
        dt: float,
        seed: int,
        layout: StateLayout,
        ending: Ending | None = None,
        clock: Callable[[], float] = time.perf_counter,
        helper: Executor | None = None,
    ) -> None:
        """Make a loop that waits for `restart`.

        Args:
            method: How to adapt, and the model.
            planner: How to search.
            objective: What to search for.
            prediction_error: How errors of predictions are measured.
            dt: Control period [s].
            seed: Of all random numbers.
            layout: Where the numbers of a state stand.
            ending: When a path counts as finished or given up; None: never.
            clock: What times a tick [s].
            helper: Runs, on another thread, what does not need the adapted model while the loop adapts; None: the loop
                does it before. Results are the same.
        """
        self._model = PlanningModel(method, prediction_error)
        self._tuning = Tuning(planner, objective)
        self._dt = dt
        self._seed = seed
        self._ending = ending
        self._clock = clock
        self._helper = helper
        self._history = TransitionHistory(method.window_length, dt, layout)
        self._tracker: PathTracker | None = None
        self._adapted: AdaptedModel | None = None
        self._foreseen: Transition | None = None
        self._previous: tuple[int, Plan] | None = None
        self._watcher: Watcher | None = None

    @property
    def prior(self) -> AdaptedModel:
        """theta*, the model before adaptation."""
        return self._model.method.prior

    @property
    def carries(self) -> bool:
        """Whether an adaptation depends on those before it in the run, and not on its window alone."""
        return self._model.method.carries

    @property
    def horizon(self) -> int:
        """H, the steps that a plan looks ahead."""
        return self._tuning.planner.horizon

    @property
    def samples(self) -> int:
        """K, candidates a tick as configured."""
        return self._tuning.planner.size.samples

    def watch(self, watcher: Watcher) -> None:
        """Show all candidates to `watcher` from now on, batch by batch, on the thread that plans."""
        self._watcher = watcher

    def tune(self, tuning: Tuning) -> None:
        """Search, score and adapt as `tuning` says from the next tick on; a run continues.

        Another model starts without what its method carried along, and adapts to the transitions that are there.
        """
        self._tuning = tuning
        if tuning.model is None or tuning.model is self._model:
            return
        self._model = tuning.model
        self._model.method.reset()
        self._history.resize(self._model.method.window_length)
        self._adapted = None  # it was the other model's: the errors of the next tick are not known

    def restart(self, path: ReferencePath) -> None:
        """Begin a new run along `path` (waypoints in `world`): nothing is remembered of the run before."""
        self._model.method.reset()
        self._history.restart()
        self._tracker = PathTracker(path, self._tuning.objective.shape_weights, self._ending)
        self._adapted = self._foreseen = None
        self._previous = None

    def step(
        self,
        tick: int,
        stamp: float,
        state: FloatArray,
        sent: FloatArray | None,
        executing: FloatArray,
        budget: float = math.inf,
        share: float = 1.0,
    ) -> TickResult:
        """Do one tick.

        Args:
            tick: number of the tick k.
            stamp: time of the state [s].
            state: s_k, shape (nx,).
            sent: a_{k-1}, what was really sent in the tick before [rad/s], shape (nu,); None where that is unknown.
            executing: a_k, what the robot is executing now [rad/s], shape (nu,).
            budget: time for all of it [s]; the planner starts no batch of candidates that would take longer.
            share: part of the candidates to draw, in (0, 1]; less than 1 while the controller sheds load.

        Returns:
            The plan, whose row 1 is a_{k+1}, and everything it came from.
        """
        start = self._clock()
        tracker = self._following()
        transition = self._history.add(stamp, state, sent)
        return self._decide(
            start=start,
            tick=tick,
            seed=self._seed,
            state=state,
            sent=sent,
            executing=executing,
            window=self._history.window(),
            transition=transition,
            tracker=tracker,
            position=None,
            previous=self._shifted_plan(tick),
            go_on=unlimited if math.isinf(budget) else Deadline(self._clock, start + budget),
            share=share,
        )

    def repeat(self, record: TickRecord) -> TickResult:
        """Do a tick again from its record; of the ticks before it only `tracking` and `post_error` know.

        Adaptation and plan come out as recorded, bit for bit, where parameters, model and fingerprint are the same;
        `tracking` and the two errors do when every tick since `restart` was repeated in its order.

        Args:
            record: a tick that had a state.
        """
        start = self._clock()
        window = Window(record.window_states, record.window_actions, record.window_next_states, record.window_mask)
        return self._decide(
            start=start,
            tick=int(record.tick),
            seed=int(record.seed),
            state=record.state,
            sent=record.sent if np.isfinite(record.sent).all() else None,
            executing=record.executing,
            window=window,
            transition=newest_transition(window, record.state),
            tracker=self._following(),
            position=PathPosition(record.arc_length, record.credit),
            previous=_plan_of(record.previous_plan, len(record.state))
            if np.isfinite(record.previous_plan).all()
            else None,
            go_on=first_batches(int(record.batches)) if np.isfinite(record.batches) else unlimited,
            share=record.share if np.isfinite(record.share) else 1.0,
        )

    def _following(self) -> PathTracker:
        if self._tracker is None:
            raise RuntimeError('restart() the loop with a path before the first step')
        return self._tracker

    def _decide(
        self,
        *,
        start: float,
        tick: int,
        seed: int,
        state: FloatArray,
        sent: FloatArray | None,
        executing: FloatArray,
        window: Window,
        transition: Transition | None,
        tracker: PathTracker,
        position: PathPosition | None,
        previous: Plan | None,
        go_on: GoOn,
        share: float,
    ) -> TickResult:
        """Adapt to the window and plan from the state.

        `position` is the place on the path that candidates are scored from; None: where the tracker finds the robot.
        """
        tuning = self._tuning
        method = self._model.method
        seen = self._beside(lambda: (tracker.update(state), self._errors(transition)))
        adaptation = method.adapt(window) if tuning.adapt else _unadapted(method.prior)
        tracking, (pre_error, post_error) = seen()
        objective = TrackingObjective(tuning.objective, tracker.path, position or tracking.position, self._dt)
        self._adapted = adaptation.model
        adapted = self._clock()
        samples = max(1, round(share * self.samples))
        plan = tuning.planner.plan(
            rollout=partial(adaptation.model.rollout, state),
            objective=objective,
            executing=executing,
            previous=previous,
            generator=lambda batch: generator(seed, tick, batch),
            go_on=go_on,
            samples=samples,
            watcher=self._watcher,
        )
        self._foreseen = None
        if plan.usable:
            self._previous = (tick, plan)
            self._foreseen = Transition(state, plan.actions[0], plan.states[1])
        else:
            plan = replace(plan, states=np.full((len(plan.actions) + 1, len(state)), np.nan))
        end = self._clock()
        return TickResult(
            tick=tick,
            state=state,
            executing=executing,
            sent=sent,
            window=window,
            adaptation=adaptation,
            pre_error=pre_error,
            post_error=post_error,
            tracking=tracking,
            previous=previous,
            plan=plan,
            share=share,
            cut_short=plan.candidates < samples,
            revision=tuning.revision,
            adapt=tuning.adapt,
            adapt_ms=1e3 * (adapted - start),
            plan_ms=1e3 * (end - adapted),
            work_ms=1e3 * (end - start),
        )

    def _beside(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Let the helper begin with `work`, or do it here without one; return what waits for its result."""
        if self._helper is None:
            done = work()
            return lambda: done
        begun = self._helper.submit(work)
        # A helper that has not begun yet, since others keep its core busy, is not waited for.
        return lambda: work() if begun.cancel() else begun.result()

    def _errors(self, transition: Transition | None) -> tuple[float, float]:
        """Return the error of predicting a transition that no adaptation has seen yet, with theta* and with theta'."""
        if transition is None or self._adapted is None:
            return float('nan'), float('nan')
        error = partial(error_of, self._model.prediction_error, transition)
        before = error(self._model.method.prior)
        if self._adapted is self._model.method.prior:
            return before, before
        if self._foreseen is not None and self._foreseen.same_start(transition):
            # The last plan begins with this very transition, rolled out by the same model.
            foreseen = self._foreseen.next_state
            return before, self._model.prediction_error(foreseen, transition.next_state, transition.state)
        return before, error(self._adapted)

    def _shifted_plan(self, tick: int) -> Plan | None:
        """Return the last plan as if it had been made in the tick before, its last action repeated at the end."""
        if self._previous is None:
            return None
        made, plan = self._previous
        late = min(tick - made - 1, len(plan.actions) - 1)
        if late <= 0:
            return plan
        actions = np.concatenate([plan.actions[late:], np.repeat(plan.actions[-1:], late, axis=0)])
        return replace(plan, actions=actions)


def _unadapted(prior: AdaptedModel) -> Adaptation:
    """Return theta* as it is; nobody has looked at the window."""
    unknown = float('nan')
    return Adaptation(prior, loss_before=unknown, loss_after=unknown, gradient_norm=0.0, step=0.0)


def _plan_of(actions: FloatArray, nx: int) -> Plan:
    """Return the plan with these actions, shape (H, nu), of which nothing else is known."""
    unknown = float('nan')
    states = np.full((len(actions) + 1, nx), unknown)
    return Plan(actions, states, unknown, (unknown, unknown), unknown, candidates=0, finite=0, batches=0)
