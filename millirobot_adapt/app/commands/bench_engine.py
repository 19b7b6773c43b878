"""The command `millirobot bench engine`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, add_common, between
from millirobot_adapt.core.dynamics.device_providers import DEVICE_PROVIDERS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import user_path

COUNT = between(int, 1, 100_000)


def add(benchmarks: Any) -> None:
    """Add the command."""
    engine = add_command(benchmarks, 'engine', _run)
    add_common(engine, '--robot')
    engine.add_argument(
        '--model', help='trained GrBAL bundle, by name or folder (default: the one that ships for the robot)'
    )
    engine.add_argument(
        '--quick', action='store_true', help='the size of the paper alone, 30 ticks, no quality: under a minute'
    )
    engine.add_argument(
        '--provider', choices=('cpu', *DEVICE_PROVIDERS), default='cpu',
        help='what the engines run on, as engine.provider (default: %(default)s)',
    )  # fmt: skip
    engine.add_argument('--threads', type=COUNT, help='threads of the rollouts (default: 2, or the one core there is)')
    engine.add_argument('--samples', type=COUNT, help='K of whole ticks (default: 1000)')
    engine.add_argument(
        '--chunk', type=COUNT, help='candidates of one rollout (default: 500 on the CPU, all of a tick elsewhere)'
    )
    engine.add_argument('--ticks', type=COUNT, default=100, help='ticks to time (default: %(default)s)')
    add_common(engine, '--seed')
    engine.add_argument(
        '--peers',
        action='store_true',
        help='also time pytorch_mppi with torch.func (extra `bench`), eager and compiled, in turns with ours',
    )
    engine.add_argument(
        '--planner-seeds', type=between(int, 0, 100_000), default=2,
        help='walks of each condition on which planners are compared; 0: no planners (default: %(default)s)',
    )  # fmt: skip
    engine.add_argument(
        '--walk-seconds', type=between(float, 0.0, 600.0), default=0.0,
        help='how long each planner also drives the mock itself, each walk [s] (default: %(default)g)',
    )  # fmt: skip
    engine.add_argument(
        '--figure', type=user_path, metavar='FILE.png', help='draw what plans cost with how many samples'
    )
    engine.add_argument(
        '--json', action='store_true', help='print the figures as JSON, and nothing else, on standard output'
    )


def _run(args: argparse.Namespace) -> int:
    """Measure how fast candidates are rolled out, the model adapts and a whole tick is done, beside peers.

    Measure at the paper's size (3 x 512, or as many layers as the robot's model has; T1 = 32, K = 1000, H = 15; random
    weights): the fp32 peak, the rollouts of each engine over K and H, the adaptation, whole ticks, memory, all in
    turns; then, with a trained model, how far int8 moves rollouts, and what plans cost with how many samples. Takes
    some minutes.

    Exit codes: 0 measured; 2 bad input.
    """
    from dataclasses import replace

    from tqdm import tqdm

    from millirobot_adapt.benchmarks.engine.engine_bench import SAMPLES, EngineBench, bench_engine, steps
    from millirobot_adapt.benchmarks.engine.engine_table import as_dict, table
    from millirobot_adapt.benchmarks.engine.planners import PlannerBench
    from millirobot_adapt.benchmarks.engine.planners_table import draw
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.core.share import shipped_model

    if args.seed < 0:
        raise UserError(f'--seed {args.seed}: must be at least 0')
    name = load_robot(args.robot).name
    model = args.model or shipped_model(name, 'grbal')
    if name != EngineBench.robot and args.planner_seeds and not args.quick:
        raise UserError(f'planners are compared on the mock of {EngineBench.robot}; add --planner-seeds 0')
    planners = PlannerBench(model=model, seeds=args.planner_seeds, walk_seconds=args.walk_seconds)
    bench = EngineBench(
        robot=args.robot, model=model, provider=args.provider, ticks=args.ticks, seed=args.seed,
        peers=args.peers,
        planners=planners if args.planner_seeds else None,
    )  # fmt: skip
    if args.quick:
        bench = bench.quick()
    if args.figure and not bench.planners:
        raise UserError('--figure: shows planners, and --planner-seeds 0 and --quick leave them out')
    if args.samples is not None:
        bench = replace(bench, samples=args.samples)
    if args.chunk is not None or args.provider != 'cpu':
        bench = replace(bench, chunk=args.chunk or args.samples or SAMPLES)
    if args.threads is not None:
        bench = replace(bench, threads=args.threads)
    with tqdm(total=steps(bench), desc='engine', disable=None, leave=False) as bar:
        figures = bench_engine(bench, bar.update)
    if args.figure:
        draw(args.figure, figures.planners)
    print(json.dumps(as_dict(figures), indent=2) if args.json else table(figures, bench.threads))
    return 0
