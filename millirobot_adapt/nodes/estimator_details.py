"""Lay out what the estimator knows of itself for /diagnostics."""

from __future__ import annotations

from millirobot_adapt.core.estimation.health import EstimatorHealth

UNKNOWN = 'not known'


def details(health: EstimatorHealth) -> dict[str, str]:
    """Return keys with units and values as text: poses by what became of them, innovation, clocks, gyro bias."""
    bias = health.gyro_bias
    return {
        **{f'poses {reason}': str(count) for reason, count in health.counts.items()},
        'innovation [sd]': _shown(health.innovation, '.2f'),
        'clock offset of motion capture [ms]': _shown(health.clock_offset, '+.1f', 1e3),
        'clock offset correlation': f'{health.clock_correlation:.2f}',
        'gyro bias [rad/s]': UNKNOWN if bias is None else ' '.join(f'{axis:+.3f}' for axis in bias),
    }


def _shown(value: float | None, form: str, scale: float = 1.0) -> str:
    return UNKNOWN if value is None else format(scale * value, form)
