"""Judge what sittings of learning had reached after some minutes, beside models that ship, on the same walks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from millirobot_adapt.analysis.statistics import MeanCost, ratio_of, with_interval
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.experiments.judged_walks import JudgedWalks, judge
from millirobot_adapt.learning.online.progress_file import FILE, beginning, clock_minutes, is_model, read_progress
from millirobot_adapt.learning.online.sitting_folder import MODELS


@dataclass(frozen=True)
class SittingStanding(MeanCost):
    """A model in the walks that judge; `costs` is the cost of a step in each of them."""

    name: str
    """Name of the sitting's folder, or of the model."""
    minutes: float | None
    """Of the sitting's clock; None: a model that is of no sitting."""
    bundle: str
    """What walked: a folder, or a name under models/."""


def judge_sittings(
    walks: JudgedWalks,
    sittings: Sequence[Path],
    marks: Sequence[float],
    beside: Sequence[str],
    say: Callable[[str], object] = print,
) -> list[SittingStanding]:
    """Walk with the models that stand beside, then with the newest model of each sitting at each of the marks.

    A model that stands at several marks walks once.

    Args:
        walks: What is walked.
        sittings: Folders of live sittings or of sittings in lock-step.
        marks: Minutes of the sittings' clocks.
        beside: Models to compare with, by name or folder.
        say: Takes a line for each model.

    Raises:
        UserError: a folder is of no sitting; a model is not there, or is for another robot.
    """
    asked: list[tuple[str, float | None, str]] = [(Path(name).name, None, name) for name in beside]
    for folder in sittings:
        for mark in marks:
            newest = model_at(folder, mark)
            if newest is None:
                say(f'{folder.name}: no model after {mark:g} min')
            else:
                asked.append((folder.resolve().name, mark, str(newest)))
    walked: dict[str, tuple[float, ...]] = {}
    standings = []
    bundles = {bundle for _, _, bundle in asked}
    with tqdm(total=len(bundles) * walks.count, desc='walking', unit='walk', disable=None, leave=False) as bar:
        for name, minutes, bundle in asked:
            if bundle not in walked:
                walked[bundle] = tuple(judge(walks, bundle, bar.update))
            standings.append(SittingStanding(walked[bundle], name, minutes, bundle))
            after = '' if minutes is None else f' after {minutes:g} min, model {Path(bundle).name}'
            with tqdm.external_write_mode():
                say(f'{name}{after}: cost {standings[-1].cost:.2f} in {walks.count} walks')
    return standings


def model_at(folder: Path, minutes: float) -> Path | None:
    """Return the newest bundle that a sitting had after so many minutes of its clock; None: it had none yet.

    Live, the clock runs from the beginning of the first leg; in lock-step it is that of walking and training.

    Raises:
        UserError: the folder is of no sitting, or the bundle is gone.
    """
    rows = read_progress(folder)
    if not rows:
        raise UserError(f'{folder}: has no {FILE}; name the folder of a run of `millirobot learn`')
    began = beginning(rows)
    made = [row['bundle'] for row in rows if is_model(row) and clock_minutes(row, began) <= minutes]
    if not made:
        return None
    bundle = folder / MODELS / str(made[-1])
    if not bundle.is_dir():
        raise UserError(f'{bundle}: is not there, though {FILE} names it')
    return bundle


def standings_table(standings: Sequence[SittingStanding]) -> str:
    """Return the standings as a Markdown table: costs, and ratios to each model that is of no sitting.

    A ratio is the geometric mean of those of the walks' pairs, as in `millirobot evaluate`.
    """
    others = [standing for standing in standings if standing.minutes is None]
    lines = [
        f'| | clock [min] | model | cost of a step |{"".join(f" over {other.name} |" for other in others)}',
        f'|---|---|---|---|{"---|" * len(others)}',
    ]
    for standing in standings:
        minutes = '' if standing.minutes is None else f'{standing.minutes:g}'
        ratios = [ratio_of(np.array(standing.costs), np.array(other.costs)) for other in others]
        cells = [standing.name, minutes, Path(standing.bundle).name, str(standing)]
        lines.append('| ' + ' | '.join([*cells, *(with_interval(*ratio) for ratio in ratios)]) + ' |')
    return '\n'.join(lines)
