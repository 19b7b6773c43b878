"""Drive a small legged robot that re-adapts its dynamics model at every step.

Letters used throughout: K sampled action sequences, H planning horizon, T1 past transitions used to adapt, T2 future
transitions the meta-loss looks at, nx = 24 states, nu = 2 actions, theta* meta-learned parameters, theta' adapted
parameters, dt = 0.1 s the control period; s_k and a_k are state and action of tick k.
"""

__version__ = '0.1.0'
