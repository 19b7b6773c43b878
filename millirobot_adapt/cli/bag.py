"""Commands on bags: `millirobot import-log`, `replay` and `report`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    importer = subparsers.add_parser(
        'import-log',
        help="turn one of the lab's logs (npz) into a bag",
        description="Turn one of the lab's logs into a bag with the topics and stamps of a live run, rollouts marked.",
    )
    importer.add_argument('log', type=Path, metavar='FILE.npz', help='the log')
    importer.add_argument('--out', type=Path, required=True, metavar='BAG', help='bag folder to make')
    importer.add_argument('--robot', default='velociroach', help='robot whose scales apply (default: %(default)s)')
    importer.set_defaults(run=_import_log)

    player = subparsers.add_parser(
        'replay',
        help='drive estimator, adaptation and planner from a bag, without ROS',
        description='Estimate the states of a bag anew, adapt at every tick, and report the error of predicting 1, 5 '
        'and 10 ticks ahead before and after adaptation. Plans where the bag has a reference path or one is given.',
    )
    player.add_argument('bag', type=Path, metavar='BAG', help='bag folder, .mcap or .db3 file, or run folder')
    player.add_argument('--model', default='', help="model bundle (default: the run's, else the controller's)")
    player.add_argument('--method', default='', help='adaptation method (default: what the model was trained for)')
    player.add_argument('--trajectory', default='', help='plan along this shape or CSV, from where each rollout starts')
    player.add_argument('--no-plan', action='store_true', help="do not plan along the bag's reference path")
    player.add_argument('--json', action='store_true', help='print JSON, and nothing else, on standard output')
    player.set_defaults(run=_replay)

    reporter = subparsers.add_parser(
        'report',
        help='rebuild summary.json and report.html of a run folder',
        description='Rebuild summary.json and report.html of a run folder from its bag and its parameters.yaml.',
    )
    reporter.add_argument('folder', type=Path, metavar='RUN', help='run folder, e.g. runs/latest')
    reporter.add_argument('--json', action='store_true', help='print the summary as JSON on standard output')
    reporter.set_defaults(run=_report)


def _import_log(args: argparse.Namespace) -> int:
    from millirobot_adapt.bags.import_log import import_log
    from millirobot_adapt.core.robot import load_robot

    report = import_log(args.log, args.out, load_robot(args.robot))
    print(
        f'{args.out}: {report.rollouts} rollouts, {report.minutes:.1f} min, {report.messages} messages; '
        f'{report.skipped} rollouts in open-loop PWM skipped, {report.stale} stale replies left out'
    )
    return 0


def _replay(args: argparse.Namespace) -> int:
    from millirobot_adapt.bags.replay import ReplayOptions, replay, with_model
    from millirobot_adapt.core.config import read_params
    from millirobot_adapt.core.control.wiring import ControllerConfig
    from millirobot_adapt.core.estimation.config import EstimatorNodeConfig

    controller = read_params(_parameter_file(args.bag, 'controller'), 'controller', ControllerConfig)
    figures = replay(
        ReplayOptions(
            bag=args.bag,
            controller=with_model(controller, args.model, args.method),
            estimator=read_params(_parameter_file(args.bag, 'estimator'), 'estimator', EstimatorNodeConfig),
            trajectory=args.trajectory,
            plan=not args.no_plan,
        )
    )
    print(json.dumps(figures, indent=2, allow_nan=False) if args.json else _table(figures))
    return 0


def _parameter_file(bag: Path, node: str) -> Path:
    """Return the parameters a run was made with, for a bag in its run folder; the shipped ones for any other."""
    from millirobot_adapt.bringup.run_folder import RunFolder
    from millirobot_adapt.core.share import find

    for folder in (bag, *bag.resolve().parents[:2]):
        of_run = RunFolder(folder).node_parameters
        if of_run.is_file():
            return of_run
    return find('params', node, '.yaml')


def _report(args: argparse.Namespace) -> int:
    from millirobot_adapt.bags.report import REPORT, write_report

    summary = write_report(args.folder)
    print(json.dumps(summary, indent=2, allow_nan=False) if args.json else args.folder / REPORT)
    return 0


def _table(figures: Mapping[str, Any]) -> str:
    """Lay out the errors of a replay: a row a rollout, then all together."""
    horizons = list(figures['all'])
    name_width = max(len('all'), *(len(rollout['name']) for rollout in figures['rollouts']))
    heading = ' | '.join(f'{f"H = {horizon}: position [mm]":^21} {"heading [deg]":^15}' for horizon in horizons)
    lines = [f'mean error before > after adaptation ({figures["model"]}, {figures["method"]})', '']
    lines.append(f'{"":{name_width}} {"ticks":>6}  {heading}'.rstrip())
    ticks = sum(rollout['ticks'] for rollout in figures['rollouts'])
    rows = [(rollout['name'], rollout['ticks'], rollout['errors']) for rollout in figures['rollouts']]
    for name, count, errors in [*rows, ('all', ticks, figures['all'])]:
        cells = ' | '.join(_cell(errors[horizon]) for horizon in horizons)
        lines.append(f'{name:{name_width}} {count:6d}  {cells}'.rstrip())
    lines += ['', _footer(figures)]
    return '\n'.join(lines)


def _cell(errors: Mapping[str, Any]) -> str:
    position, heading = errors['position_m'], errors['heading_rad']
    if position['before'] is None:
        return f'{"-":^21} {"-":^15}'
    degrees = 57.29577951308232
    moved = f'{1000 * position["before"]:.1f} > {1000 * position["after"]:.1f}'
    turned = f'{degrees * heading["before"]:.1f} > {degrees * heading["after"]:.1f}'
    return f'{moved:^21} {turned:^15}'


def _footer(figures: Mapping[str, Any]) -> str:
    elapsed, duration = figures['elapsed_s'], figures['duration_s']
    text = f'{duration:.1f} s of walking replayed in {elapsed:.1f} s ({duration / elapsed:.0f} times real time)'
    planning = figures['planning']
    if planning is not None:
        text += f'; planned {planning["ticks"]} ticks, {planning["plan_ms"]:.1f} ms each'
        text += f', executed cost per step {planning["cost_per_step"]:.2f}'
        if planning['action_difference_rev_s'] is not None:
            text += f', next action {planning["action_difference_rev_s"]:.2f} rev/s (rms) from the one sent'
    return text
