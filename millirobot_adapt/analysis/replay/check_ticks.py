"""Do every tick of a live run again from its record, and compare what was decided with what is decided now."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from millirobot_adapt.analysis.replay.comparison import ReplayComparison, close
from millirobot_adapt.analysis.replay.decisions import RecordedRun
from millirobot_adapt.analysis.replay.live_parameters import Retuner
from millirobot_adapt.analysis.replay.row_store import RowsByStamp
from millirobot_adapt.contract.messages import microseconds
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.robot.layout import FloatArray

DECIDED = (
    ('loss_before', 'number'), ('loss_after', 'number'), ('gradient_norm', 'number'), ('inner_step', 'number'),
    ('cost', 'number'), ('cost_min', 'number'), ('cost_median', 'number'), ('effective_samples', 'number'),
    ('candidates', 'number'), ('finite', 'number'),
)  # fmt: skip
"""What a tick decides from its record alone: field and kind of value."""
PLAN = ('plan_actions', 'plan_states')
"""And the plan itself."""
CHAINED = ('segment', 'cross_track', 'progress', 'step_cost', 'pre_error', 'post_error')
"""What also depends on every tick of the run before it."""


class TickChecker:
    """Compare one run after the other."""

    def __init__(
        self,
        loop: ControlLoop,
        retuner: Retuner,
        states: RowsByStamp,
        setpoints: RowsByStamp,
        comparison: ReplayComparison,
        misses_allowed: int,
        neutral: FloatArray,
    ) -> None:
        """Make a checker.

        Args:
            loop: The control loop with the parameters and the model of the run.
            retuner: Gives the loop the live parameters of each tick.
            states: States that came out of the estimator again, shape (nx,).
            setpoints: Setpoints that were published [rad/s], shape (nu,).
            comparison: Takes what is found.
            misses_allowed: After more deadlines missed in a row the robot stands.
            neutral: The action with which it stands, shape (nu,).
        """
        self._loop = loop
        self._retuner = retuner
        self._states = states
        self._setpoints = setpoints
        self._comparison = comparison
        self._plans: dict[int, FloatArray] = {}
        self._paused = -1
        self._misses_allowed = misses_allowed
        self._neutral = neutral

    @property
    def differs(self) -> bool:
        """Something did not come out as it was recorded."""
        return self._comparison.first is not None

    def check(self, run: RecordedRun, ticks: Iterable[TickRecord], on_tick: Callable[[], object]) -> None:
        """Compare the ticks of a run, up to the first difference; all `ticks` are taken unless there is one."""
        if run.path is None:
            self._comparison.leave_out('ticks', 'the path they followed is not in the bag', sum(1 for _ in ticks))
            return
        self._loop.restart(run.path)
        self._plans.clear()
        unbroken, last = run.whole, run.first - 1
        for record in ticks:
            # Where the planner was late by more than a period it passed over ticks itself.
            lost = int(record.tick - last - 1)
            if lost and record.misses <= lost:
                unbroken = False
                self._comparison.leave_out('ticks', 'their records are not in the bag', lost)
            last = int(record.tick)
            self._check_setpoint(record, run)
            if self._retuner.tune(record):
                self._check_tick(record, unbroken)
            else:
                unbroken = False
                self._comparison.leave_out('ticks', 'the live parameters they were decided with are not in the bag')
            on_tick()
            if self.differs:
                return

    def _check_tick(self, record: TickRecord, unbroken: bool) -> None:
        what = f'tick {record.tick:.0f}'
        if not np.isfinite(record.state_stamp):
            why = 'no state reached them' if record.running else 'the run was paused'
            self._comparison.leave_out('ticks', f'{why}, nothing was decided')
            return
        if self._loop.carries and not unbroken:
            self._comparison.leave_out('ticks', 'one before them is missing, from which the method carries on')
            return
        repeated = self._loop.repeat(record)
        found = repeated.record(seed=int(record.seed), stamp=record.stamp, state_stamp=record.state_stamp)
        self._keep_plan(int(record.tick), found.plan_actions)
        state = self._states.get(microseconds(record.state_stamp))
        pairs = [] if state is None else [('state', record.state, state, 'state')]
        pairs += [(name, getattr(record, name), getattr(found, name), kind) for name, kind in DECIDED]
        if self._tied(record, found):
            self._keep_plan(int(record.tick), record.plan_actions)
            self._comparison.leave_out('plans', 'another candidate of equal cost was the cheapest here')
        else:
            pairs += [(name, getattr(record, name), getattr(found, name), 'plan') for name in PLAN]
        if unbroken:
            pairs += [(name, getattr(record, name), getattr(found, name), 'number') for name in CHAINED]
        else:
            self._comparison.leave_out('tracking and prediction errors', 'a tick before them is missing')
        for name, recorded, again, kind in pairs:
            if not self._comparison.check(what, record.stamp, name, recorded, again, kind):
                return
        self._comparison.compared['ticks'] += 1

    def _keep_plan(self, tick: int, actions: FloatArray) -> None:
        """Keep a plan for as long as a setpoint may come from it."""
        self._plans[tick] = actions
        while len(self._plans) > self._misses_allowed + 2:
            del self._plans[next(iter(self._plans))]

    def _tied(self, record: TickRecord, found: TickRecord) -> bool:
        """Tell whether rounding let another candidate win: random shooting keeps one, and costs may be that close."""
        one_wins = record.effective_samples == found.effective_samples == 1.0
        if self._comparison.exact or not one_wins:
            return False
        return close(record.cost, found.cost, 'number') and not close(record.plan_actions, found.plan_actions, 'plan')

    def _check_setpoint(self, record: TickRecord, run: RecordedRun) -> None:
        """Compare the setpoint published at a tick with the row of the plan it came from."""
        published = self._setpoints.get(microseconds(record.stamp))
        if published is None:
            self._comparison.leave_out('setpoints', 'not in the bag')
            return
        row = int(record.misses) + 1
        made = int(record.tick) - row
        plan = self._plans.get(made)
        if not record.running:
            self._paused = int(record.tick)
        before_the_first = run.whole and made < run.first
        used_up = row > self._misses_allowed + 1 or (plan is not None and row >= len(plan))
        if used_up or made <= self._paused or (plan is None and before_the_first):
            expected = self._neutral  # while paused, before the first plan, and long after the last one
        elif plan is None:
            self._comparison.leave_out('setpoints', 'the tick that planned them is missing')
            return
        else:
            expected = plan[row]
        self._comparison.check(
            f'setpoint of tick {record.tick:.0f}', record.stamp, 'velocity [rad/s]', published, expected, 'setpoint'
        )
        self._comparison.compared['setpoints'] += 1
