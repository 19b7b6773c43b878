"""What every live run leaves: the report, and on the terminal the figures that a person looks at first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from millirobot_adapt.analysis.report import REPORT, write_report
from millirobot_adapt.bringup.run_folder import RunFolder
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.sim.firmware_board import BOARDS, firmware_text

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def report(folder: RunFolder, tell: Callable[[str], None] = print) -> None:
    """Write the report of what has been recorded, and print its first figures."""
    try:
        summary = write_report(folder.path)
    except UserError as error:
        print(f'no report: {error}', file=sys.stderr)
        return
    if summary['ticks']:
        tell(table(summary))
    tell(f'report: {folder.path / REPORT}')


def _replies(link: Mapping[str, Any]) -> str:
    """Say how many replies came; '' for a robot that sends none."""
    return '' if link['sent'] is not None and link['replies'] is None else f'{_text(link["replies"])} replies to '


def _shed(planning: Mapping[str, Any]) -> str:
    """Say in how many ticks the controller shed load; '' where in none."""
    return f'; load shed in {planning["shed"]} ticks: the machine was busy' if planning['shed'] else ''


def table(summary: Mapping[str, Any]) -> str:
    """Return the figures of a summary that a person looks at first, one a line; what is not known is a dash."""
    link, adaptation, tracking = summary['link'], summary['adaptation'], summary['tracking']
    after = f', after the fault {_text(tracking["after_fault"]["cost_per_step"])}' if tracking['after_fault'] else ''
    rows = (
        *((('firmware', firmware_text(summary['firmware'])),) if summary.get('firmware') in BOARDS else ()),
        ('ticks', f'{_text(summary["ticks"])}, {_text(summary["deadline_misses"])} deadlines missed'),
        ('setpoint every', _times(summary['period_ms'])),
        ('work', _times(summary['work_ms']) + _shed(summary['planning'])),
        ('link', f'{_replies(link)}{_text(link["sent"])} setpoints'),
        (
            'prediction error',
            f'{_text(adaptation["pre_error"])} -> {_text(adaptation["post_error"])} by adapting (of the next step)',
        ),
        ('cost per step', _text(tracking['cost_per_step']) + after),
    )
    stops = [f'stopped at {_text(stop["time_s"])} s: {stop["reason"]}' for stop in summary['stops']]
    return '\n'.join([f'  {name:17} {value}' for name, value in rows] + [f'  {stop}' for stop in stops])


def _times(times: Mapping[str, Any]) -> str:
    return f'{_text(times["p50"])} ms (p99 {_text(times["p99"])}, longest {_text(times["max"])})'


def _text(number: float | None) -> str:
    if number is None:
        return '-'
    return str(number) if isinstance(number, int) else f'{number:.2f}'
