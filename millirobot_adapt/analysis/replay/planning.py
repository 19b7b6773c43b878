"""Plan again at the states of a replay, and set what would have been planned beside what was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.decisions import ticks_again
from millirobot_adapt.analysis.replay.live_parameters import Retuner
from millirobot_adapt.analysis.replay.rollouts import Rollout
from millirobot_adapt.analysis.shown_units import shown_actions
from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.planning.paths import ReferencePath, make_path
from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.recording.reader import Bag

Taker = Callable[[int, TickResult, 'TickRecord | None'], object]
"""Takes the number of a state in its rollout, what was planned there, and the record of the live tick if there was."""


class RecordReader:
    """Read the records of the ticks of one rollout after the other, in one pass over the bag."""

    def __init__(self, bag: Bag) -> None:
        """Begin with the first tick of a bag."""
        self._records = enumerate(ticks_again(bag))

    def of(self, rollout: Rollout) -> Iterator[tuple[int, TickRecord]]:
        """Yield the number of a state in its rollout and the record of the tick that used it.

        The rollouts must come in the order in which the bag holds them.
        """
        for number, record in self._records if len(rollout.ticks) else ():
            k = rollout.find(record.state_stamp) if number in rollout.ticks else None
            if k is not None:
                yield k, record
            if number >= rollout.ticks.stop - 1:
                return


class Replanner:
    """Plan at the states of one rollout after the other."""

    def __init__(self, bag: Bag, assembly: Assembly, retuner: Retuner, trajectory: str = '') -> None:
        """Make one.

        Args:
            bag: The bag of the rollouts, for the records of their ticks.
            assembly: The loop and the robot.
            retuner: Gives the loop the live parameters of each tick.
            trajectory: Path to plan along, laid from where each rollout starts; '': that of the rollout.
        """
        self._records = RecordReader(bag)
        self._loop: ControlLoop = assembly.loop
        layout = assembly.robot.layout
        self._slowest = np.clip(layout.neutral, layout.action_low, layout.action_high)
        self._retuner = retuner
        self._trajectory = trajectory

    def plan(self, rollout: Rollout, take: Taker, on_tick: Callable[[], object]) -> None:
        """Plan at the states of a rollout that has a path; of a live run where its controller planned."""
        path = _laid(self._trajectory, rollout.states[0]) if self._trajectory else rollout.path
        if path is None:
            return
        self._loop.restart(path)
        if not len(rollout.ticks):
            for k in range(len(rollout.stamps) - 1):
                take(k, self._plan_at(rollout, k), None)
                on_tick()
            return
        for k, record in self._records.of(rollout):
            self._retuner.tune(record)
            # As the live tick did: with its number, its randomness and the actions it knew of.
            sent = record.sent if np.isfinite(record.sent).all() else None
            result = self._loop.step(int(record.tick), record.state_stamp, rollout.states[k], sent, record.executing)
            take(k, result, record)
            on_tick()

    def _plan_at(self, rollout: Rollout, k: int) -> TickResult:
        """Plan at a state of an imported log; where an action is not known the slowest one stands for it."""
        before = rollout.actions[k - 1] if k and np.isfinite(rollout.actions[k - 1]).all() else None
        executing = rollout.actions[k] if np.isfinite(rollout.actions[k]).all() else self._slowest
        return self._loop.step(k, float(rollout.stamps[k]), rollout.states[k], before, executing)


def _laid(trajectory: str, state: FloatArray) -> ReferencePath:
    view = StateView(state)
    return make_path(trajectory).placed(float(view.position[0]), float(view.position[1]), float(view.yaw))


class PlanningFigures:
    """Sum up what was planned for a robot, tick by tick."""

    def __init__(self, layout: StateLayout) -> None:
        """Begin without ticks."""
        self._ticks = self._recorded = self._same = 0
        self._means = {name: _Mean() for name in ('cost', 'work')}
        self._from_sent, self._from_record = _Differences(layout), _Differences(layout)
        names = ('cost', 'work', 'pre', 'pre_again', 'post', 'post_again')
        self._live = {name: _Mean() for name in names}

    def add(self, rollout: Rollout, k: int, result: TickResult, record: TickRecord | None) -> None:
        """Take what was planned at state k of a rollout, and the record of the live tick if there was one."""
        self._ticks += 1
        self._means['cost'].add(result.tracking.step_cost)
        self._means['work'].add(result.work_ms)
        if k + 1 < len(rollout.actions):
            self._from_sent.add(result.next_action, rollout.actions[k + 1])
        if record is not None:
            self._recorded += 1
            self._same += bool(np.array_equal(result.next_action, record.plan_actions[1]))
            values = {
                'cost': record.step_cost,
                'work': record.work_ms,
                'pre': record.pre_error,
                'pre_again': result.pre_error,
                'post': record.post_error,
                'post_again': result.post_error,
            }
            self._from_record.add(result.next_action, record.plan_actions[1])
            for name, value in values.items():
                self._live[name].add(value)

    def figures(self) -> dict[str, Any] | None:
        """Return ticks, cost_per_step on the re-estimated poses, work_ms, action_difference from what was sent.

        A difference holds for each action its unit and the root mean square. And `recorded`, null for imported logs:
        the live run's cost_per_step and work_ms, same_actions (ticks whose next action is the recorded one bit for
        bit), action_difference from the recorded ones, and the mean error of predicting the next transition before and
        after adaptation: pre_error and post_error, each recorded and replayed. None where nothing was planned.
        """
        if not self._ticks:
            return None
        return {
            'ticks': self._ticks,
            'cost_per_step': self._means['cost'].mean(),
            'work_ms': self._means['work'].mean(3),
            'action_difference': self._from_sent.figures(),
            'recorded': self._against_record() if self._recorded else None,
        }

    def _against_record(self) -> dict[str, Any]:
        live = self._live
        return {
            'ticks': self._recorded,
            'cost_per_step': live['cost'].mean(),
            'work_ms': live['work'].mean(3),
            'same_actions': self._same,
            'action_difference': self._from_record.figures(),
            'pre_error': {'recorded': live['pre'].mean(), 'replayed': live['pre_again'].mean()},
            'post_error': {'recorded': live['post'].mean(), 'replayed': live['post_again'].mean()},
        }


class _Mean:
    """The mean of the finite ones of some numbers."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: float) -> None:
        if np.isfinite(value):
            self._sum, self._count = self._sum + float(value), self._count + 1

    def mean(self, digits: int = 6) -> float | None:
        return round(self._sum / self._count, digits) if self._count else None


class _Differences:
    """How far actions are from others, action by action."""

    def __init__(self, layout: StateLayout) -> None:
        self._names, self._shown = layout.action_names, shown_actions(layout)
        self._squares = np.zeros(layout.nu)
        self._count = 0

    def add(self, one: FloatArray, other: FloatArray) -> None:
        """Take two actions, shape (nu,); left out where one is not known."""
        squares = (one - other) ** 2
        if np.isfinite(squares).all():
            self._squares, self._count = self._squares + squares, self._count + 1

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return unit and root mean square by the name of each action; the latter is None where nothing came."""
        roots = np.sqrt(self._squares / self._count).tolist() if self._count else [None] * len(self._names)
        return {
            name: {'unit': unit, 'rms': None if root is None else round(root / scale, 6)}
            for name, (unit, scale), root in zip(self._names, self._shown, roots, strict=True)
        }
