"""Lay out the figures of a replay for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEGREES = 57.29577951308232


def table(figures: Mapping[str, Any]) -> str:
    """Return the errors of predicting, a row a rollout, then all together; then planning and speed."""
    horizons = list(figures['all'])
    name_width = max(len('all'), *(len(rollout['name']) for rollout in figures['rollouts']))
    heading = ' | '.join(f'{f"H = {horizon}: position [mm]":^21} {"heading [deg]":^15}' for horizon in horizons)
    lines = [f'parameters: {figures["parameters"]}']
    lines += [f'mean error before > after adaptation ({figures["model"]}, {figures["method"]})', '']
    lines.append(f'{"":{name_width}} {"ticks":>6}  {heading}'.rstrip())
    ticks = sum(rollout['ticks'] for rollout in figures['rollouts'])
    rows = [(rollout['name'], rollout['ticks'], rollout['errors']) for rollout in figures['rollouts']]
    for name, count, errors in [*rows, ('all', ticks, figures['all'])]:
        cells = ' | '.join(_cell(errors[horizon]) for horizon in horizons)
        lines.append(f'{name:{name_width}} {count:6d}  {cells}'.rstrip())
    if figures['planning'] is not None:
        lines += ['', *_planning(figures['planning'])]
    duration, predict = figures['duration_s'], figures['predict_s']
    speed = f'{duration:.1f} s of the run estimated, adapted to and predicted in {predict:.1f} s'
    return '\n'.join([*lines, '', f'{speed} ({duration / predict:.0f} times real time)'])


def _cell(errors: Mapping[str, Any]) -> str:
    position, heading = errors['position_m'], errors['heading_rad']
    if position['before'] is None:
        return f'{"-":^21} {"-":^15}'
    moved = f'{1000 * position["before"]:.1f} > {1000 * position["after"]:.1f}'
    turned = f'{DEGREES * heading["before"]:.1f} > {DEGREES * heading["after"]:.1f}'
    return f'{moved:^21} {turned:^15}'


def _planning(planning: Mapping[str, Any]) -> list[str]:
    recorded = planning['recorded']
    if recorded is None:
        text = f'planned {planning["ticks"]} ticks, {_text(planning["work_ms"], 1)} ms each'
        return [f'{text}, next action off the one sent by {_differences(planning["action_difference"])}']
    errors = ((name, recorded[key]) for name, key in (('theta*', 'pre_error'), ("theta'", 'post_error')))
    rows = [
        *((f'error of the next transition, {name}', each['recorded'], each['replayed'], 3) for name, each in errors),
        ('executed cost per step', recorded['cost_per_step'], planning['cost_per_step'], 3),
        ('work a tick [ms]', recorded['work_ms'], planning['work_ms'], 1),
    ]
    lines = [f'{"":38} {"recorded":>10} {"replayed":>10}']
    lines += [f'{name:38} {_text(old, digits):>10} {_text(new, digits):>10}' for name, old, new, digits in rows]
    same = f'next action: {recorded["same_actions"]} of {recorded["ticks"]} ticks as recorded bit for bit'
    return [*lines, f'{same}, off by {_differences(recorded["action_difference"])}']


def _differences(found: Mapping[str, Any]) -> str:
    return ', '.join(f'{name} {_text(each["rms"])} {each["unit"]}' for name, each in found.items()) + ' (rms)'


def _text(number: float | None, digits: int = 2) -> str:
    return '-' if number is None else f'{number:.{digits}f}'
