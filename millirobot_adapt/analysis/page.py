"""Lay out pages: one HTML file that needs nothing else, for desk, phone and paper. The markup is in templates/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True)
class Card:
    """One key figure."""

    value: str
    unit: str
    name: str
    note: str = ''


@dataclass(frozen=True)
class Picture:
    """One figure with its title and one sentence."""

    title: str
    caption: str
    svg: str
    wide: bool = False


@dataclass(frozen=True)
class Section:
    """Figures that belong together."""

    heading: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Table:
    """Numbers in rows; the first column names the row."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class CardGroup:
    """Key figures that belong together; the first group of a page needs no heading."""

    heading: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class ParameterRow:
    """One parameter as text, with its default where it differs from that."""

    name: str
    value: str
    default: str | None = None

    @property
    def changed(self) -> bool:
        """Tell whether the value differs from the default."""
        return self.default is not None


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters of one node, or of the run itself."""

    heading: str
    rows: Sequence[ParameterRow]


@dataclass(frozen=True)
class Page:
    """What the page says, as plain text; pictures as SVG."""

    title: str
    eyebrow: str
    lead: str
    banners: Sequence[str]
    """What must not be overlooked: why the robot stopped, what is wrong with the recording."""
    cards: Sequence[CardGroup]
    sections: Sequence[Section]
    notes: Sequence[str]
    """What could not be shown, and why; how to read the numbers."""
    footer: str
    tables: Sequence[Table] = ()
    parameters: Sequence[ParameterGroup] = ()

    @property
    def changed(self) -> list[ParameterRow]:
        """Return the parameters that differ from their defaults, under their full names."""
        return [
            ParameterRow(f'{group.heading}.{row.name}', row.value, row.default)
            for group in self.parameters
            for row in group.rows
            if row.changed
        ]


def render(page: Page) -> str:
    """Return the page as HTML that is also well-formed XML."""
    environment = _environment()
    source, _, _ = environment.loader.get_source(environment, 'page.css')  # type: ignore[union-attr]
    return environment.get_template('page.html').render(page=page, style=Markup(source))


@cache
def _environment() -> Environment:
    """Return jinja2's environment: every text is escaped, a name that does not exist is an error."""
    loader = PackageLoader('millirobot_adapt.analysis', 'templates')
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
