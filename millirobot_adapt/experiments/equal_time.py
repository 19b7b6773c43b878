"""Compare planners at equal time: give each as many candidates as it plans with in the time of the first.

Time is processor time of this process (`time.process_time`), with one thread for the engine. It is measured on one
recorded walk. All planners plan through the same ticks in turns, and what counts is the median of the ratios to the
first planner, tick by tick: what else the machine does falls on all alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from millirobot_adapt.core.control.loop import ControlLoop
from millirobot_adapt.core.control.tick_result import TickResult
from millirobot_adapt.core.control.wiring import ControllerConfig, assemble
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import exists, write_whole
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.reference_path import ReferencePath
from millirobot_adapt.core.robot.layout import FloatArray
from millirobot_adapt.core.yaml_file import read_yaml
from millirobot_adapt.experiments.episode import EpisodeSpec
from millirobot_adapt.experiments.experiment import FOLLOWER, Experiment
from millirobot_adapt.experiments.runner import make_lockstep

KEPT = 'equal_time.yaml'
"""File in the folder of an evaluation: what was measured there. The same command goes on with the same numbers."""
TICKS = 40
"""Ticks that every planner plans through, after those that fill the window."""


@dataclass(frozen=True)
class EqualTime:
    """What a method may do in the time of the first one."""

    samples: int
    """K."""
    tick_ms: float
    """Processor time of a tick with K candidates, median [ms]."""
    ratio: float
    """Time of a tick over that of the first method, median tick by tick."""


def equalise(
    experiment: Experiment, specs: Sequence[EpisodeSpec], kept: Path | None
) -> tuple[Experiment, dict[str, EqualTime]]:
    """Return the experiment with `planner.samples` of each method set for equal time, and what was measured.

    Args:
        experiment: One with `equal_time`.
        specs: Its walks (`grid.episodes_of`).
        kept: Folder in which the measurement is kept, and looked up; None: it is measured and not kept.

    Raises:
        UserError: a method is the path follower, which has no candidates; the file in the folder is of other methods.
    """
    for method in experiment.methods:
        if method.kind == FOLLOWER:
            raise UserError('equal_time: the path follower draws no candidates; leave it out, or set equal_time: false')
    configs = {spec.method: spec for spec in reversed(specs)}
    ordered = {method.name: configs[method.name] for method in experiment.methods}
    measured = _kept(kept, ordered) if kept else None
    if measured is None:
        measured = measure(ordered)
        if kept:
            write_whole(kept / KEPT, _as_text(measured))
    methods = tuple(
        replace(method, controller={**method.controller, 'planner.samples': measured[method.name].samples})
        for method in experiment.methods
    )
    return replace(experiment, methods=methods), measured


def measure(specs: Mapping[str, EpisodeSpec]) -> dict[str, EqualTime]:
    """Measure how many candidates each method plans with in the time that the first one takes with its own number.

    The time of a tick is taken to be linear in K. It is measured at half the number and at the whole, at the number
    that comes of it, and once more at what that corrects it to.
    """
    baseline = next(iter(specs))
    ticks = record_ticks(specs[baseline])
    whole = {name: spec.controller.planner.samples for name, spec in specs.items()}
    half = {name: max(1, count // 2) for name, count in whole.items()}
    at_half, at_whole = _times(specs, ticks, [half, whole])
    slopes = {name: (at_whole[name].ratio - at_half[name].ratio) / max(1, whole[name] - half[name]) for name in specs}
    found = _corrected(at_whole, slopes, baseline)
    (again,) = _times(specs, ticks, [found])
    (last,) = _times(specs, ticks, [_corrected(again, slopes, baseline)])
    return last


def _corrected(measured: Mapping[str, EqualTime], slopes: Mapping[str, float], baseline: str) -> dict[str, int]:
    """Return K of each method for the ratio 1, from a measurement near by and the ratio's slope over K."""
    return {
        name: each.samples
        if name == baseline or slopes[name] <= 0.0
        else max(1, round(each.samples + (1.0 - each.ratio) / slopes[name]))
        for name, each in measured.items()
    }


