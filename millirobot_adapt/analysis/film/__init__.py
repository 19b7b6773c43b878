"""Make a film of a recorded run.

`film` imports MuJoCo: call `sim.graphics.choose_backend` first. `options` and `encode` do not.
"""
