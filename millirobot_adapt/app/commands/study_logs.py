"""What `evaluate-log` and `study` share: options of the runs they learn from, and how those are read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millirobot_adapt.learning.log_rollouts import Log


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Add what the lab's logs do not say of themselves."""
    parser.add_argument(
        '--robot', default='velociroach', help="robot of the lab's logs, by name or file (default: %(default)s)"
    )
    parser.add_argument(
        '--params', default='estimator.yaml',
        help="the filter's parameters for the lab's logs, by name or file (default: %(default)s)",
    )  # fmt: skip


def read_logs(args: argparse.Namespace, *groups: Sequence[Path]) -> list[list[Log]]:
    """Read the runs of each group.

    Raises:
        UserError: no such robot or parameter file; a run that is not there or cannot be learned from.
    """
    from millirobot_adapt.core.config import read_params
    from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.core.share import find
    from millirobot_adapt.learning.log_rollouts import read_log

    estimator = read_params(find('params', args.params), 'estimator', EstimatorNodeConfig)
    robot = load_robot(args.robot)
    return [[read_log(path, estimator, robot) for path in paths] for paths in groups]


def given(args: argparse.Namespace, *names: str) -> list[str]:
    """Return the options that were given, as NAME=VALUE."""
    return [f'{name}={getattr(args, name)}' for name in names if getattr(args, name) is not None]
