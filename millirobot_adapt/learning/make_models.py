"""Make a family of models by a recipe: collect once, train several at a time, export each.

What an earlier call has left in the work folder is kept as far as it is what this call would make again: the rollouts
if they were collected with the same parameters, a training run if data, parameters and version are the same.
"""

from __future__ import annotations

import functools
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from tqdm import tqdm

from millirobot_adapt import __version__
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.learning import session
from millirobot_adapt.learning.collect import collect, describe
from millirobot_adapt.learning.recipe import Recipe
from millirobot_adapt.learning.rollout_file import CollectedRollouts, load_rollouts
from millirobot_adapt.learning.session import Rounds
from millirobot_adapt.learning.train_config import TrainConfig
from millirobot_adapt.learning.training_run import load_training_run

ROLLOUTS, RUNS, COPIES, LOG = 'rollouts.npz', 'runs', 'copies', 'training.log'
"""The contents of the work folder: data, a run folder for each model, bundles that do not ship; a log in each run."""


@dataclass(frozen=True)
class Job:
    """One model to make."""

    name: str
    config: TrainConfig
    rollouts: Path
    digest: str
    """Hash of the rollouts."""
    run: Path
    """Folder of the training run."""
    bundle: Path
    robot: RobotConfig
    rounds: Rounds | None
    """Further rounds of training; None: none."""

    @property
    def rounds_record(self) -> dict[str, Any] | None:
        """What a training run with these rounds keeps of them."""
        return None if self.rounds is None else self.rounds.record(self.digest)


def make_models(
    recipe: Recipe,
    work: Path,
    out: Path,
    jobs: int,
    rollouts: CollectedRollouts | None = None,
    rounds: Rounds | None = None,
) -> list[dict[str, Any]]:
    """Make every model of the recipe; return a row for each, in the recipe's order.

    Args:
        recipe: What to make.
        work: Folder for rollouts, training runs and copies.
        out: Folder for the bundles that ship.
        jobs: Processes.
        rollouts: Data of one's own to train on; None: collect what the recipe says.
        rounds: Further rounds of training of every model; None: none. It goes to other processes by pickle.

    Raises:
        UserError: the data are too few; a folder cannot be written.
    """
    make_folder(work)
    make_folder(out)
    file = work / ROLLOUTS
    if rollouts is None:
        rollouts = _collected(recipe, file, jobs)
    else:
        rollouts.save(file)
    made = [
        Job(name, config, file, rollouts.digest(), work / RUNS / name, folder / name, recipe.robot, rounds)
        for models, folder in ((recipe.models, out), (recipe.copies, work / COPIES))
        for name, config in models.items()
    ]
    rows = {row['model']: row for row in (map(_do, made) if jobs == 1 else _in_parallel(made, jobs))}
    return [rows[job.name] for job in made]


def _collected(recipe: Recipe, file: Path, jobs: int) -> CollectedRollouts:
    """Return the rollouts that the recipe asks for, from an earlier call if they are there."""
    if file.is_file():
        found = load_rollouts(file)
        if found.metadata == describe(recipe.collect, recipe.robot):
            return found
    rollouts = collect(replace(recipe.collect, jobs=jobs), recipe.robot)
    rollouts.save(file)
    return rollouts


def _in_parallel(made: list[Job], jobs: int) -> Iterator[dict[str, Any]]:
    """Do the jobs in processes, each with a line for its progress bar; yield their rows as they are done."""
    context = multiprocessing.get_context('spawn')  # PyTorch's threads do not survive a fork
    places: Queue[int] = context.Queue()
    for place in range(jobs):
        places.put(place)
    with ProcessPoolExecutor(jobs, context, _begin, (context.RLock(), places)) as pool:
        futures = [pool.submit(_do, job) for job in made]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


_place = 0
"""Line of this process's progress bar."""


def _begin(lock: Any, places: Queue[int]) -> None:
    """Begin a process: take a line of the terminal for its own, and the lock on writing there."""
    global _place
    tqdm.set_lock(lock)
    _place = places.get()


def _do(job: Job) -> dict[str, Any]:
    """Train one model unless it has been, export it, and return its row."""
    begin = time.monotonic()
    there = _is_done(job)
    if not there:
        job.run.mkdir(parents=True, exist_ok=True)
        with (job.run / LOG).open('w', encoding='utf-8') as log:
            say = functools.partial(print, file=log)
            session.train(load_rollouts(job.rollouts), job.run, job.config, say, _place, job.rounds)
    session.export(job.run, job.bundle, job.robot)
    training = load_training_run(job.run).record['training']
    return {
        'model': job.name,
        'method': job.config.method,
        'seed': job.config.seed,
        'before': training['validation']['before'],
        'after': training['validation']['after'],
        'minutes': None if there else round((time.monotonic() - begin) / 60, 1),
        'bundle': str(job.bundle),
    }


def _is_done(job: Job) -> bool:
    """Tell whether the run folder holds what training would make again."""
    try:
        record = load_training_run(job.run).record
    except UserError:
        return False
    training = record['training']
    same = training['version'] == __version__ and training['parameters'] == flatten(job.config)
    if job.rounds is None:
        return bool(same and record['data']['sha256'] == job.digest)
    return bool(same and training.get('rounds') == job.rounds_record)


def format_rows(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table in markdown: errors on the validation part, before and after adaptation."""
    lines = [
        '| model | one-step error | position [mm] | heading [rad] | training [min] | bundle |',
        '|---|---|---|---|---|---|',
    ]
    for row in rows:
        before, after = row['before'], row['after']
        minutes = 'was there' if row['minutes'] is None else f'{row["minutes"]:.1f}'
        cells = (
            row['model'],
            f'{before["one_step"]:.3f} -> {after["one_step"]:.3f}',
            f'{1e3 * before["position"]:.1f} -> {1e3 * after["position"]:.1f}',
            f'{before["heading"]:.3f} -> {after["heading"]:.3f}',
            minutes,
            row['bundle'],
        )
        lines.append(f'| {" | ".join(cells)} |')
    return '\n'.join(lines)
