"""What happened and what would have been done instead, a row a tick: for notebooks, and for figures."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from millirobot_adapt.analysis.replay.open_loop import ErrorsByHorizon
from millirobot_adapt.analysis.replay.rollouts import Rollout
from millirobot_adapt.core.control.tick_record import TickRecord
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import whole_file, whole_text
from millirobot_adapt.core.robot.layout import StateLayout
from millirobot_adapt.core.robot.state import FloatArray, StateView
from millirobot_adapt.recording.tables import action_row

SUFFIXES = ('.csv', '.npz')


@dataclass(frozen=True)
class TickTable:
    """One row for each state of each rollout; what a row does not have is NaN."""

    columns: Mapping[str, FloatArray]
    """By name with unit, shape (N,): `rollout` (from 0 on), `stamp_s`, `tick` of the live run, the re-estimated pose,
    what was executed after it, the errors of predicting 1, 5, 10 ticks ahead before and after adaptation, what would
    have been planned and what it would have cost, and, named `recorded_*`, the same of the live run."""
    plans: FloatArray
    """x [m], y [m], yaw [rad] that each replayed plan predicts, shape (N, H + 1, 3); NaN where nothing was planned."""
    recorded_plans: FloatArray
    """The same of the live run, shape (N, H + 1, 3)."""


def tick_table(
    rollouts: list[Rollout],
    errors: list[ErrorsByHorizon],
    planned: list[dict[int, TickResult]],
    recorded: list[dict[int, TickRecord]],
    layout: StateLayout,
) -> TickTable:
    """Put rollouts, their prediction errors, and what was planned and recorded at their states together.

    Args:
        rollouts: The rollouts.
        errors: Of each rollout.
        planned: Of each rollout, by the number of the state.
        recorded: The same of the live run.
        layout: Names and units of the actions.
    """
    rows: list[dict[str, float]] = []
    plans: list[FloatArray] = []
    recorded_plans: list[FloatArray] = []
    nothing = np.empty((0, 3))
    for number, (rollout, error, results, records) in enumerate(zip(rollouts, errors, planned, recorded, strict=True)):
        predicted = _errors_by_row(error)
        for k, stamp in enumerate(rollout.stamps):
            record, result = records.get(k), results.get(k)
            rows.append(
                {'rollout': number, 'stamp_s': float(stamp)}
                | _happened(rollout, k, layout)
                | predicted.get(k, {})
                | ({} if result is None else _planned(result, layout))
                | ({} if record is None else _recorded(record, layout))
            )
            plans.append(nothing if result is None else _poses(result.plan.states))
            recorded_plans.append(nothing if record is None else _poses(record.plan_states))
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}
    return TickTable(columns, _stacked(plans), _stacked(recorded_plans))


def without_window(record: TickRecord) -> TickRecord:
    """Return what a table needs of a record: not its window, which fills most of it."""
    kept: dict[str, Any] = {
        name: getattr(record, name).copy() for name in ('state', 'executing', 'sent', 'plan_actions', 'plan_states')
    }
    for name in ('window_states', 'window_actions', 'window_next_states', 'window_mask', 'previous_plan'):
        kept[name] = np.empty(0)
    return replace(record, **kept)


def _happened(rollout: Rollout, k: int, layout: StateLayout) -> dict[str, float]:
    return _pose('', rollout.states[k]) | action_row('executed', rollout.actions[k], layout)


def _pose(prefix: str, state: FloatArray) -> dict[str, float]:
    view = StateView(state)
    x, y = (float(value) for value in view.position[:2])
    return {f'{prefix}x_m': x, f'{prefix}y_m': y, f'{prefix}yaw_rad': float(view.yaw)}


def _errors_by_row(errors: ErrorsByHorizon) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for horizon, entry in errors.items():
        for index, k in enumerate(entry.rows):
            found.setdefault(k, {}).update(
                {
                    f'position_error_{horizon}_before_m': entry.position_before[index],
                    f'position_error_{horizon}_after_m': entry.position_after[index],
                    f'heading_error_{horizon}_before_rad': entry.heading_before[index],
                    f'heading_error_{horizon}_after_rad': entry.heading_after[index],
                }
            )
    return found


def _planned(result: TickResult, layout: StateLayout) -> dict[str, float]:
    return action_row('next', result.next_action, layout) | {
        'cost': result.plan.cost,
        'cross_track_m': result.tracking.cross_track,
        'step_cost': result.tracking.step_cost,
        'pre_error': result.pre_error,
        'post_error': result.post_error,
        'work_ms': result.work_ms,
    }


def _recorded(record: TickRecord, layout: StateLayout) -> dict[str, float]:
    values = {
        'tick': record.tick,
        **action_row('recorded_next', record.plan_actions[1], layout),
        'recorded_cost': record.cost,
        'recorded_cross_track_m': record.cross_track,
        'recorded_step_cost': record.step_cost,
        'recorded_pre_error': record.pre_error,
        'recorded_post_error': record.post_error,
        'recorded_work_ms': record.work_ms,
    }
    return values | _pose('recorded_', record.state)


def _poses(states: FloatArray) -> FloatArray:
    view = StateView(states)
    return np.column_stack([view.position[:, :2], view.yaw])


def _stacked(plans: list[FloatArray]) -> FloatArray:
    """Return plans of unequal length as one array, shape (N, longest, 3), NaN where they end."""
    longest = max((len(plan) for plan in plans), default=0)
    stacked = np.full((len(plans), longest, 3), np.nan)
    for row, plan in zip(stacked, plans, strict=True):
        row[: len(plan)] = plan
    return stacked


def check_place(path: Path) -> None:
    """Check that a table can be written to `path`, before any work is done.

    Raises:
        UserError: another suffix than .csv or .npz; no such folder.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f'{path}: a table is written as .csv or .npz; name the file so')
    if not path.parent.is_dir():
        raise UserError(f'{path.parent}: no such folder; make it first')


def write_table(table: TickTable, path: Path) -> None:
    """Write a table: .csv holds the columns, .npz also `plans` and `recorded_plans`.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        if path.suffix == '.npz':
            arrays = {**table.columns, 'plans': table.plans, 'recorded_plans': table.recorded_plans}
            with whole_file(path) as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its hints take the names for options
            return
        with whole_text(path) as text:
            writer = csv.writer(text)
            writer.writerow(table.columns)
            writer.writerows(zip(*(column.tolist() for column in table.columns.values()), strict=True))
    except OSError as error:
        raise UserError(f'{path}: cannot be written ({error.strerror}); choose another place') from None