def as_lines(measured: Mapping[str, EqualTime]) -> str:
    """Lay out what was measured for a terminal."""
    rows = [
        f'  {name:24} K = {each.samples:5d}   {each.tick_ms:7.2f} ms   {each.ratio:5.2f} of the first'
        for name, each in measured.items()
    ]
    return '\n'.join(['equal time, processor time of a tick on this machine:', *rows])


@dataclass(frozen=True)
class _Tick:
    """The arguments of `ControlLoop.step`."""

    tick: int
    stamp: float
    state: FloatArray
    sent: FloatArray | None
    executing: FloatArray


def record_ticks(spec: EpisodeSpec) -> list[_Tick]:
    """Walk with a method, and return what its loop was given."""
    assembly = assemble(spec.controller)
    robot = make_lockstep(spec)
    assembly.loop.restart(make_path(spec.shape))
    observation = robot.reset()
    executing, ticks = observation.sent, []
    for number in range(assembly.bundle.window + 1 + TICKS):
        given = _Tick(number, observation.stamp, observation.state, observation.sent, executing)
        result = plan_again(assembly.loop, given)
        observation = robot.step(executing)
        executing = result.next_action
        ticks.append(given)
    return ticks


def _times(
    specs: Mapping[str, EpisodeSpec], ticks: Sequence[_Tick], sizes: Sequence[Mapping[str, int]]
) -> list[dict[str, EqualTime]]:
    """Return the time of a tick of each method with each number of candidates, over that of the first's last number."""
    baseline = next(iter(specs))
    path = make_path(specs[baseline].shape)
    loops = {
        (size, name): make_loop(spec.controller, samples[name], path)
        for size, samples in enumerate(sizes)
        for name, spec in specs.items()
    }
    times: dict[tuple[int, str], list[float]] = {key: [] for key in loops}
    for given in ticks:
        for key, loop in loops.items():
            begin = time.process_time()
            plan_again(loop, given)
            times[key].append(1e3 * (time.process_time() - begin))
    settled = {key: np.array(each[-TICKS:]) for key, each in times.items()}
    reference = settled[len(sizes) - 1, baseline]
    return [
        {
            name: EqualTime(
                samples[name],
                round(float(np.median(settled[size, name])), 2),
                round(float(np.median(settled[size, name] / reference)), 3),
            )
            for name in specs
        }
        for size, samples in enumerate(sizes)
    ]


def make_loop(config: ControllerConfig, samples: int, path: ReferencePath) -> ControlLoop:
    """Return the loop of these parameters with K = `samples`, about to follow `path`."""
    loop = assemble(replace(config, planner=replace(config.planner, samples=samples))).loop
    loop.restart(path)
    return loop


def plan_again(loop: ControlLoop, given: _Tick) -> TickResult:
    """Do a recorded tick."""
    return loop.step(given.tick, given.stamp, given.state, given.sent, given.executing)


def _as_text(measured: Mapping[str, EqualTime]) -> str:
    rows = {name: asdict(each) for name, each in measured.items()}
    heading = '# Processor time of a tick [ms] with so many candidates; delete this file to measure again.'
    return f'{heading}\n{yaml.safe_dump(rows, sort_keys=False)}'


def _kept(folder: Path, specs: Mapping[str, EpisodeSpec]) -> dict[str, EqualTime] | None:
    """Return what an earlier run measured in the folder; None where there is none."""
    path = folder / KEPT
    if not exists(path):
        return None
    rows = read_yaml(path)
    if list(rows) != list(specs):
        raise UserError(f'{path}: is of the methods {", ".join(rows)}; delete it, or choose another --out')
    try:
        return {
            name: EqualTime(int(row['samples']), float(row['tick_ms']), float(row['ratio']))
            for name, row in rows.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f'{path}: is damaged ({error}); delete it to measure again') from None
