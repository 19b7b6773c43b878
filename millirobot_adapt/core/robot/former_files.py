"""Robot files of earlier versions: turn their keys into the present ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millirobot_adapt.core.errors import UserError, closest

_OF_DRIVER = ('pid_gains', 'timeout', 'timeout_verified', 'index_before_timestamp', 'radio', 'scales')
"""Stood at the top level while imageproc was the only driver."""
_SPEEDS = ('speed_low', 'speed_high')
_PRESENT = ('driver', 'joints', 'actions')
_REQUIRED = ('name', 'driver', 'actions')
_NOISE = {'leg_angle': 'joint_angle', 'back_emf': 'effort'}
_GAINS = {'left': -0.205, 'right': 0.205}


def present_form(values: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a robot's mapping with the present keys.

    A file of an earlier version describes a VelociRoACH: two sides, legs with phase, back-EMF and battery. Only a key
    of that version says that it is one: a file with neither is no robot, and does not become a VelociRoACH.

    Raises:
        UserError: keys of both versions, or keys of the present version that are missing.
    """
    present = [key for key in _PRESENT if key in values]
    former = [key for key in (*_OF_DRIVER, *_SPEEDS) if key in values]
    if former and not present:
        return _converted(values)
    if former:
        of_driver = f'driver: {{kind: imageproc, {former[0]}: ...}}'
        place = 'low and high of the actions' if former[0] in _SPEEDS else of_driver
        raise UserError(f'{source}: {former[0]} has moved: write {place}')
    missing = [key for key in _REQUIRED if key not in values]
    if missing:
        raise UserError(f'{source}: {_are_missing(missing, values)}')
    absent = {key: None for key in ('effort', 'battery') if values.get(key) is False}
    return {'joints': [], 'effort': None, 'battery': None, 'gyro': False, **values, **absent}


def _are_missing(missing: list[str], values: Mapping[str, Any]) -> str:
    """Say which keys a robot's file still needs, and how to get one that has them."""
    *others, last = missing
    text = f'{", ".join(others)} and {last} are missing' if others else f'{last} is missing'
    for key in missing:
        near = closest(key, [each for each in values if each not in _REQUIRED])
        if near:
            return f'{text}; did you mean {key!r} by {near!r}?'
    return f'{text}; a file that has all keys is written by: millirobot robot new NAME --driver KIND'


def _converted(values: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: value for key, value in values.items() if key not in (*_OF_DRIVER, *_SPEEDS)}
    driver = {key: values[key] for key in _OF_DRIVER if key in values}
    scales = driver.get('scales')
    if isinstance(scales, Mapping):
        counts = scales.get('battery_low_counts', 780)
        driver['scales'] = {key: value for key, value in scales.items() if key != 'battery_low_counts'}
        scale = scales.get('battery', 0.0045)
        if isinstance(counts, int | float) and isinstance(scale, int | float):
            made['battery'] = {'low': round((counts - 0.5) * scale, 6)}  # the last reading that was low, and a half
    if driver:
        made['driver'] = {'kind': 'imageproc', **driver}
    if any(key in values for key in _SPEEDS):
        limits = {'low': values.get('speed_low', 2.0), 'high': values.get('speed_high', 9.0)}
        made['actions'] = [
            {'name': side, 'unit': 'rev/s', **limits, 'speed_gain': 0.025, 'turn_gain': gain}
            for side, gain in _GAINS.items()
        ]
    noise = made.get('sensor_noise')
    if isinstance(noise, Mapping):
        made['sensor_noise'] = {_NOISE.get(key, key): value for key, value in noise.items()}
    return made
