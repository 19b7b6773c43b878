"""Drive the mock in lock-step: by hand, with a controller of your own, and with the one that adapts.

python examples/drive_the_mock.py [SECONDS]
"""

import sys

import numpy as np

from millirobot_adapt import Sim, make_controller

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
sim = Sim(condition='leg_loss', seed=0, fault_time=seconds / 2)

# One control period a call: leg velocities [rad/s] in, the estimated state and the truth out.
seen = sim.reset()
while seen.stamp < 2.0:
    seen = sim.step([30.0, 30.0])
print(f'walked {np.hypot(*seen.true_position[:2]):.2f} m in two seconds')


def towards_x(state):
    """Turn towards +x in proportion to the heading."""
    yaw = np.arctan2(state[11], state[10])
    return np.clip([30.0 + 20.0 * yaw, 30.0 - 20.0 * yaw], 0.0, 60.0)


own = sim.walk(towards_x, path='straight', seconds=seconds)
ours = sim.walk(make_controller('velociroach_rebal', parameters={'planner.samples': 100}), 'straight', seconds)
print(f'cost a step: {own.cost:.2f} for the function above, {ours.cost:.2f} for the controller that adapts')

axes = own.plot(label='own function')
ours.plot(axes, label='adapting controller')
axes.figure.savefig('mock.png')
print('picture: mock.png')
