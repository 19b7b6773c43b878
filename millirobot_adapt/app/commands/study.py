"""`millirobot study`: how much data, which floors and which windows a model needs, what an ensemble knows."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from millirobot_adapt.app.commands.learn import need_torch, parse_settings
from millirobot_adapt.app.commands.shared import add_common, add_force, add_group, between, check_jobs, plain
from millirobot_adapt.app.commands.study_logs import add_log_options, given, read_logs
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, user_path, write_whole

SCHEMA = 1
"""Version of the JSON that --json prints and the folder holds."""
STUDY = 'study.json'


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    commands = add_group(
        subparsers, 'study', 'find out how much data, which floors and which windows a model needs (needs PyTorch)',
        'Train models that differ in one thing, and let each predict what none was trained on.',
    )  # fmt: skip
    ending = (
        'Printed are open-loop errors at H on held-out data, before and after adaptation, with 95 % intervals. --out '
        'keeps models, table and figure; the same command goes on where an earlier call ended.'
    )
    data = commands.add_parser(
        'data', help='train on parts of the data', description=f'Train on growing parts of the data. {ending}'
    )
    _add_runs(data)
    data.add_argument('--parts', help='parts of the data, comma-separated (default: 0.1,0.2,0.4,0.7,1)')
    floors = commands.add_parser(
        'floors', help='train on one floor, on two, ...',
        description='Train on one floor, on two, and so on, with equal amounts of data, and predict a floor that was '
        f'left out: each in turn, or --test. {ending}',
    )  # fmt: skip
    floors.add_argument(
        '--floor', nargs='+', action='append', required=True, metavar=('NAME', 'RUN'),
        help='a floor, by any name, and its runs; name two floors at least',
    )  # fmt: skip
    window = commands.add_parser(
        'window', help='train with other T1 and T2',
        description=f'Train with other numbers of past (T1) and future (T2) transitions. {ending}',
    )  # fmt: skip
    _add_runs(window)
    window.add_argument('--pasts', help='T1, comma-separated (default: 4,8,16,24,32)')
    window.add_argument('--futures', help='T2, comma-separated (default: 1,5,10,15,20)')
    _add_ensemble(commands)
    for parser, run in ((data, _data), (floors, _floors), (window, _window)):
        _add_study_options(parser)
        parser.set_defaults(run=run)


def _add_ensemble(commands: Any) -> None:
    parser = commands.add_parser(
        'ensemble', help='whether the spread of several models predicts their error (needs no PyTorch)',
        description='Let several models predict runs open loop, from every state, and correlate how far their '
        'predictions lie apart with how far their mean is off, H steps ahead. No model is adapted.',
    )  # fmt: skip
    _add_runs(parser)
    parser.add_argument(
        '--models', nargs='+', required=True, metavar='MODEL',
        help='bundles by name or folder, such as networks that differ in their training seed',
    )  # fmt: skip
    parser.add_argument(
        '--horizon', type=between(int, 1, 1000), default=12, help='H: steps predicted open loop (default: %(default)s)'
    )
    add_log_options(parser)
    add_common(parser, '--json')
    parser.set_defaults(run=_ensemble)


def _ensemble(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from millirobot_adapt.core.dynamics.bundle import load_bundle
    from millirobot_adapt.core.dynamics.engine import EngineConfig
    from millirobot_adapt.core.dynamics.method_factory import make_method
    from millirobot_adapt.experiments.ensemble_spread import NOTE, ensemble_spread, spread_table
    from millirobot_adapt.experiments.results_table import tables_as_text

    (logs,) = read_logs(args, args.data)
    found = []
    for log in logs:
        members = [make_method(load_bundle(name, log.robot), EngineConfig()).prior for name in args.models]
        found.append(ensemble_spread(log, members, args.horizon))
    if args.json:
        print(json.dumps(plain({'schema': SCHEMA, 'rows': [asdict(each) for each in found]}), indent=1))
    else:
        print(tables_as_text([spread_table(found)], [NOTE]))
    return 0


def _add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--data', type=user_path, nargs='+', required=True, metavar='RUN',
        help="run folders, bags, files that `collect` wrote, or the lab's logs (npz)",
    )  # fmt: skip


def _add_study_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--test', type=user_path, nargs='*', default=[], metavar='RUN',
        help='runs to predict, of which nothing is learned (default: a part of the sessions is held out)',
    )  # fmt: skip
    parser.add_argument('--out', type=user_path, required=True, metavar='DIR', help='folder of the study')
    add_force(parser)
    parser.add_argument('--method', help='method to train (default: grbal)')
    parser.add_argument('--horizon', type=int, help='H: steps predicted open loop (default: 10)')
    parser.add_argument('--seeds', type=int, help='models of each kind (default: 1)')
    parser.add_argument('--seed', type=int, help='the first seed (default: 0)')
    add_common(parser, '--jobs')
    parser.add_argument(
        '--set', action='append', default=[], metavar='NAME=VALUE', dest='settings',
        help='another parameter, e.g. --set train.steps=2000; an unknown name lists all',
    )  # fmt: skip
    add_log_options(parser)
    parser.add_argument('--json', action='store_true', help='print JSON, and nothing else, on standard output')


def _data(args: argparse.Namespace) -> int:
    from millirobot_adapt.learning.study_plan import plan_data

    config = _config(args, 'parts')
    logs, tests = read_logs(args, args.data, args.test)
    return _study(args, config, plan_data(logs, tests, config), 'minutes')


def _floors(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from millirobot_adapt.learning.log_rollouts import join_logs
    from millirobot_adapt.learning.study_plan import plan_floors

    config = _config(args)
    floors: dict[str, list[Path]] = {}
    for name, *runs in args.floor:
        if not runs:
            raise UserError(f'--floor {name}: names no runs; give the name of the floor, then its runs')
        if name in floors or os.sep in name:
            raise UserError(f'--floor {name}: name each floor once, without {os.sep}')
        floors[name] = [user_path(run) for run in runs]
    tests, *logs = read_logs(args, args.test, *floors.values())
    named = [replace(join_logs(own), name=name) for name, own in zip(floors, logs, strict=True)]
    return _study(args, config, plan_floors(named, tests, config), 'at')


def _window(args: argparse.Namespace) -> int:
    from millirobot_adapt.learning.study_plan import plan_windows

    config = _config(args, 'pasts', 'futures')
    logs, tests = read_logs(args, args.data, args.test)
    return _study(args, config, plan_windows(logs, tests, config), 'at')


def _config(args: argparse.Namespace, *own: str) -> Any:
    """Read options and settings.

    Raises:
        UserError: an unknown name, a wrong value; PyTorch is missing.
    """
    need_torch()
    from millirobot_adapt.learning.study_plan import StudyConfig

    check_jobs(args.jobs)
    return parse_settings(StudyConfig, [*given(args, 'method', 'horizon', 'seeds', 'seed', *own), *args.settings])


def _study(args: argparse.Namespace, config: Any, models: Any, varied: str) -> int:
    """Train, judge, print, and leave table and figure.

    Raises:
        UserError: the folder holds another study; what `run_models` raises.
    """
    from millirobot_adapt.core.config import flatten
    from millirobot_adapt.learning.study_figure import draw_study
    from millirobot_adapt.learning.study_runs import curve_rows, curve_table, run_models

    report = {
        'schema': SCHEMA,
        'data': sorted({f'{name} {digest}' for each in models for name, digest in _sources(each)}),
        'parameters': plain(flatten(config)),
        'models': [each.name for each in models],
    }
    out: Path = args.out
    _claim(out, json.loads(json.dumps(report)), args.force)
    rows = curve_rows(run_models(models, out, config.horizon, config.every, args.jobs))
    report = plain({**report, 'rows': rows})
    write_whole(out / STUDY, json.dumps(report, indent=1))
    table = curve_table(rows, config.horizon)
    write_whole(out / 'curve.md', table + '\n')
    draw_study(out / 'curve.png', rows, varied, config.horizon)
    print(json.dumps(report, indent=1) if args.json else f'{table}\n{out / "curve.png"}: the same as a figure')
    return 0


def _sources(model: Any) -> list[tuple[str, str]]:
    logs = (model.training, *(each.log for each in model.judged))
    return [item for log in logs for item in log.rollouts.metadata['logs'].items()]


def _claim(out: Path, report: dict[str, Any], force: bool) -> None:
    """Make the folder, or go on in the one of the same study.

    Raises:
        UserError: it holds another study, or cannot be made.
    """
    make_folder(out)
    path = out / STUDY
    if path.is_file() and not force:
        try:
            there = json.loads(path.read_text(encoding='utf-8'))
        except ValueError:
            there = {}
        if {key: there.get(key) for key in report} != report:
            raise UserError(f'{out}: holds another study; choose another place with --out, or replace it with --force')
    write_whole(path, json.dumps(report, indent=1))
