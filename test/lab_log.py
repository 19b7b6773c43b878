"""A log as the lab keeps them (npz), for tests."""

import numpy as np


def lab_log(position, quaternion, rates, encoders, t_robot, modes, sessions):
    """Return the arrays of a log whose rollouts are of equal length.

    Args:
        position: Where the robot is on the floor [m; world], shape (n, 2).
        quaternion: Xyzw, shape (n, 4).
        rates: Leg velocities commanded [counts/s], shape (n, 2).
        encoders: Cumulative counts, shape (n, 2).
        t_robot: Time of each record [s], shape (n,).
        modes: How each rollout was commanded; 1 is by leg velocity.
        sessions: Name of each rollout's session.
    """
    n, rollouts = len(t_robot), len(modes)
    records = n // rollouts
    rng = np.random.default_rng(0)
    height = 0.05 + 1e-4 * rng.normal(size=n)
    return {
        't_robot': t_robot,
        't_mocap': t_robot - 0.004,
        'mocap_valid': np.ones(n, dtype=bool),
        'pos': np.column_stack([position, height]).astype(np.float32),
        'quat': quaternion.astype(np.float32),
        'cmd': rates.astype(np.float32),
        'enc': encoders.astype(np.int32),
        'gyro': rng.integers(-500, 500, (n, 3)).astype(np.int16),
        'bemf': np.tile(np.array([50, -60], dtype=np.int16), (n, 1)),
        'vbat': rng.integers(870, 890, n).astype(np.int16),
        'roll_start': np.arange(rollouts, dtype=np.int32) * records,
        'roll_len': np.full(rollouts, records, dtype=np.int16),
        'roll_mode': np.array(modes, dtype=np.int8),
        'roll_session': np.array(sessions),
    }
