"""Compare recorded runs: a row for each, means for each variant, ratios between variants paired where seeds match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.report.whole_run import WholeRun, read_whole_run
from millirobot_adapt.analysis.statistics import compare
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.reader import open_bag

VERSION = 1
METRICS: dict[str, str] = {
    'cost_per_step': 'cost per step',
    'cost_after_fault': 'cost per step, after the fault',
    'cross_track_rms_m': 'cross-track rms [m]',
    'cross_track_after_fault_m': 'cross-track rms [m], after the fault',
    'pre_error': 'error of the next step, theta*',
    'post_error': "error of the next step, theta'",
    'ahead_before_m': 'error over the horizon [m], theta*',
    'ahead_after_m': "error over the horizon [m], theta'",
    'progress_m': 'progress [m]',
    'work_p99_ms': 'work of a tick, p99 [ms]',
    'deadline_misses': 'deadlines missed',
    'rtt_p50_ms': 'round trip, median [ms]',
    'rtt_p99_ms': 'round trip, p99 [ms]',
    'replies_lost': 'replies lost',
}
"""What is compared, and its heading; lower is better, but for the progress."""
PAIRED = (
    'cost_per_step', 'cost_after_fault', 'cross_track_rms_m', 'cross_track_after_fault_m', 'post_error',
    'ahead_after_m', 'progress_m',
)  # fmt: skip
"""Metrics of which pairs of seeds are put in ratio: positive ones that are the model's doing."""


@dataclass(frozen=True)
class Run:
    """One run among those compared."""

    name: str
    variant: str
    """What sets it apart from other runs under the same circumstances: its method, model or a parameter."""
    circumstances: tuple[Any, ...]
    """Seed, path and condition; runs of different variants and equal circumstances make a pair."""
    metrics: Mapping[str, float | None]
    recorded: WholeRun

    @property
    def seed(self) -> int | None:
        """Seed of the run, if it is known."""
        return self.recorded.summary['seed']


def read_runs(paths: Sequence[Path], by: str = '', namespace: str | None = None, strict: bool = False) -> list[Run]:
    """Read run folders or bags.

    Args:
        paths: At least two.
        by: Dotted name of the parameter that distinguishes variants (`controller.planner.samples`); '': the method, and
            the model where a method ran with several.
        namespace: Namespace of the robot, where the bags hold several.
        strict: Make an error of what is not read.

    Raises:
        UserError: fewer than two, one that is no bag, or a run without the parameter `by`.
    """
    if len(paths) < 2:
        raise UserError('compare: one run alone has nothing to be compared with; give at least two runs or bags')
    progress = tqdm(paths, desc='reading runs', unit=' runs', disable=None, leave=False)
    recorded = [read_whole_run(open_bag(path, namespace=namespace, strict=strict)) for path in progress]
    label = (lambda run, path: _parameter(run, path, by)) if by else _by_method(recorded)
    return [
        Run(name, label(run, path), _circumstances(run), metrics_of(run.summary), run)
        for name, run, path in zip(_names(paths), recorded, paths, strict=True)
    ]


def _names(paths: Sequence[Path]) -> list[str]:
    """Name runs by the last parts of their paths that distinguish them."""
    resolved = [path.resolve() for path in paths]
    for depth in range(1, 5):
        names = ['/'.join(path.parts[-depth:]) for path in resolved]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in resolved]


def _by_method(recorded: Sequence[WholeRun]) -> Callable[[WholeRun, Path], str]:
    """Return a function that names a run by its method, and by its model where one method ran with several models."""
    models: dict[str, set[str]] = {}
    for run in recorded:
        models.setdefault(run.method, set()).add(run.model)
    return lambda run, _: run.method if len(models[run.method]) == 1 else f'{run.method} ({run.model})'


def _parameter(run: WholeRun, path: Path, name: str) -> str:
    value: Any = run.parameters
    for part in name.split('.'):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, Mapping):
        raise UserError(f'{path}: its parameters have no {name}; name one of parameters.yaml, e.g. controller.model')
    return f'{name.rpartition(".")[2]} {value}'


def _circumstances(run: WholeRun) -> tuple[Any, ...]:
    return run.summary['seed'], run.shape, run.condition


