"""Prove that a live run can be done again: every odometry in the order of arrival, every tick from its record."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from millirobot_adapt import __version__
from millirobot_adapt.analysis.replay.check_ticks import TickChecker
from millirobot_adapt.analysis.replay.comparison import ReplayComparison
from millirobot_adapt.analysis.replay.decisions import UNREADABLE, RecordedRun, read_decisions, ticks_again
from millirobot_adapt.analysis.replay.estimates import Answering, EstimateChecker
from millirobot_adapt.analysis.replay.live_parameters import Retuner
from millirobot_adapt.contract.arrival_record import ArrivalRecord
from millirobot_adapt.contract.state_codec import decode_state
from millirobot_adapt.contract.topics import ARRIVALS, ODOMETRY, STATE, TICK
from millirobot_adapt.core.control.wiring import Assembly
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.estimation.estimator_interface import Estimator
from millirobot_adapt.core.repeatability import DECISIONS, decided_by, differences
from millirobot_adapt.recording.reader import Bag, open_bag
from millirobot_adapt.recording.run_setup import Changes, recorded_setup
from millirobot_adapt.recording.swapped_models import find_swapped

VERSION = 1


def check(path: Path, changes: Changes, namespace: str | None = None, strict: bool = False) -> dict[str, Any]:
    """Replay a bag and compare, up to the first difference (what `millirobot replay --check --json` prints).

    Where the recorded fingerprint is that of this process, every value must come out bit for bit, elsewhere within a
    tolerance.

    Keys: version, bag, parameters (where they were found), recorded_with (version and commit of the package), model,
    fingerprint (recorded, here, differs_in), same_decisions (false: an older version decided the ticks, they are not
    compared), exact, tolerance and largest_difference by kind of value (null where
    exact), compared (ticks, setpoints, odometries, states), not_compared (list of what, count, why), difference (null,
    or what, stamp, time_s since the first tick, field, recorded, replayed), duration_s, elapsed_s.

    Raises:
        UserError: the bag is not readable or holds no decision; its model is missing or has changed.
    """
    began = time.perf_counter()
    bag = open_bag(path, namespace=namespace, strict=strict)
    decisions = read_decisions(bag)
    if not decisions.ticks and not decisions.arrivals:
        raise UserError(
            f'{path}: there is nothing to check: no message on {TICK.name} or {ARRIVALS.name}; '
            'only runs of this package record them'
        )
    setup = recorded_setup(bag, changes, same_model=True)
    assembly = setup.assemble()
    _check_fit(decisions.lengths, assembly)
    here = assembly.details['fingerprint']
    comparison = ReplayComparison(exact=decisions.fingerprint == here)
    estimates = EstimateChecker(comparison, setup.version or '(version unknown)')
    first_answer = _check_estimates(bag, lambda: make_estimator(setup.estimator, setup.robot), estimates)
    retuner = Retuner(assembly, decisions.revisions, partial(find_swapped, bag))
    checker = TickChecker(
        assembly.loop, retuner, estimates.states, decisions.setpoints, comparison, setup.controller.misses_allowed,
        setup.robot.layout.neutral,
    )  # fmt: skip
    if decided_by(decisions.fingerprint) == DECISIONS:
        _check_ticks(bag, decisions.runs(setup.robot.dt, setup.controller.path), checker, len(decisions.ticks))
    else:
        comparison.leave_out('ticks', _other_version(decisions.fingerprint, setup.version), len(decisions.ticks))
    first, last = decisions.ticks.span if decisions.ticks else (first_answer, first_answer)
    figures = comparison.figures()
    if figures['difference'] is not None:
        figures['difference']['time_s'] = round(figures['difference']['stamp'] - first, 3)
    return {
        'version': VERSION,
        'bag': str(path),
        'parameters': setup.source,
        'recorded_with': setup.version or None,
        'model': assembly.bundle.path.name,
        'fingerprint': {
            'recorded': decisions.fingerprint or None,
            'here': here,
            'differs_in': differences(decisions.fingerprint, here),
        },
        'same_decisions': decided_by(decisions.fingerprint) == DECISIONS,
        **figures,
        'duration_s': round(last - first, 3),
        'elapsed_s': round(time.perf_counter() - began, 3),
    }


def _other_version(fingerprint: str, version: str) -> str:
    """Say why ticks that another version decided are not compared, and what checks them."""
    return (
        f'decided by version {decided_by(fingerprint)} of the arithmetic, this is version {DECISIONS}; '
        f'check them with millirobot_adapt {version or "of that time"}'
    )


def _check_fit(lengths: Mapping[tuple[int, int], int], assembly: Assembly) -> None:
    """Check that records were made with a window and a horizon of the lengths in use here.

    Args:
        lengths: Lengths (T1, H) that are recorded, with a tick that has them.
        assembly: Model and parameters in use here.

    Raises:
        UserError: they were made with another model or other parameters.
    """
    window, horizon = assembly.bundle.window, assembly.config.planner.horizon
    for (t1, h), tick in lengths.items():
        if (t1, h) != (window, horizon):
            raise UserError(
                f'tick {tick} has T1 = {t1}, H = {h}, but '
                f'{assembly.bundle.path.name} and the parameters have T1 = {window}, H = {horizon}; '
                'name those of the run with --model and --params'
            )


def _check_estimates(bag: Bag, make: Callable[[], Estimator], checker: EstimateChecker) -> float:
    """Estimate again and compare; returns the stamp of the first answer [s], NaN if there is none."""
    answering, first = Answering(make), float('nan')
    messages = bag.again().messages((ARRIVALS, ODOMETRY, STATE))
    for topic, message, _ in tqdm(messages, desc='estimating', unit=' messages', disable=None, leave=False):
        if topic == ODOMETRY.name:
            checker.odometry(message)
            continue
        try:
            record = ArrivalRecord.decode(message.data) if topic == ARRIVALS.name else None
            if record is None:
                checker.state(decode_state(message.data))
        except UNREADABLE:
            continue  # counted by the survey
        found = answering.answer(record) if record is not None else None
        if found is not None:
            first = found.stamp if np.isnan(first) else first
            checker.answer(found)
    checker.finish()
    return first


def _check_ticks(bag: Bag, runs: Iterable[RecordedRun], checker: TickChecker, count: int) -> None:
    """Do the ticks of every run again, up to the first difference."""
    records = ticks_again(bag)
    with tqdm(total=count, desc='checking', unit=' ticks', disable=None, leave=False) as bar:
        for run in runs:
            checker.check(run, itertools.islice(records, len(run)), bar.update)
            if checker.differs:
                return


def verdict(figures: Mapping[str, Any]) -> str:
    """Lay out the figures of a check for a person."""
    lines = [f'parameters: {figures["parameters"]}', _basis(figures), _compared(figures)]
    lines += [f'  not compared: {each["count"]} {each["what"]} ({each["why"]})' for each in figures['not_compared']]
    if not figures['exact'] and figures['largest_difference']:
        gaps = ', '.join(f'{kind} {gap:.1e}' for kind, gap in figures['largest_difference'].items())
        lines.append(f'  largest difference: {gaps}')
    difference = figures['difference']
    if not figures['same_decisions']:
        lines.append('the ticks are not proven: check them with the version that is named above')
    if difference is None:
        return '\n'.join([*lines, 'no difference'])
    return '\n'.join(
        [
            *lines,
            f'first difference: {difference["what"]}, {difference["time_s"]:.3f} s after the first tick',
            f'  {"field":28} {"recorded":>24} {"replayed":>24}',
            f'  {difference["field"]:28} {difference["recorded"]!s:>24} {difference["replayed"]!s:>24}',
            f'recorded with millirobot_adapt {figures["recorded_with"] or "(version unknown)"}, this is {__version__}',
        ]
    )


def _basis(figures: Mapping[str, Any]) -> str:
    """Say how it was compared, and why."""
    if figures['exact']:
        return 'compared bit for bit: the run was recorded with this fingerprint'
    tolerances = ', '.join(
        f'{kind} {each["absolute"]:g}' + (f' + {each["relative"]:g} of it' if each['relative'] else '')
        for kind, each in figures['tolerance'].items()
    )
    if figures['fingerprint']['recorded'] is None:
        return f'compared within a tolerance, as the bag has no fingerprint: {tolerances}'
    other = ', '.join(figures['fingerprint']['differs_in'])
    return f'compared within a tolerance, as the fingerprint is another one ({other}): {tolerances}'


def _compared(figures: Mapping[str, Any]) -> str:
    counts = ', '.join(
        f'{figures["compared"].get(things, 0)} {things}' for things in ('ticks', 'setpoints', 'odometries', 'states')
    )
    return f'{counts} of {figures["duration_s"]:.1f} s compared in {figures["elapsed_s"]:.1f} s'
