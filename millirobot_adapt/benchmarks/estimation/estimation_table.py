"""Lay the figures of `bench estimation` out for a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def layout(report: Mapping[str, Any]) -> str:
    """Return the tables of a whole report."""
    rows = report['rows']
    parts = [
        _table('No faults: root mean square errors at the control times, filter / finite differences', *_clean(rows)),
        _nees(report['nees']),
        _table('Faults: velocity [m/s] and yaw rate [rad/s], filter / finite differences', *_faulty(rows)),
        'Recovered: velocity and yaw rate as good as without the fault, 3 control times in a row; mean (worst) [s].\n'
        'A fault of one event never ends: after = the second half of the run, when it could be learned.\n',
        _warnings(rows),
        _cpu(report),
    ]
    parts += [f'FAILED: {failure}' for failure in report['failures']]
    return '\n'.join(parts)


def _clean(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    heading = [
        'floor', 'velocity [m/s]', 'ratio', 'yaw rate [rad/s]', 'ratio', 'position [mm]', 'rotation [deg]',
        'delay: velocity [ms]', 'yaw rate [ms]',
    ]  # fmt: skip
    cells = []
    for row in (row for row in rows if row['fault'] == 'none'):
        cells.append(
            [
                row['terrain'],
                _pair(row, 'velocity_rmse', '.4f'),
                f'{row["velocity_rmse_ratio"]:.2f}',
                _pair(row, 'yaw_rate_rmse', '.3f'),
                f'{row["yaw_rate_rmse_ratio"]:.2f}',
                _pair(row, 'position_rmse', '.2f', 1e3),
                _pair(row, 'rotation_rmse', '.2f', 57.29577951308232),
                _pair(row, 'velocity_delay_ms', '.1f'),
                _pair(row, 'yaw_rate_delay_ms', '.1f'),
            ]
        )
    return heading, cells


def _faulty(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    heading = [
        'floor', 'fault', 'events', 'during: velocity', 'yaw rate', 'after: velocity', 'yaw rate', 'recovered',
        'no estimate', 'not finite', 'silent jumps',
    ]  # fmt: skip
    cells = []
    for row in (row for row in rows if row['fault'] != 'none'):
        baseline = row['baseline']
        errors = [
            f'{_number(row[part][name], form)} / {_number(baseline[part][name], form)}'
            for part in ('during', 'after')
            for name, form in (('velocity_rmse', '.3f'), ('yaw_rate_rmse', '.2f'))
        ]
        cells.append(
            [
                row['terrain'],
                row['fault'],
                str(row['events']),
                *errors,
                _recovered(row),
                str(row['no_estimate']),
                str(row['non_finite']),
                str(row['silent_jumps']),
            ]
        )
    return heading, cells


def _nees(nees: Row) -> str:
    parts = [
        f'{name} {nees[name]:.2f} +- {_number(nees[f"{name}_standard_error"], ".2f")}' for name in ('pose', 'twist')
    ]
    return f'Mean NEES over {nees["runs"]} runs (1 = honest, below = too cautious): {", ".join(parts)}\n'


def _warnings(rows: Sequence[Row]) -> str:
    """Say what the filter warned about at the end of each run with faults."""
    lines = [f'  {row["terrain"]}, {row["fault"]}: {text}' for row in rows for text in row.get('warnings', ())]
    return '\n'.join(['Warned about:', *(lines or ['  nothing']), ''])


def _cpu(report: Mapping[str, Any]) -> str:
    clean = [row for row in report['rows'] if row['fault'] == 'none']
    filtered, baseline = (
        sum(row['cpu_ms_per_s'] for row in rows) / len(clean) for rows in (clean, [row['baseline'] for row in clean])
    )
    node = report['node']
    process = 'not measured' if node is None else f'{node["cpu_percent"]:.0f} % of a core'
    return (
        f'At 100 poses and 10 replies a second the estimator takes {filtered:.1f} ms a second (finite differences '
        f'{baseline:.1f} ms); its process, with DDS: {process}'
    )


def _recovered(row: Row) -> str:
    if row['recover_s'] is None:
        return 'never' if row['not_recovered'] else '-'
    text = f'{row["recover_s"]:.2f} ({_number(row["recover_worst_s"], ".2f")})'
    return text + (f', {row["not_recovered"]} not' if row['not_recovered'] else '')


def _pair(row: Row, name: str, form: str, scale: float = 1.0) -> str:
    return f'{_number(row[name], form, scale)} / {_number(row["baseline"][name], form, scale)}'


def _number(value: float | None, form: str, scale: float = 1.0) -> str:
    return '-' if value is None else format(scale * value, form)


def _table(title: str, heading: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (heading, *cells)) for column in range(len(heading))]
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heading, *cells)]
    return '\n'.join([title, '', *(line.rstrip() for line in lines), ''])


def layout_logs(report: Mapping[str, Any]) -> str:
    """Return the tables of a report on the real logs."""
    lines = []
    for name, log in report['logs'].items():
        ordinary = ', '.join(f'{count} {fate}' for fate, count in log['ordinary'].items())
        lines.append(f'{name}: {log["rollouts"]} rollouts, {log["estimates"]} estimates at {log["ticks"]} ticks')
        lines.append(f'  without an estimate though the robot was well seen: {log["missing"]} of {log["seen"]} replies')
        lines += [f'  ordinary poses: {ordinary}', '  poses that jumped, were tilted or high:']
        lines += [f'    {_event_line(event)}' for event in log['events']] or ['    none']
    lines += ['', _prediction(report['prediction'])]
    return '\n'.join([*lines, *(f'FAILED: {failure}' for failure in report['failures'])])


def _event_line(event: Row) -> str:
    fates = ', '.join(f'{count} {fate}' for fate, count in event['fates'].items())
    if not event['after']:
        return f'{event["where"]}: lies there from the start; {fates}'
    verdict = 'no body moves so' if event['impossible'] else 'a body can do that'
    return (
        f'{event["where"]}: {event["step"]:.2f} m and {event["turn"]:.2f} rad in {event["after"]:.2f} s '
        f'({verdict}); {fates}'
    )


def _prediction(found: Row | None) -> str:
    if found is None:
        return "Prediction of raw motion capture: not measured, needs PyTorch (pip install 'millirobot_adapt[train]')"
    lines = ['Mean error of predicting held-out raw motion capture at H = 5, networks trained on each estimate:']
    for name, text in (
        ('filter', 'asked for the time of the raw pose'),
        ('filter_at_replies', 'asked for the time of the reply, up to 10 ms later'),
    ):
        row = found[name]
        low, high = (1e3 * bound for bound in row['interval'])
        lines.append(
            f'  filter, {text}: {1e3 * row["error"]:.2f} mm, finite differences {1e3 * row["baseline"]:.2f} mm; '
            f'difference {1e3 * row["difference"]:+.3f} mm, 95 % over {row["rollouts"]} rollouts '
            f'{low:+.3f} .. {high:+.3f} mm ({row["predictions"]} predictions)'
        )
    return '\n'.join(lines)
