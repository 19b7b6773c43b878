"""Commands that look at runs: `millirobot report` and `compare`."""

from __future__ import annotations

import argparse
import json
import webbrowser
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_common, add_reading_options
from millirobot_adapt.core.errors import DeviceError
from millirobot_adapt.core.files import user_path


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    reporter = add_command(subparsers, 'report', _report)
    reporter.add_argument('folder', type=user_path, metavar='RUN', help='run folder, e.g. runs/latest')
    add_reading_options(reporter)
    reporter.add_argument('--open', action='store_true', help='open the report in the browser')
    reporter.add_argument('--json', action='store_true', help='print the summary as JSON on standard output')

    comparer = add_command(subparsers, 'compare', _compare)
    comparer.add_argument(
        'runs', type=user_path, nargs='+', metavar='RUN_OR_BAG', help='run folders or bags, two or more'
    )
    comparer.add_argument(
        '--by', default='', metavar='NODE.PARAMETER',
        help='parameter that tells variants apart, e.g. controller.planner.samples (default: method and model)',
    )  # fmt: skip
    add_reading_options(comparer)
    comparer.add_argument('--out', type=user_path, metavar='FILE.html', help='also write a page with figures')
    add_common(comparer, '--json')


def _report(args: argparse.Namespace) -> int:
    """Rebuild summary.json and report.html of a run folder.

    Rebuild summary.json and report.html of a run folder from its bag.
    """
    from millirobot_adapt.analysis.report import REPORT, write_report

    summary = write_report(args.folder, args.namespace, args.strict)
    page = args.folder / REPORT
    print(json.dumps(summary, indent=2, allow_nan=False) if args.json else page)
    if args.open and not webbrowser.open(page.resolve().as_uri()):
        raise DeviceError(f'{page}: no browser could be started here; open the file yourself')
    return 0


def _compare(args: argparse.Namespace) -> int:
    """Compare recorded runs, paired where seeds match.

    Compare recorded runs: cost, distance to the path, prediction before and after adaptation, deadlines, link; in ratio
    where seed, path and condition match. The first run's variant is the baseline.
    """
    from millirobot_adapt.analysis.compare.comparison_page import table, write_page
    from millirobot_adapt.analysis.compare.runs import comparison, read_runs

    runs = read_runs(args.runs, args.by, args.namespace, args.strict)
    found = comparison(runs)
    if args.out is not None:
        write_page(args.out, runs, found)
    if args.json:
        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        print(table(runs, found))
        if args.out is not None:
            print(args.out)
    return 0
