"""Run every method under every condition on every shape with every seed, on several processes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from joblib import Parallel, delayed
from tqdm import tqdm

from millirobot_adapt.experiments.story import Episode, Story, summarise

SPANS = ('all', 'after_fault')
"""What a row sums up: the whole episode, or what came after its first fault."""


@dataclass(frozen=True)
class Grid:
    """What is crossed with what."""

    methods: Sequence[str]
    conditions: Sequence[str]
    shapes: Sequence[str]
    seeds: int
    seconds: float
    params: str
    estimator_params: str

    def stories(self) -> list[Story]:
        """List the stories; methods meet the same conditions and seeds, so their results pair up."""
        crossed = itertools.product(self.conditions, self.shapes, range(self.seeds), self.methods)
        return [
            Story(method, condition, shape, seed, self.seconds, self.params, self.estimator_params)
            for condition, shape, seed, method in crossed
        ]


def run_grid(grid: Grid, jobs: int, run: Callable[[Story], Episode]) -> list[Episode]:
    """Run all stories, `jobs` at a time (-1: one for each core), in the order of `Grid.stories`."""
    stories = grid.stories()
    running = Parallel(n_jobs=jobs, return_as='generator')(delayed(run)(story) for story in stories)
    return list(tqdm(running, total=len(stories), desc='episodes', file=sys.stderr, disable=None))


def rows_of(episodes: Sequence[Episode], dt: float) -> list[dict[str, object]]:
    """Sum up each episode in long form: one row for each story and span."""
    rows: list[dict[str, object]] = []
    for episode in episodes:
        story = episode.story
        for span in SPANS:
            summary = summarise(episode.table, dt, after_fault=span == 'after_fault')
            if summary is None:
                continue
            key = {
                'condition': story.condition,
                'shape': story.shape,
                'method': story.method,
                'seed': story.seed,
                'span': span,
            }
            rows.append(key | asdict(summary) | {'ended': episode.ended})
    return rows