def metrics_of(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the metrics of one run from its summary; None for what is not known."""
    tracking, after = summary['tracking'], summary['tracking']['after_fault'] or {}
    ahead = (summary['prediction'] or {}).get('position_m', {})
    link = summary['link']
    values = {
        'cost_per_step': tracking['cost_per_step'],
        'cost_after_fault': after.get('cost_per_step'),
        'cross_track_rms_m': tracking['cross_track_rms_m'],
        'cross_track_after_fault_m': after.get('cross_track_rms_m'),
        'pre_error': summary['adaptation']['pre_error'],
        'post_error': summary['adaptation']['post_error'],
        'ahead_before_m': ahead.get('before'),
        'ahead_after_m': ahead.get('after'),
        'progress_m': tracking['progress'],
        'work_p99_ms': summary['work_ms']['p99'],
        'deadline_misses': summary['deadline_misses'],
        'rtt_p50_ms': link['rtt_ms']['p50'],
        'rtt_p99_ms': link['rtt_ms']['p99'],
        'replies_lost': link['lost'],
    }
    return {name: values[name] for name in METRICS}


def comparison(runs: Sequence[Run]) -> dict[str, Any]:
    """Return what `millirobot compare --json` prints, as plain values; the first run's variant is the baseline.

    Keys: version, baseline, runs (each: name, variant, seed, path, condition, seconds, the METRICS, stops), variants
    (each: variant, runs, and mean and sd of every metric), pairs (each: variant, against, metric, pairs, ratio,
    interval: 95 % over pairs, null for fewer than two; wins: pairs in which the variant is the lower one).
    """
    variants = list(dict.fromkeys(run.variant for run in runs))
    return {
        'version': VERSION,
        'baseline': variants[0],
        'runs': [_row(run) for run in runs],
        'variants': [_variant(name, [run for run in runs if run.variant == name]) for name in variants],
        'pairs': [
            entry for name in variants[1:] for metric in PAIRED for entry in _paired(runs, name, variants[0], metric)
        ],
    }


def _row(run: Run) -> dict[str, Any]:
    summary = run.recorded.summary
    return {
        'name': run.name,
        'variant': run.variant,
        'seed': run.seed,
        'path': run.recorded.shape,
        'condition': run.recorded.condition,
        'seconds': round(run.recorded.timeline.span[1], 3),
        **run.metrics,
        'stops': len(summary['stops']),
    }


def _variant(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    cell: dict[str, Any] = {'variant': name, 'runs': len(runs)}
    for metric in METRICS:
        values = np.array([run.metrics[metric] for run in runs if run.metrics[metric] is not None], dtype=float)
        cell[metric] = {
            'mean': round(float(values.mean()), 6) if len(values) else None,
            'sd': round(float(values.std(ddof=1)), 6) if len(values) > 1 else None,
        }
    return cell


def pairs_of(runs: Sequence[Run], variant: str, baseline: str, metric: str) -> list[tuple[float, float]]:
    """Return (variant, baseline) of a metric for all circumstances that both walked under; repeats are averaged."""

    def by_circumstances(name: str) -> dict[tuple[Any, ...], float]:
        values: dict[tuple[Any, ...], list[float]] = {}
        for run in runs:
            value = run.metrics[metric]
            if run.variant == name and value is not None and run.seed is not None:
                values.setdefault(run.circumstances, []).append(value)
        return {circumstances: float(np.mean(entries)) for circumstances, entries in values.items()}

    mine, base = by_circumstances(variant), by_circumstances(baseline)
    return [(mine[circumstances], base[circumstances]) for circumstances in mine if circumstances in base]


def _paired(runs: Sequence[Run], variant: str, baseline: str, metric: str) -> list[dict[str, Any]]:
    pairs = np.array(pairs_of(runs, variant, baseline, metric), dtype=float).reshape(-1, 2)
    if not len(pairs) or (pairs <= 0).any():  # a ratio means something between positive values only
        return []
    result = asdict(compare(pairs[:, 0], pairs[:, 1]))
    interval = result['ratio_interval'] and [round(end, 6) for end in result['ratio_interval']]
    return [
        {
            'variant': variant,
            'against': baseline,
            'metric': metric,
            'pairs': len(pairs),
            'ratio': round(result['ratio'], 6),
            'interval': interval,
            'wins': result['wins'],
        }
    ]
