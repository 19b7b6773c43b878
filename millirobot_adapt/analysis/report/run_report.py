"""Rebuild `summary.json` and `report.html` of a run folder from its bag."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from millirobot_adapt import __version__
from millirobot_adapt.analysis.figure_style import Drawing, styled, to_svg
from millirobot_adapt.analysis.page import CardGroup, Page, Picture, Section, render
from millirobot_adapt.analysis.report import machine_figures, motion_figures, path_figures
from millirobot_adapt.analysis.report.parameter_groups import parameter_groups
from millirobot_adapt.analysis.report.timeline import Timeline
from millirobot_adapt.analysis.report.whole_run import read_whole_run
from millirobot_adapt.analysis.report.words import banners, cards, lead, notes, title
from millirobot_adapt.analysis.run_data import RunData
from millirobot_adapt.core.files import write_whole
from millirobot_adapt.recording.reader import open_bag

SUMMARY = 'summary.json'
REPORT = 'report.html'
ENDED = 'ended.txt'
"""Why a run ended early, written by the program that started its processes; absent when it ended as planned."""

Draw = Callable[[Timeline], Drawing | None]
SECTIONS: tuple[tuple[str, tuple[tuple[Draw, str], ...]], ...] = (
    ('The run', (
        (path_figures.driven_path, 'Path driven, path wanted'),
        (motion_figures.cross_track, 'Distance to the path'),
        (motion_figures.speed, 'Speed'),
    )),
    ('What the model knew', (
        (path_figures.fans, 'Open-loop predictions'),
        (path_figures.horizon_error, 'Looking further ahead'),
        (motion_figures.prediction, 'Predicting the next step'),
        (motion_figures.recovery, 'Recovering from the fault'),
        (motion_figures.adaptation, 'Adapting'),
    )),
    ('Robot, link and clock', (
        (machine_figures.setpoints, 'Setpoints wanted and sent'),
        (machine_figures.joint_rates, 'Joint rates'),
        (machine_figures.tick_times, 'Work of a tick'),
        (machine_figures.link, 'Link'),
        (machine_figures.mocap, 'Motion capture'),
    )),
)  # fmt: skip
_WIDE = path_figures.driven_path
_IF_ANY: dict[Draw, Callable[[RunData], bool]] = {
    motion_figures.recovery: lambda _: False,
    machine_figures.joint_rates: lambda run: bool(run.layout.followers),
    machine_figures.link: lambda run: not run.bridge or any('rtt_p50_ms' in said.values for said in run.bridge),
}
"""Pictures that are missing only where a robot has what they show."""


def write_report(folder: Path, namespace: str | None = None, strict: bool = False) -> dict[str, Any]:
    """Write summary.json and report.html into a run folder (one that holds a bag) and return the summary.

    Args:
        folder: Run folder, bag folder, or single .mcap or .db3 file; the two are written where it is.
        namespace: Namespace of the robot, where the bag holds several.
        strict: Make an error of what is not read.

    Raises:
        UserError: no bag there, or nothing in it readable.
    """
    bag = open_bag(folder, namespace=namespace, strict=strict)
    home = folder if folder.is_dir() else folder.parent
    recorded = read_whole_run(bag)
    summary, timeline = recorded.summary, recorded.timeline
    summary['ended'] = _why_it_ended(home) or summary['ended']
    sections, missing = _draw(timeline)
    began = datetime.fromtimestamp(timeline.run.origin)
    page = Page(
        title=title(recorded),
        eyebrow=f'millirobot run · {began:%Y-%m-%d %H:%M}',
        lead=lead(summary),
        banners=banners(summary),
        cards=[CardGroup('', cards(summary, timeline.track is not None and timeline.track.true))],
        sections=sections,
        notes=[*missing, *recorded.gaps, *notes(timeline.run)],
        parameters=parameter_groups(recorded.parameters),
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


def _draw(timeline: Timeline) -> tuple[list[Section], list[str]]:
    """Draw every picture the bag holds something for; name the others."""
    sections, missing = [], []
    with styled():
        for heading, entries in SECTIONS:
            pictures = []
            for draw, name in entries:
                drawing = draw(timeline)
                if drawing is not None:
                    svg = to_svg(drawing.figure, draw.__name__, f'{name}. {drawing.says}')
                    pictures.append(Picture(name, drawing.says, svg, wide=draw is _WIDE))
                elif _IF_ANY.get(draw, lambda _: True)(timeline.run):
                    missing.append(name.lower())
            if pictures:
                sections.append(Section(heading, pictures))
    return sections, [f'Not recorded: {", ".join(missing)}.'] if missing else []
