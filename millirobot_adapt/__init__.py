"""Drive a small legged robot that re-adapts its dynamics model at every step.

Letters used throughout: K sampled action sequences, H planning horizon, T1 past transitions used to adapt, T2 future
transitions the meta-loss looks at, nx = 24 states, nu = 2 actions, theta* meta-learned parameters, theta' adapted
parameters, dt = 0.1 s the control period; s_k and a_k are state and action of tick k.

The names in `__all__` are the Python API (docs/api.md). They are imported when they are first asked for, so that
`import millirobot_adapt` stays fast and needs no library. `__init__.pyi` gives their types.
"""

import importlib

__version__ = '0.1.0'

__all__ = (
    'AdaptedDynamics', 'DynamicsModel', 'EvaluationResult', 'Forecast', 'LoadedRun', 'PlannedPath', 'Sim', 'SimWalk',
    'cost_term', 'evaluate', 'load_model', 'load_run', 'make_controller', 'plan', 'prediction_errors', 'rollout',
)  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'{__name__}.api'), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
