"""`millirobot train` and `export-model`: from collected data to a model bundle."""

from __future__ import annotations

import argparse
import functools
import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, add_force, between, check_free
from millirobot_adapt.core.config import Config, build, flatten, nest
from millirobot_adapt.core.errors import UserError, closest, not_one_of
from millirobot_adapt.core.files import user_path
from millirobot_adapt.core.robot.description import load_robot

if TYPE_CHECKING:  # it needs PyTorch
    from millirobot_adapt.learning.rollout_file import CollectedRollouts
    from millirobot_adapt.learning.session import Rounds


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    train = add_command(subparsers, 'train', _train)
    train.add_argument(
        '--data', type=user_path, required=True, nargs='+', metavar='DATA',
        help='what to train on: files that `collect` wrote, bags, run folders',
    )  # fmt: skip
    train.add_argument(
        '--from', type=user_path, dest='start', metavar='RUN_OR_BUNDLE',
        help='begin with a model that was trained before: its method, network and normalisation; only --data is new',
    )  # fmt: skip
    train.add_argument(
        '--method', help='mb, grbal, rebal, ...: docs/training.md lists them (default: grbal, or that of --from)'
    )
    train.add_argument('--out', type=user_path, required=True, metavar='DIR', help='run folder to write')
    add_force(train)
    train.add_argument(
        '--resume', action='store_true',
        help='go on with the training in --out that was interrupted: same data, same parameters',
    )  # fmt: skip
    add_common(train, '--seed')
    train.add_argument('--threads', type=int, default=1, help='threads of PyTorch (default 1)')
    train.add_argument(
        '--set', action='append', default=[], metavar='NAME=VALUE', dest='settings',
        help='another parameter of training, e.g. --set window=16 --set hidden=512,512,512; an unknown name lists all',
    )  # fmt: skip
    train.add_argument(
        '--rounds', type=between(int, 0, 100), default=0,
        help='further rounds of training, each after walking on the mock with the model so far (default: %(default)s)',
    )  # fmt: skip
    train.add_argument(
        '--round-minutes',
        type=float,
        default=5.0,
        help='simulated time walked before each round (default: %(default)s)',
    )
    train.add_argument(
        '--round', type=user_path, nargs='+', action='append', default=[], metavar='RUN', dest='recorded',
        help='runs that were walked with the model so far: a further round of training, in which they join the data; '
        'may be repeated, the oldest round first',
    )  # fmt: skip

    export = add_command(subparsers, 'export-model', _export)
    export.add_argument('training_run', type=user_path, metavar='RUN', help='run folder that `train` wrote')
    export.add_argument('--out', type=user_path, required=True, metavar='DIR', help='bundle to write, e.g. models/mine')
    add_force(export)
    export.add_argument('--robot', help='robot of the data, by name or file (default: the one that the data name)')


def _train(args: argparse.Namespace) -> int:
    """Train a dynamics network on collected rollouts."""
    from millirobot_adapt.core.dynamics.method_factory import METHODS

    if args.method not in (None, *METHODS):
        raise UserError(f'--method: {not_one_of(args.method, METHODS)}')
    need_torch()
    from millirobot_adapt.learning import session
    from millirobot_adapt.learning.learner_file import load_start
    from millirobot_adapt.learning.sources import load_data
    from millirobot_adapt.learning.train_config import TrainConfig
    from millirobot_adapt.learning.training_run import ARRAYS

    if args.resume and (args.rounds or args.recorded):
        raise UserError('--resume: only a training without further rounds can go on; leave one of the two out')
    check_free(args.out, args.out / ARRAYS, 'a trained run', args.force)
    settings = [f'seed={args.seed}', f'threads={args.threads}', *args.settings]
    config = parse_settings(TrainConfig, [f'method={args.method or "grbal"}', *settings])
    data, start = load_data(args.data), None
    if args.start:
        start = load_start(args.start, load_robot(data.metadata['robot']))
        config = parse_settings(TrainConfig, [*_fixed(args, start.record), *settings])
    rounds = _rounds(args, data)
    session.train(data, args.out, config, rounds=rounds, resume=args.resume, start=start)
    print(f'{args.out}: trained; next: millirobot export-model {args.out} --out models/NAME')
    return 0


