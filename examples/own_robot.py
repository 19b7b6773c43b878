"""Describe a robot of your own, let its mock drive, and see what a wrong heading and weak wheels do to it.

python examples/own_robot.py [SECONDS]
"""

import sys
from pathlib import Path

import numpy as np

from millirobot_adapt import Sim

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
Path('lab_car.yaml').write_text("""\
name: lab_car
dt: 0.05
driver: {kind: twist, topic: cmd_vel, timeout: 0.5}
joints: []
effort: null
battery: null
gyro: false
actions:
  - {name: forward, unit: m/s, low: -0.4, high: 0.4, neutral: 0.0, slew: 0.1, speed_gain: 1.0, turn_gain: 0.0}
  - {name: turn, unit: rad/s, low: -1.0, high: 1.0, neutral: 0.0, slew: 0.4, speed_gain: 0.0, turn_gain: 1.0}
""")


def keep_to_the_line(state):
    """Drive along y = 0 by the place and the heading alone: no model, nothing learned."""
    place, yaw = state[1], np.arctan2(state[11], state[10])
    return [0.3, np.clip(-4.0 * place - 2.0 * yaw, -1.0, 1.0)]


for condition in ({}, {'start_yaw': 0.6}, {'wheel_gain': [1.0, 1.0, 0.5, 0.5]}):
    sim = Sim('lab_car.yaml', condition, seed=1)
    walk = sim.walk(keep_to_the_line, path='straight', seconds=seconds)
    off = 100 * np.abs(walk.table['cross_track']).mean()
    print(f'{condition or "as built"}: {walk.table["x"][-1]:.2f} m far, {off:.1f} cm off the line')
