"""`millirobot collect`, `train` and `export-model`: from the mock to a model bundle."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

from millirobot_adapt.core.config import Config, build, flatten, nest
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.robot import load_robot


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    collect = subparsers.add_parser('collect', help='collect rollouts of the mock robot under a random policy')
    collect.add_argument('--out', type=Path, required=True, metavar='FILE.npz', help='file to write')
    collect.add_argument('--minutes', type=float, default=60.0, help='simulated time (default 60)')
    collect.add_argument('--seed', type=int, default=0, help='seed of everything random (default 0)')
    collect.add_argument('--jobs', type=int, default=1, help='processes (default 1)')
    collect.add_argument('--robot', default='velociroach', help='robot, by name or file (default velociroach)')
    collect.add_argument(
        '--condition', default='', help='walk under this condition: a name or a file (default: hidden, drawn ones)'
    )
    collect.set_defaults(run=run_collect)

    train = subparsers.add_parser('train', help='train a dynamics network on collected rollouts')
    train.add_argument('--data', type=Path, required=True, metavar='FILE.npz', help='rollouts to train on')
    train.add_argument('--method', default='grbal', help='mb, grbal or grbal_literal (default grbal)')
    train.add_argument('--out', type=Path, required=True, metavar='DIR', help='run folder to write')
    train.add_argument('--seed', type=int, default=0, help='seed of everything random (default 0)')
    train.add_argument('--threads', type=int, default=1, help='threads of PyTorch (default 1)')
    train.add_argument(
        '--set', action='append', default=[], metavar='NAME=VALUE', dest='settings',
        help='another parameter of training, e.g. --set window=16 --set hidden=512,512,512; an unknown name lists all',
    )  # fmt: skip
    train.set_defaults(run=run_train)

    export = subparsers.add_parser('export-model', help='turn a training run into a model bundle')
    export.add_argument('training_run', type=Path, metavar='RUN', help='run folder that `train` wrote')
    export.add_argument('--out', type=Path, required=True, metavar='DIR', help='bundle to write, e.g. models/mine')
    export.add_argument('--robot', default='velociroach', help='robot, by name or file (default velociroach)')
    export.set_defaults(run=run_export)


def run_collect(args: argparse.Namespace) -> int:
    """Collect."""
    from millirobot_adapt.learning.collect import CollectConfig, collect

    config = CollectConfig(minutes=args.minutes, seed=args.seed, jobs=args.jobs, condition=args.condition)
    rollouts = collect(config, load_robot(args.robot))
    rollouts.save(args.out)
    print(f'{args.out}: {rollouts.valid.size} transitions, {100 * rollouts.valid.mean():.1f} % usable')
    return 0


def run_train(args: argparse.Namespace) -> int:
    """Train."""
    need_torch()
    from millirobot_adapt.learning import session
    from millirobot_adapt.learning.rollouts import load_rollouts
    from millirobot_adapt.learning.train_config import TrainConfig

    named = [f'{name}={getattr(args, name)}' for name in ('method', 'seed', 'threads')]
    config = parse_settings(TrainConfig, [*named, *args.settings])
    session.train(load_rollouts(args.data), args.out, config)
    print(f'{args.out}: trained; next: millirobot export-model {args.out} --out models/NAME')
    return 0


def run_export(args: argparse.Namespace) -> int:
    """Export."""
    need_torch()
    from millirobot_adapt.learning import session

    session.export(args.training_run, args.out, load_robot(args.robot))
    print(f'{args.out}: written')
    return 0


def parse_settings(cls: type[Config], settings: list[str]) -> Any:
    """Build a `cls` from texts like 'augment.turn=0.5'.

    Raises:
        UserError: not NAME=VALUE, an unknown name (the known ones are listed), a value of the wrong type or range.
    """
    known = flatten(cls())
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition('=')
        if not equals:
            raise UserError(f'--set {setting}: must be NAME=VALUE')
        if name not in known:
            raise UserError(f'--set {setting}: unknown parameter; known are {", ".join(known)}')
        values[name] = _parse(text, known[name], f'--set {setting}')
    return build(cls, nest(values), '--set')


def _parse(text: str, default: Any, where: str) -> Any:
    """Read a value of the same type as the default."""
    try:
        if isinstance(default, list):
            return [type(default[0])(part) for part in text.split(',')]
        return type(default)(text)
    except ValueError:
        raise UserError(f'{where}: {text!r} is not of type {type(default).__name__}') from None


def need_torch() -> None:
    """Say what to install where PyTorch or onnx is not.

    Raises:
        UserError: one of them is missing.
    """
    for library in ('torch', 'onnx'):
        if importlib.util.find_spec(library) is None:
            raise UserError(f"{library} is not installed; training needs it: pip install 'millirobot_adapt[train]'")
