"""The trainer of a live run, a process of its own: it reads what was walked, trains, and leaves bundles.

It knows no ROS: walks come as files in `legs/` of the run folder, bundles go to `models/`, rows to `progress.jsonl`. It
ends when the process that started it is gone. Killed and started again it goes on from its newest bundle.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.learning.learner_file import load_start
from millirobot_adapt.learning.online.learner import Learner
from millirobot_adapt.learning.online.progress_file import ProgressFile
from millirobot_adapt.learning.online.sitting_folder import LEGS, MODELS, newest_bundle, read_settings
from millirobot_adapt.learning.rollout_file import load_rollouts

PAUSE = 0.5
"""Time between two looks for data while training waits [s]."""


def learn_beside(folder: Path, parent: int) -> None:
    """Train on what comes into the run folder until the process `parent` is no longer ours.

    Raises:
        UserError: the settings are wrong; a walk cannot be read.
    """
    name, learn, train = read_settings(folder)
    robot = load_robot(name)
    os.nice(learn.niceness)  # the control loop goes first
    torch.set_num_threads(train.threads)
    progress, newest = ProgressFile(folder), newest_bundle(folder)
    start = load_start(newest, robot) if newest else None
    learner = Learner(train, learn, robot, folder / MODELS, start)
    taken: set[str] = set()
    began = time.monotonic()
    while os.getppid() == parent:
        for path in sorted((folder / LEGS).glob('*.npz')):
            if path.name not in taken:
                learner.take(path.name, load_rollouts(path))
                taken.add(path.name)
        if learner.waiting:
            time.sleep(PAUSE)
            continue
        look = learner.work()
        row: dict[str, Any] = {'step': look.step, 'held_out': look.held_out, 'position': look.position}
        progress.add(wall_s=time.time(), ticks=learner.transitions, waits=look.waits, **row)
        made = learner.serve(time.monotonic() - began)
        if made is not None:
            progress.add(wall_s=time.time(), bundle=made.name, ticks=learner.transitions)


def main() -> int:
    """Run the trainer beside the process that started it."""
    try:
        learn_beside(Path(sys.argv[1]), os.getppid())
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
