"""`millirobot evaluate`: compare adaptation methods on the mock, in lock-step, without ROS."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, between, check_jobs, listed, plain
from millirobot_adapt.core.files import make_folder, user_path

if TYPE_CHECKING:
    from millirobot_adapt.experiments.episode import Episode
    from millirobot_adapt.experiments.equal_time import EqualTime
    from millirobot_adapt.experiments.experiment import Experiment
    from millirobot_adapt.experiments.results import Results

SCHEMA = 2
"""Version of the JSON that --json prints and of results.json."""


def add(subparsers: Any) -> None:
    """Add the command `evaluate`."""
    parser = add_command(subparsers, 'evaluate', _evaluate)
    parser.add_argument(
        '--conditions',
        default='leg_loss',
        metavar='FILE',
        help='an experiment: a file, or a name under params/experiments/; or conditions, comma-separated, by name or '
        'file (default: %(default)s)',
    )
    parser.add_argument(
        '--methods',
        help='methods, comma-separated: names of the experiment file, or method, method=bundle, method@engine, '
        'method@frozen (theta*, not adapted) (mb,rebal)',
    )
    parser.add_argument(
        '--copies',
        metavar='FOLDER',
        help='further training seeds of the shipped models, as `make-models --seeds N` leaves them in '
        'build/models/copies: each method walks with those of its model, too (none)',
    )
    parser.add_argument('--shapes', help='shapes or CSV files, comma-separated, under every condition (figure8)')
    parser.add_argument('--seeds', type=between(int, 1, 10_000), help='seeds 0, 1, ... of each cell (5)')
    parser.add_argument(
        '--confirm',
        metavar='METHOD',
        help='then compare METHOD with the best other of each condition on seeds after these, 30 of them unless the '
        'experiment says otherwise (none)',
    )
    parser.add_argument('--seconds', type=between(float, 1.0, 3600.0, 's'), help='longest episode [s] (40)')
    parser.add_argument(
        '--out',
        type=user_path,
        help='folder for results, figures, and every episode as it ends; the same again goes on',
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of the tables')
    add_common(parser, '--jobs')
    parser.add_argument(
        '--backend', default='loky', help='who runs them: any backend that joblib knows (default: %(default)s)'
    )
    parser.add_argument(
        '--params', default='controller.yaml', help="the controller's parameters (default: %(default)s)"
    )


def _evaluate(arguments: argparse.Namespace) -> int:
    """Compare adaptation methods on the mock, in lock-step, without ROS.

    Walk the same conditions, shapes and seeds with each method; the first one is the baseline. What an option leaves
    out is as in the experiment file, or else as in brackets.
    """
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.experiments import runner
    from millirobot_adapt.experiments.confirmation import confirmations, fresh_episodes, rivals_of
    from millirobot_adapt.experiments.grid import check_episodes, episodes_of, run_episodes
    from millirobot_adapt.experiments.overview import analyses
    from millirobot_adapt.experiments.results_table import as_text, rows_of
    from millirobot_adapt.experiments.store import Store

    check_jobs(arguments.jobs)
    experiment = _experiment(arguments)
    specs = episodes_of(experiment, arguments.params)
    check_episodes(specs)
    equal: Mapping[str, EqualTime] = {}
    if experiment.equal_time:
        from millirobot_adapt.experiments.equal_time import as_lines, equalise

        if arguments.out:
            make_folder(arguments.out)
        experiment, equal = equalise(experiment, specs, arguments.out)
        specs = episodes_of(experiment, arguments.params)
        print(as_lines(equal), file=sys.stderr)
    store = Store(arguments.out / 'episodes') if arguments.out else None
    run = partial(run_episodes, run=runner.run_episode, jobs=arguments.jobs, backend=arguments.backend, store=store)
    dt = load_robot(specs[0].controller.robot).dt
    episodes = run(specs)
    rows = rows_of(episodes, dt)
    results, fresh = _results(experiment, episodes, rows), list[dict[str, Any]]()
    if experiment.confirm.method:
        rivals = rivals_of(rows, experiment)
        fresh = rows_of(run(fresh_episodes(experiment, arguments.params, rivals)), dt)
        results = replace(results, confirmations=confirmations(rows, fresh, experiment, rivals))
    report = _report(results, rows)
    if equal:
        report['equal_time'] = {name: asdict(each) for name, each in equal.items()}
    if arguments.out:
        from millirobot_adapt.experiments.evaluation_page import write_all

        write_all(arguments.out, results, rows, plain(report), fresh)
    if arguments.json:
        print(json.dumps(plain(report), indent=1))
    else:
        print(as_text(results.cells, results.baseline, analyses(results)))
    return 0


def _report(results: Results, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what --json prints."""
    return {
        'schema': SCHEMA,
        'baseline': results.baseline,
        'rows': rows,
        'cells': results.cells,
        'recovery': [asdict(each) for each in results.recoveries],
        'adaptation': [asdict(each) for each in results.shares],
        'foresight': [asdict(each) for each in results.foresights],
        'confirmation': [asdict(each) for each in results.confirmations],
    }


def _results(experiment: Experiment, episodes: Sequence[Episode], rows: Sequence[dict[str, Any]]) -> Results:
    """Make everything of the episodes that tables, figures and page show."""
    from millirobot_adapt.experiments.adaptation_share import adaptation_shares
    from millirobot_adapt.experiments.foresight import foresights
    from millirobot_adapt.experiments.recovery import recoveries
    from millirobot_adapt.experiments.results import Results
    from millirobot_adapt.experiments.results_table import cells_of

    methods = [method.name for method in experiment.methods]
    return Results(
        episodes,
        cells_of(rows, methods, experiment.groups),
        methods,
        experiment.groups,
        recoveries(episodes, methods),
        adaptation_shares([episode.spec for episode in episodes], rows, experiment.groups, methods[0]),
        foresights(episodes, methods),
    )


def _experiment(arguments: argparse.Namespace) -> Experiment:
    """Return the experiment asked for, with what other options change."""
    from millirobot_adapt.experiments.experiment import find_experiment, parse_method

    experiment = find_experiment(listed('--conditions', arguments.conditions, 'condition'))
    changes: dict[str, Any] = {}
    if arguments.methods is not None:
        known = {method.name: method for method in experiment.methods}
        names = listed('--methods', arguments.methods, 'method')
        changes['methods'] = tuple(known.get(name) or parse_method(name) for name in names)
    if arguments.shapes is not None:
        changes['shapes'] = listed('--shapes', arguments.shapes, 'shape')
        changes['conditions'] = tuple(replace(entry, shapes=()) for entry in experiment.conditions)
    given = {key: getattr(arguments, key) for key in ('copies', 'seeds', 'seconds')}
    changes |= {key: value for key, value in given.items() if value is not None}
    if arguments.confirm is not None:
        changes['confirm'] = replace(experiment.confirm, method=arguments.confirm)
    return replace(experiment, **changes)
