"""Rebuild `summary.json` and `report.html` of a run folder from its bag."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from millirobot_adapt import __version__
from millirobot_adapt.bags import figures
from millirobot_adapt.bags.figures import Story
from millirobot_adapt.bags.page import Card, Page, Picture, render
from millirobot_adapt.bags.plotting import styled, to_svg
from millirobot_adapt.bags.reader import open_bag
from millirobot_adapt.bags.run_data import load_run
from millirobot_adapt.bags.summary import summarise
from millirobot_adapt.bags.track import follow
from millirobot_adapt.core.config import read_yaml

PARAMETERS = 'parameters.yaml'
SUMMARY = 'summary.json'
REPORT = 'report.html'
_HASH = re.compile('[0-9a-f]{64}')
DASH, MINUS = '\u2013', '\u2212'

_PICTURES: tuple[tuple[Callable[[Story], Figure | None], str, str], ...] = (
    (figures.driven_path, 'Path driven, path wanted', 'Coloured by its distance to the path wanted (grey).'),
    (figures.cross_track, 'Distance to the path', 'Signed, positive to the left of the path.'),
    (figures.prediction, 'Predicting the next step', 'Each tick, and the running median: before and after adaptation.'),
    (figures.speed, 'Speed', 'Along the body, as estimated: each tick, and the running median.'),
    (figures.leg_rates, 'Leg rates', 'Measured (colour) against the setpoint sent (grey).'),
    (figures.tick_times, 'Ticks', 'Period, and the work of adapting and planning within it.'),
    (figures.link, 'Radio link', 'Round trip from setpoint to reply, and replies that never came.'),
)  # fmt: skip


def write_report(folder: Path) -> dict[str, Any]:
    """Write summary.json and report.html into a run folder (one that holds a bag) and return the summary.

    Raises:
        UserError: no bag there, nothing in it readable, or a parameters.yaml that is not YAML.
    """
    bag = open_bag(folder)
    home = folder if folder.is_dir() else folder.parent
    parameters = read_yaml(home / PARAMETERS) if (home / PARAMETERS).is_file() else {}
    shape = _shape(parameters)
    run = load_run(bag, shape) if shape else load_run(bag)
    track = follow(run)
    summary = summarise(run, parameters)
    story = figures.tell(run, track)
    pictures, missing = _draw(story)
    began = datetime.fromtimestamp(run.origin)
    page = Page(
        title=_title(summary, shape, story),
        eyebrow=f'millirobot run · {began:%Y-%m-%d %H:%M}',
        lead=_lead(summary, story),
        stops=[f'Stopped at {stop["time_s"]:.1f} s: {stop["reason"]}' for stop in summary['stops']],
        cards=_cards(summary, track is not None and track.true),
        pictures=pictures,
        missing=missing,
        parameters=_groups(parameters),
        footer=f'millirobot_adapt {__version__} · made from the bag in {home.resolve().name}/ · figures of {SUMMARY}',
    )
    (home / SUMMARY).write_text(json.dumps(summary, indent=2, allow_nan=False) + '\n', encoding='utf-8')
    (home / REPORT).write_text(render(page), encoding='utf-8')
    return summary


def _draw(story: Story) -> tuple[list[Picture], list[str]]:
    """Draw every picture the bag holds something for; name the others."""
    pictures, missing = [], []
    with styled():
        for draw, title, caption in _PICTURES:
            figure = draw(story)
            if figure is None:
                missing.append(title.lower())
            else:
                name = draw.__name__
                pictures.append(Picture(title, caption, to_svg(figure, name), wide=draw is figures.driven_path))
    return pictures, missing


def _shape(parameters: Mapping[str, Any]) -> str:
    """Return the name of the path that the controller was given, or nothing."""
    controller = parameters.get('controller')
    return str(controller.get('path') or '') if isinstance(controller, Mapping) else ''


def _title(summary: Mapping[str, Any], shape: str, story: Story) -> str:
    method = summary['adaptation']['method']
    return f'{shape or "Run"}, {story.span[1]:.0f} s' + (f', {method}' if method else '')


def _lead(summary: Mapping[str, Any], story: Story) -> str:
    """Say in a sentence or two what happened."""
    sentences = []
    tracking = summary['tracking']
    if tracking['progress'] is not None:
        sentences.append(
            f'The robot walked {tracking["progress"]:.1f} m along the path, '
            f'{100 * tracking["cross_track_rms_m"]:.1f} cm off it (rms).'
        )
    for time, name in story.faults:
        sentences.append(f'At {time:.0f} s: {name}.')
    after = tracking['after_fault']
    if after is not None:
        sentences.append(f'From then on it was {100 * after["cross_track_rms_m"]:.1f} cm off.')
    return ' '.join(sentences)


def _cards(summary: Mapping[str, Any], true: bool) -> list[Card]:
    """Choose the key figures; what the run does not tell is a dash."""
    tracking, adaptation, link = summary['tracking'], summary['adaptation'], summary['link']
    after = tracking['after_fault'] or {'cross_track_rms_m': None}
    before_error, after_error = adaptation['pre_error'], adaptation['post_error']
    change = None if not before_error or after_error is None else 100 * (after_error / before_error - 1)
    answered = None if not link['sent'] or link['replies'] is None else 100 * link['replies'] / link['sent']
    return [
        Card(
            _text(tracking['cross_track_rms_m'], 1, 100), 'cm', 'off the path (rms)',
            f'{_text(after["cross_track_rms_m"], 1, 100)} cm after the fault' if tracking['after_fault'] else
            ('true pose' if true else 'estimated pose'),
        ),
        Card(
            _text(tracking['cost_per_step'], 2), '', 'cost per step',
            f'{_text(tracking["progress"], 1)} m along the path',
        ),
        Card(
            _signed(change), '%', 'prediction error by adapting',
            f'{_text(before_error, 2)} → {_text(after_error, 2)}',
        ),
        Card(
            _text(summary['period_ms']['p50'], 1), 'ms', 'median period',
            f'{_text(summary["ticks"], 0)} ticks, {_text(summary["deadline_misses"], 0)} late',
        ),
        Card(
            _text(summary['work_ms']['p99'], 0), 'ms', 'work a tick (p99)',
            f'median {_text(summary["work_ms"]["p50"], 0)} ms',
        ),
        Card(
            _text(answered, 1), '%', 'of setpoints answered',
            f'{_text(link["lost"], 0)} lost, round trip {_text(link["rtt_ms"]["p50"], 0)} ms',
        ),
    ]  # fmt: skip


def _text(value: float | None, digits: int, scale: float = 1.0) -> str:
    return DASH if value is None else f'{value * scale:.{digits}f}'


def _signed(value: float | None) -> str:
    return DASH if value is None else f'{MINUS if value < 0 else "+"}{abs(value):.0f}'


def _groups(parameters: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sort parameters.yaml into the run's own values and one group for each mapping."""
    alone = {key: value for key, value in parameters.items() if not isinstance(value, Mapping)}
    groups = {'run': alone} | {key: value for key, value in parameters.items() if isinstance(value, Mapping)}
    return [(heading, _flat(values)) for heading, values in groups.items() if values]


def _flat(values: Mapping[str, Any], prefix: str = '') -> list[tuple[str, str]]:
    """List nested parameters by dotted name; of a hash only its beginning."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f'{prefix}{key}.')
        else:
            text = str(value)
            rows.append((f'{prefix}{key}', f'{text[:12]}...' if _HASH.fullmatch(text) else text))
    return rows
