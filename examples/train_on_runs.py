"""Train a model on your own runs in some minutes, and compare it with the shipped one. Needs PyTorch.

    python examples/train_on_runs.py RUN ... [--steps N]

Ten minutes of walking are enough to see it work; take half an hour or more, on every floor, for a model to drive with.
"""

import argparse
from pathlib import Path

from millirobot_adapt import load_model, load_run, prediction_errors
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.learning.session import export, train
from millirobot_adapt.learning.sources import load_data
from millirobot_adapt.learning.train_config import TrainConfig

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('runs', nargs='+', type=Path)
parser.add_argument('--steps', type=int, default=1500)
args = parser.parse_args()

data = load_data(args.runs)
print(f'{int(data.valid.sum())} transitions to learn from')
train(data, Path('training'), TrainConfig(method='grbal', steps=args.steps, check_every=min(100, args.steps)))
export(Path('training'), Path('my_model'), load_robot('velociroach'))

run = load_run(args.runs[-1])
for name in ('velociroach_grbal', 'my_model'):
    errors = prediction_errors(run, load_model(name))[10]['position_m']
    print(f'{name}: one second ahead {100 * errors["after"]:.1f} cm off after adapting')
