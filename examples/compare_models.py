"""Find out which of several models predicts a recorded run best, before and after it adapts.

python examples/compare_models.py RUN [MODEL ...]
"""

import sys

from millirobot_adapt import load_model, load_run, prediction_errors

run = load_run(sys.argv[1] if len(sys.argv) > 1 else 'runs/latest')
names = sys.argv[2:] or ['velociroach_mb', 'velociroach_rebal']

print(f'{len(run.states)} states over {run.times[-1]:.0f} s; distance between predicted and walked position [cm]')
print(f'{"model":24}{"ahead [s]":>10}{"before":>9}{"after":>9}')
for name in names:
    model = load_model(name)
    for horizon, errors in prediction_errors(run, model).items():
        before, after = errors['position_m']['before'], errors['position_m']['after']
        if before is not None:
            print(f'{model.name:24}{horizon * run.dt:10.1f}{100 * before:9.2f}{100 * after:9.2f}')
