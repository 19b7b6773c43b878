"""What one tick is given beside the state (live parameters and model), and what it used and decided, for the record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millirobot_adapt.core.control.planning_model import PlanningModel
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.dynamics.method_interface import Adaptation, Window
from millirobot_adapt.core.planning.objective import ObjectiveConfig
from millirobot_adapt.core.planning.optimize import Planner
from millirobot_adapt.core.planning.planner_interface import Plan
from millirobot_adapt.core.planning.tracking import Tracking
from millirobot_adapt.core.robot.layout import FloatArray


@dataclass(frozen=True)
class Tuning:
    """One set of live parameters, made ready for use; a tick uses one from its beginning to its end."""

    planner: Planner
    objective: ObjectiveConfig
    adapt: bool = True
    """False: plan with theta*, as method mb does."""
    revision: int = 0
    """Counts the changes since the start of the controller; the tick record names it."""
    model: PlanningModel | None = None
    """Model to plan with; None: the one in use."""


@dataclass(frozen=True)
class TickResult:
    """What one tick used and decided."""

    tick: int
    state: FloatArray
    executing: FloatArray
    sent: FloatArray | None
    window: Window
    adaptation: Adaptation
    pre_error: float
    post_error: float
    tracking: Tracking
    previous: Plan | None
    plan: Plan
    share: float
    """Part of the candidates asked for; below 1 while the controller sheds load."""
    cut_short: bool
    """There was no time for all candidates that were asked for."""
    revision: int
    """Of the live parameters and the model in use."""
    adapt: bool
    """Whether the model was adapted; else it planned with theta*."""
    adapt_ms: float
    plan_ms: float
    work_ms: float

    @property
    def next_action(self) -> FloatArray:
        """The setpoint for the next tick [rad/s], shape (nu,)."""
        return np.asarray(self.plan.actions[1])

    def record(self, *, seed: int, stamp: float, state_stamp: float) -> TickRecord:
        """Return the tick's record; the caller, who owns the clock, fills in waiting time, period and misses."""
        nothing = np.full_like(self.plan.actions, np.nan)
        return TickRecord(
            tick=self.tick,
            stamp=stamp,
            seed=seed,
            running=1.0,
            state_stamp=state_stamp,
            state=self.state,
            executing=self.executing,
            sent=np.full_like(self.executing, np.nan) if self.sent is None else self.sent,
            window_states=self.window.states,
            window_actions=self.window.actions,
            window_next_states=self.window.next_states,
            window_mask=self.window.mask,
            previous_plan=nothing if self.previous is None else self.previous.actions,
            segment=self.tracking.segment,
            plan_actions=self.plan.actions,
            plan_states=self.plan.states,
            cost=self.plan.cost,
            cost_min=self.plan.cost_spread[0],
            cost_median=self.plan.cost_spread[1],
            effective_samples=self.plan.effective_samples,
            candidates=self.plan.candidates,
            finite=self.plan.finite,
            batches=self.plan.batches,
            share=self.share,
            arc_length=self.tracking.position.arc_length,
            credit=self.tracking.position.credit,
            left_out=self.tracking.left_out,
            revision=self.revision,
            loss_before=self.adaptation.loss_before,
            loss_after=self.adaptation.loss_after,
            gradient_norm=self.adaptation.gradient_norm,
            inner_step=self.adaptation.step,
            pre_error=self.pre_error,
            post_error=self.post_error,
            cross_track=self.tracking.cross_track,
            progress=self.tracking.progress,
            step_cost=self.tracking.step_cost,
            adapt_ms=self.adapt_ms,
            plan_ms=self.plan_ms,
            work_ms=self.work_ms,
        )