def _fixed(args: argparse.Namespace, record: Mapping[str, Any]) -> list[str]:
    """Return what cannot change in a model to begin with, as NAME=VALUE.

    Raises:
        UserError: the user asks for another method, window or network.
    """
    from millirobot_adapt.learning.train_config import fixed_parameters

    given = dict(setting.partition('=')[::2] for setting in args.settings)
    given |= {'method': args.method} if args.method else {}
    fixed = fixed_parameters(record)
    texts = {name: setting_text(value) for name, value in fixed.items()}
    for name, text in texts.items():
        if given.get(name, text) != text:
            raise UserError(f'--from {args.start}: has {name} {text}, which stays; leave {name}={given[name]} out')
    return [f'{name}={text}' for name, text in texts.items()]


def _rounds(args: argparse.Namespace, data: CollectedRollouts) -> Rounds | None:
    """Return further rounds of training: recorded ones, or walks on the mock; None where there are none.

    Raises:
        UserError: both are asked for; the mock is to walk, but the data are those of a robot; as `load_rounds`.
    """
    from millirobot_adapt.learning.session import recorded_rounds
    from millirobot_adapt.learning.sources import load_rounds

    if args.recorded and args.rounds:
        raise UserError('--rounds: walks on the mock, but --round names what was walked; leave one of the two out')
    if args.recorded:
        return recorded_rounds(load_rounds(args.recorded, data))
    return mock_rounds(args.rounds, args.round_minutes, args.seed, data.metadata) if args.rounds else None


def mock_rounds(count: int, minutes: float, seed: int, metadata: Mapping[str, Any]) -> Rounds:
    """Return rounds between which the mock walks with the model so far, under the data's condition if they have one.

    Args:
        count: Rounds after the first.
        minutes: Simulated time walked before each [min].
        seed: Of the walks.
        metadata: Of the data that training begins with.

    Raises:
        UserError: those data are not of the mock, or the condition that they name is no longer there.
    """
    from millirobot_adapt.experiments.on_policy import OnPolicyConfig, walk_on_policy
    from millirobot_adapt.learning.session import Rounds
    from millirobot_adapt.sim.conditions import load_condition

    if metadata['origin'] != 'mock':
        raise UserError(
            '--rounds walks on the mock, but the data are not of the mock; walk with your robot and the model, then '
            'name these runs with --round'
        )
    condition = str(metadata.get('condition') or '')
    if condition:
        load_condition(condition)  # a condition that is gone is found out now, not after a round of training
    config = OnPolicyConfig(minutes=minutes, condition=condition, seed=seed)
    walk = functools.partial(walk_on_policy, config, metadata['robot'])
    where = f' under {condition}' if condition else ''
    return Rounds(count, walk, f'on the mock{where}, {minutes:g} min, seed {seed}')


def _export(args: argparse.Namespace) -> int:
    """Turn a training run into a model bundle."""
    need_torch()
    from millirobot_adapt.core.dynamics.bundle import MANIFEST
    from millirobot_adapt.learning import session

    check_free(args.out, args.out / MANIFEST, 'a model bundle', args.force)
    session.export(args.training_run, args.out, load_robot(args.robot) if args.robot else None)
    print(f'{args.out}: written')
    return 0


def parse_settings(cls: type[Config], settings: list[str], option: str = '--set ') -> Any:
    """Build a `cls` from texts like 'augment.turn=0.5'; `option` says in errors where they were given.

    Raises:
        UserError: not NAME=VALUE, an unknown name (the known ones are listed), a value of the wrong type or range.
    """
    known = flatten(cls())
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition('=')
        if not equals:
            raise UserError(f'{option}{setting}: must be NAME=VALUE')
        if name not in known:
            near = closest(name, known)
            hint = f'did you mean {near!r}?' if near else f'known are {", ".join(known)}'
            raise UserError(f'{option}{setting}: unknown parameter; {hint}')
        values[name] = _parse(text, known[name], f'{option}{setting}')
    return build(cls, nest(values), option.strip())


def setting_text(value: Any) -> str:
    """Return a value as `parse_settings` reads it."""
    return ','.join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _parse(text: str, default: Any, where: str) -> Any:
    """Read a value of the same type as the default."""
    try:
        if isinstance(default, bool):
            return {'true': True, 'false': False}[text.lower()]
        if isinstance(default, list):
            return [type(default[0])(part) for part in text.split(',')]
        return type(default)(text)
    except (ValueError, KeyError):
        raise UserError(f'{where}: {text!r} is not of type {type(default).__name__}') from None


def need_torch() -> None:
    """Say what to install where PyTorch or onnx is not.

    Raises:
        UserError: one of them is missing.
    """
    for library in ('torch', 'onnx'):
        if importlib.util.find_spec(library) is None:
            raise UserError(f"{library} is not installed; training needs it: pip install 'millirobot_adapt[train]'")
