"""Adapt a model to the last transitions of a recorded run, predict what came next, and draw both.

    python examples/adapt_and_plot.py RUN [SECONDS]

RUN is a run folder or a bag, SECONDS the time in it (default: two seconds before its end).
"""

import sys

from millirobot_adapt import load_model, load_run, rollout

run = load_run(sys.argv[1] if len(sys.argv) > 1 else 'runs/latest')
t = float(sys.argv[2]) if len(sys.argv) > 2 else run.times[-1] - 2.0
model = load_model('velociroach_rebal')

adapted = model.adapt(run.window(t))
print(f'error over the window: {adapted.loss_before:.3f} before adapting, {adapted.loss_after:.3f} after')

walked, actions = run.ahead(t, steps=10)
before, after = rollout(model, walked[0], actions), rollout(adapted, walked[0], actions)
print(f'one second ahead: {100 * before.errors(walked)[-1, 0]:.1f} cm off before adapting', end=', ')
print(f'{100 * after.errors(walked)[-1, 0]:.1f} cm after')

axes = run.plot()
before.plot(axes, label='predicted before adapting')
after.plot(axes, label='predicted after adapting')
axes.figure.savefig('adapt.png')
print('picture: adapt.png')
