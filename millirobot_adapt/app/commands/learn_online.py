"""`millirobot learn`: walk, train and serve side by side, live or in lock-step."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from millirobot_adapt.app.commands.learn import need_torch, parse_settings, setting_text
from millirobot_adapt.app.commands.shared import add_command, add_common, add_force, between, check_free
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, user_path


def add(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, 'learn', _learn)
    add_common(parser, '--robot')
    parser.add_argument('--minutes', type=float, help='how long (default: 20)')
    parser.add_argument(
        '--out', type=user_path, help='where run folders go (default: runs); with --lockstep the folder to write'
    )
    parser.add_argument('--condition', default='', help='what the mock walks on (default: carpet; a rover: flat)')
    add_common(parser, '--seed')
    parser.add_argument(
        '--set', action='append', default=[], metavar='NAME=VALUE', dest='settings',
        help='a parameter of learning (learn.random_share=0.5), of training (train.hidden=64,64) or, live, of a node '
        '(controller.planner.samples=100)',
    )  # fmt: skip
    live = parser.add_argument_group('live')
    live.add_argument('--port', default='', help="serial port of the robot's radio or bus (default: the mock robot)")
    live.add_argument(
        '--no-mock', action='store_true', help='the robot is here though no port is named: it takes velocity commands'
    )
    live.add_argument('--resume', type=user_path, metavar='RUN', help='go on with what an earlier run has learned')
    lockstep = parser.add_argument_group('in lock-step')
    lockstep.add_argument('--lockstep', action='store_true', help='walk with the mock on a clock of its own')
    lockstep.add_argument(
        '--rate', type=between(float, 0.1, 1e6), default=7.0,
        help='gradient steps for each second of the clock (default: %(default)s)',
    )  # fmt: skip
    lockstep.add_argument('--batch', action='store_true', help='collect at random first, then train')
    lockstep.add_argument(
        '--marks', type=_minutes, default=(), metavar='MINUTES',
        help='minutes walked after which the newest model is judged, such as 5,10,20',
    )  # fmt: skip
    lockstep.add_argument(
        '--walks', type=between(int, 1, 1000), default=20, help='walks that judge a model (default: %(default)s)'
    )
    lockstep.add_argument(
        '--change-at', type=between(float, 0.1, 600.0), default=0.0, metavar='MINUTES',
        help='minutes walked after which the mock walks on --then; the newest model is judged on both',
    )  # fmt: skip
    lockstep.add_argument('--then', default='', metavar='CONDITION', help='what it walks on from then on')
    lockstep.add_argument(
        '--seeds', type=between(int, 1, 100), default=0, metavar='N',
        help='N sittings side by side, from --seed on, and N in batch for each of --marks: cost against time as a '
        'table and a figure; the same command goes on where an earlier one ended',
    )  # fmt: skip
    add_force(lockstep)
    judging = parser.add_argument_group('judging')
    judging.add_argument(
        '--judge', type=user_path, nargs='+', metavar='RUN',
        help='do not learn: let the models that these sittings, live or in lock-step, had after each of --marks walk '
        '--walks paths in lock-step on --condition; equal walks for all',
    )  # fmt: skip
    judging.add_argument(
        '--beside', nargs='+', metavar='MODEL', help='models to compare with (default: the one that ships for --robot)'
    )


def _minutes(text: str) -> tuple[float, ...]:
    return tuple(sorted(float(part) for part in text.split(',')))


def _learn(args: argparse.Namespace) -> int:
    """Learn a model in one sitting: the robot walks while the model is trained.

    The robot walks at random inside a circle, later along paths with the newest model; beside it a model is trained on
    all that was walked, and swapped in when it predicts held-out walks better. With the mock or, with --port, a robot,
    in real time; with --lockstep on the mock with a clock of its own.

    Exit codes: 0 learned to the end, 1 ended early, 2 bad input, 130 interrupted.
    """
    if args.judge:
        return _judge(args)
    if args.beside:
        raise UserError('--beside: belongs to --judge RUN')
    need_torch()
    return _lockstep(args) if args.lockstep else _live(args)


def split_settings(
    settings: Sequence[str], minutes: float | None, seed: int, option: str = '--set '
) -> tuple[Any, Any, list[str]]:
    """Return how to learn, how to train, and the settings of nodes.

    Args:
        settings: `learn.NAME=VALUE`, `train.NAME=VALUE` or `NODE.PARAMETER=VALUE`.
        minutes: How long to learn [min]; None: as `LearnConfig` says.
        seed: Of learning and training.
        option: Where the settings were given, for errors.

    Raises:
        UserError: an unknown name, a wrong value.
    """
    from millirobot_adapt.learning.online.learn_config import SITTING_TRAINING, LearnConfig
    from millirobot_adapt.learning.train_config import TrainConfig

    own: dict[str, list[str]] = {'learn': [], 'train': []}
    others = []
    for setting in settings:
        group, _, rest = setting.partition('.')
        if group in own:
            own[group].append(rest)
        else:
            others.append(setting)
    usual = [f'{name}={setting_text(value)}' for name, value in SITTING_TRAINING.items()]
    given = [] if minutes is None else [f'minutes={minutes}']
    learn = parse_settings(LearnConfig, [*given, f'seed={seed}', *own['learn']], option)
    return learn, parse_settings(TrainConfig, [f'seed={seed}', *usual, *own['train']], option), others


def _lockstep(args: argparse.Namespace) -> int:
    from millirobot_adapt.bringup.robot_choice import FLOORS
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.experiments.learning_curve import write_curve
    from millirobot_adapt.experiments.lockstep_learning import LockstepLearning, learn_in_lockstep
    from millirobot_adapt.learning.online.learning_page import write_learning_page
    from millirobot_adapt.learning.online.progress_file import FILE

    learn, train, others = split_settings(args.settings, args.minutes, args.seed)
    live = {'--port': args.port, '--no-mock': args.no_mock, '--resume': args.resume, f'--set {others[:1]}': others}
    for name, value in live.items():
        if value:
            raise UserError(f'{name}: belongs to a live run, leave it or --lockstep out')
    if args.out is None:
        raise UserError('--lockstep: needs --out DIR, the folder to write')
    if bool(args.change_at) != bool(args.then) or (args.change_at and (args.batch or args.seeds)):
        raise UserError('--change-at MINUTES and --then CONDITION: name both, without --batch and --seeds')
    if args.change_at >= learn.minutes:
        raise UserError(
            f'--change-at {args.change_at:g}: the sitting is over by then; say --minutes with more than that'
        )
    condition = args.condition or FLOORS[load_robot(args.robot).driver.kind]
    what = LockstepLearning(
        args.robot,
        condition,
        learn,
        train,
        args.out,
        args.rate,
        args.batch,
        args.marks,
        args.walks if args.marks else 0,
        change_at=args.change_at,
        then=args.then,
    )
    if args.seeds:
        if not args.marks:
            raise UserError('--seeds: needs --marks, the minutes walked after which models are judged, such as 5,10,20')
        make_folder(args.out)
        print(write_curve(what, range(args.seed, args.seed + args.seeds)))
        return 0
    check_free(args.out, args.out / FILE, 'what was learned', args.force)
    make_folder(args.out)
    (args.out / FILE).unlink(missing_ok=True)
    learn_in_lockstep(what)
    print(f'what was learned: {write_learning_page(args.out)}')
    return 0


def _judge(args: argparse.Namespace) -> int:
    from millirobot_adapt.bringup.robot_choice import FLOORS
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.core.share import default_model
    from millirobot_adapt.experiments.judge_sittings import judge_sittings, standings_table
    from millirobot_adapt.experiments.judged_walks import JudgedWalks
    from millirobot_adapt.sim.conditions import load_condition

    if not args.marks:
        raise UserError('--judge: needs --marks, the minutes after which models are judged, such as 5,10,15,20')
    robot = load_robot(args.robot)
    condition = load_condition(args.condition or FLOORS[robot.driver.kind])
    walks = JudgedWalks(args.robot, condition, args.walks, args.seed)
    beside = args.beside or [default_model(robot.name)]
    print(standings_table(judge_sittings(walks, args.judge, args.marks, beside, lambda line: print(line, flush=True))))
    return 0


def _live(args: argparse.Namespace) -> int:
    from millirobot_adapt.app.learning_live import Learning, run_learning
    from millirobot_adapt.app.learning_sitting import LearningSetup

    learn, train, others = split_settings(args.settings, args.minutes, args.seed)
    mock = not args.port and not args.no_mock
    learning = Learning(
        setup=LearningSetup(args.robot, mock, learn, train, args.resume), port=args.port, condition=args.condition,
        seed=args.seed, out=args.out or user_path('runs'), overrides=others,
    )  # fmt: skip
    return run_learning(learning, shlex.join(['millirobot', *sys.argv[1:]]))
