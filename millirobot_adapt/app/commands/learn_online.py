"""`millirobot learn --lockstep`: walk, train and serve side by side on the mock."""

from __future__ import annotations

import argparse
import shutil
from typing import Any

from millirobot_adapt.app.commands.learn import need_torch, parse_settings
from millirobot_adapt.app.commands.shared import add_force, between, check_free
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, user_path


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        'learn',
        help='learn a model in one sitting on the mock: it walks while the model is trained',
        description='The mock walks at random, later along paths with the newest model; beside it a model is trained '
        'on all that was walked, and walked with when it predicts held-out walks better. Walking and training share '
        'a clock of their own.',
        epilog='Exit codes: 0 learned to the end, 2 bad input, 130 interrupted.',
    )
    parser.add_argument('--robot', default='velociroach', help='robot, by name or file (default: %(default)s)')
    parser.add_argument('--minutes', type=float, help='how long (default: 20)')
    parser.add_argument('--out', type=user_path, required=True, metavar='DIR', help='folder to write')
    parser.add_argument('--condition', default='carpet', help='what the mock walks on (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed of everything random (default: %(default)s)')
    parser.add_argument(
        '--set', action='append', default=[], metavar='NAME=VALUE', dest='settings',
        help='a parameter of learning (learn.random_share=0.5) or of training (train.hidden=64,64); an unknown name '
        'lists all',
    )  # fmt: skip
    parser.add_argument(
        '--lockstep', action='store_true', required=True, help='walk with the mock on a clock of its own'
    )
    parser.add_argument(
        '--rate', type=between(float, 0.1, 1e6), default=20.0,
        help='gradient steps for each second of the clock (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument('--batch', action='store_true', help='collect at random first, then train')
    parser.add_argument(
        '--marks', type=_minutes, default=(), metavar='MINUTES',
        help='minutes walked after which the newest model is judged, such as 5,10,20',
    )  # fmt: skip
    parser.add_argument(
        '--walks', type=between(int, 1, 1000), default=8, help='walks that judge a model (default: %(default)s)'
    )
    add_force(parser)
    parser.set_defaults(run=run_learn)


def _minutes(text: str) -> tuple[float, ...]:
    return tuple(sorted(float(part) for part in text.split(',')))


def run_learn(args: argparse.Namespace) -> int:
    """Learn."""
    need_torch()
    from millirobot_adapt.experiments.lockstep_learning import LockstepLearning, learn_in_lockstep
    from millirobot_adapt.learning.online.progress_file import FILE

    learn, train = split_settings(args)
    check_free(args.out, args.out / FILE, 'what was learned', args.force)
    make_folder(args.out)
    (args.out / FILE).unlink(missing_ok=True)
    for name in ('legs', 'models'):
        shutil.rmtree(args.out / name, ignore_errors=True)
    learn_in_lockstep(
        LockstepLearning(
            args.robot, args.condition, learn, train, args.out, args.rate, args.batch, args.marks,
            args.walks if args.marks else 0,
        )
    )  # fmt: skip
    return 0


def split_settings(args: argparse.Namespace) -> tuple[Any, Any]:
    """Return how to learn, and how to train.

    Raises:
        UserError: an unknown name, a wrong value.
    """
    from millirobot_adapt.learning.online.learn_config import LearnConfig
    from millirobot_adapt.learning.train_config import TrainConfig

    own: dict[str, list[str]] = {'learn': [], 'train': []}
    for setting in args.settings:
        group, _, rest = setting.partition('.')
        if group not in own:
            raise UserError(f'--set {setting}: begins with neither learn. nor train.')
        own[group].append(rest)
    minutes = [] if args.minutes is None else [f'minutes={args.minutes}']
    learn = parse_settings(LearnConfig, [*minutes, f'seed={args.seed}', *own['learn']])
    return learn, parse_settings(TrainConfig, [f'seed={args.seed}', *own['train']])
