"""Rebuild `summary.json` and `report.html` of a run folder from its bag."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from millirobot_adapt import __version__
from millirobot_adapt.analysis.figure_style import Drawing, styled, to_svg
from millirobot_adapt.analysis.page import Card, Page, Picture, Section, render
from millirobot_adapt.analysis.report import path_figures, time_figures
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.report.whole_run import WholeRun, read_whole_run
from millirobot_adapt.core.files import write_whole
from millirobot_adapt.recording.reader import open_bag

SUMMARY = 'summary.json'
REPORT = 'report.html'
ENDED = 'ended.txt'
"""Why a run ended before its time, as whoever started its processes saw it; not there when it ended as wished."""
_HASH = re.compile('[0-9a-f]{64}')
DASH, MINUS = '\u2013', '\u2212'

Draw = Callable[[Timeline], Drawing | None]
_SECTIONS: tuple[tuple[str, tuple[tuple[Draw, str], ...]], ...] = (
    ('The walk', (
        (path_figures.driven_path, 'Path driven, path wanted'),
        (time_figures.cross_track, 'Distance to the path'),
        (time_figures.speed, 'Speed'),
    )),
    ('What the model knew', (
        (path_figures.fans, 'Open-loop predictions'),
        (path_figures.horizon_error, 'Looking further ahead'),
        (time_figures.prediction, 'Predicting the next step'),
        (time_figures.adaptation, 'Adapting'),
    )),
    ('Robot, link and clock', (
        (time_figures.leg_rates, 'Leg rates'),
        (time_figures.tick_times, 'Work of a tick'),
        (time_figures.link, 'Radio link'),
        (time_figures.mocap, 'Motion capture'),
    )),
)  # fmt: skip
_WIDE = path_figures.driven_path


def write_report(folder: Path, namespace: str | None = None) -> dict[str, Any]:
    """Write summary.json and report.html into a run folder (one that holds a bag) and return the summary.

    Args:
        folder: Run folder, bag folder, or single .mcap or .db3 file; the two are written where it is.
        namespace: Namespace of the robot, where the bag holds several.

    Raises:
        UserError: no bag there, or nothing in it readable.
    """
    bag = open_bag(folder, namespace=namespace)
    home = folder if folder.is_dir() else folder.parent
    recorded = read_whole_run(bag)
    summary, story = recorded.summary, recorded.story
    summary['ended'] = _why_it_ended(home) or summary['ended']
    sections, missing = _draw(story)
    began = datetime.fromtimestamp(story.run.origin)
    page = Page(
        title=_title(recorded),
        eyebrow=f'millirobot run · {began:%Y-%m-%d %H:%M}',
        lead=_lead(summary, story),
        stops=_stops(summary),
        cards=_cards(summary, story.track is not None and story.track.true),
        sections=sections,
        missing=[*missing, *recorded.gaps],
        parameters=_groups(recorded.parameters),
        footer=f'millirobot_adapt {__version__} · made from the bag in {home.resolve().name}/ · figures of {SUMMARY}',
    )
    write_whole(home / SUMMARY, json.dumps(summary, indent=2, allow_nan=False) + '\n')
    write_whole(home / REPORT, render(page))
    return summary


def _why_it_ended(home: Path) -> str | None:
    try:
        return (home / ENDED).read_text(encoding='utf-8').strip() or None
    except OSError:
        return None


def _stops(summary: Mapping[str, Any]) -> list[str]:
    """Say in sentences what stopped the robot and what ended the run."""
    stops = [f'Stopped at {stop["time_s"]:.1f} s: {stop["reason"]}' for stop in summary['stops']]
    return stops + ([f'Ended before its time: {summary["ended"]}'] if summary['ended'] else [])


def _draw(story: Timeline) -> tuple[list[Section], list[str]]:
    """Draw every picture the bag holds something for; name the others."""
    sections, missing = [], []
    with styled():
        for heading, entries in _SECTIONS:
            pictures = []
            for draw, title in entries:
                drawing = draw(story)
                if drawing is None:
                    missing.append(title.lower())
                    continue
                svg = to_svg(drawing.figure, draw.__name__, f'{title}. {drawing.says}')
                pictures.append(Picture(title, drawing.says, svg, wide=draw is _WIDE))
            if pictures:
                sections.append(Section(heading, pictures))
    return sections, [f'Not recorded: {", ".join(missing)}.'] if missing else []


def _title(recorded: WholeRun) -> str:
    method = recorded.summary['adaptation']['method']
    return f'{recorded.shape or "Run"}, {recorded.story.span[1]:.0f} s' + (f', {method}' if method else '')


def _lead(summary: Mapping[str, Any], story: Timeline) -> str:
    """Say in a sentence or two what happened."""
    sentences = []
    tracking = summary['tracking']
    if tracking['progress'] is not None:
        sentences.append(
            f'The robot walked {tracking["progress"]:.1f} m along the path, '
            f'{100 * tracking["cross_track_rms_m"]:.1f} cm off it (rms).'
        )
    sentences += [f'At {event.time:.0f} s: {event.name}.' for event in story.events if not event.stop]
    after = tracking['after_fault']
    if after is not None:
        sentences.append(f'From then on it was {100 * after["cross_track_rms_m"]:.1f} cm off.')
    sentences += [
        f'At {change["time_s"]:.0f} s: {change["parameter"]} set to {change["value"]}.' for change in summary['changes']
    ]
    kind, _, by = (summary['outcome'] or '').partition(': ')
    if kind == 'finished' and by:
        sentences.append(f'The run was finished {by}.')
    return ' '.join(sentences)


def _cards(summary: Mapping[str, Any], true: bool) -> list[Card]:
    """Choose the key figures; what the run does not tell is a dash."""
    tracking, link, mocap = summary['tracking'], summary['link'], summary['mocap']
    after = tracking['after_fault'] or {'cross_track_rms_m': None}
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
        _prediction_card(summary),
        Card(
            _text(summary['work_ms']['p99'], 0), 'ms', 'work a tick (p99)',
            f'{_text(summary["ticks"], 0)} ticks, {_text(summary["deadline_misses"], 0)} late',
        ),
        Card(
            _text(answered, 1), '%', 'of setpoints answered',
            f'{_text(link["lost"], 0)} lost, round trip {_text(link["rtt_ms"]["p50"], 0)} ms',
        ),
        Card(
            _text(mocap['rate_hz'], 0), 'Hz', 'motion capture',
            f'longest gap {_text(mocap["gap_ms"], 0)} ms',
        ),
    ]  # fmt: skip


def _prediction_card(summary: Mapping[str, Any]) -> Card:
    """Say what adapting did to the prediction: over the horizon where the model was at hand, else of the next step."""
    adaptation, ahead = summary['adaptation'], summary['prediction']
    if ahead is None:
        name, before, after = 'error of the next step', adaptation['pre_error'], adaptation['post_error']
        note = f'{_text(before, 2)} → {_text(after, 2)}'
    else:
        before, after = ahead['position_m']['before'], ahead['position_m']['after']
        name = f'error {ahead["horizon_s"]:.1f} s ahead'
        note = f'{_text(before, 1, 100)} → {_text(after, 1, 100)} cm'
    change = None if not before or after is None else 100 * (after / before - 1)
    return Card(_signed(change), '%', f'{name} by adapting', note)


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
