"""Lay out the report's page: one HTML file that needs nothing else, for desk, phone and paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { --ink: #1f2933; --grey: #5b6670; --line: #e3e7ea; --paper: #f6f7f8; --blue: #0072B2; --orange: #D55E00; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.45;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2.2rem 1.2rem 3rem; }
header p { margin: 0; }
.eyebrow { color: var(--grey); font-size: .82rem; letter-spacing: .06em; text-transform: uppercase; }
h1 { font-size: clamp(1.5rem, 4.2vw, 2.3rem); line-height: 1.15; margin: .25rem 0 .5rem; letter-spacing: -.015em; }
.lead { color: var(--grey); font-size: 1.05rem; max-width: 46rem; }
.stop { margin-top: 1rem; padding: .7rem 1rem; border-left: 4px solid var(--orange); background: #fdf1e8; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .8rem; margin: 1.6rem 0; }
.card, figure { background: white; border: 1px solid var(--line); border-radius: 12px; }
.card { padding: .9rem 1rem; }
.card b { display: block; font-size: 1.65rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.2;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.card b small { font-size: .58em; font-weight: 500; color: var(--grey); letter-spacing: 0; margin-left: .18em; }
.card span { display: block; font-size: .88rem; }
.card i { display: block; font-style: normal; font-size: .82rem; color: var(--grey); }
.figures { display: grid; grid-template-columns: 1fr; gap: 1rem; }
figure { margin: 0; padding: 1rem 1.1rem .8rem; min-width: 0; }
figcaption b { font-size: 1.02rem; }
figcaption { color: var(--grey); font-size: .88rem; margin-bottom: .5rem; }
figcaption b { display: block; color: var(--ink); }
svg.figure { display: block; width: 100%; height: auto; overflow: visible; }
svg.figure text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif
  !important; }
.wide svg.figure { max-width: 900px; margin: 0 auto; }
.table { overflow-x: auto; background: white; border: 1px solid var(--line); border-radius: 12px;
  padding: .4rem .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .5rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--grey); font-weight: 500; vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 600; }
th:first-child { text-align: left; }
tbody tr:last-child > * { border-bottom: 0; }
.missing { color: var(--grey); font-size: .9rem; margin: 1rem 0 0; }
h2 { font-size: 1.02rem; margin: 2rem 0 .6rem; }
.parameters { columns: 300px 3; column-gap: 2rem; font-size: .78rem; }
.parameters h3 { font-size: .82rem; margin: .9rem 0 .2rem; break-after: avoid; }
.parameters h3:first-child { margin-top: 0; }
.parameters dl { margin: 0; }
.parameters div { display: flex; gap: .8rem; border-bottom: 1px solid var(--line); padding: .18rem 0;
  break-inside: avoid; }
.parameters dt { flex: none; max-width: 65%; color: var(--grey); overflow-wrap: anywhere; }
.parameters dd { flex: 1; margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
footer { color: var(--grey); font-size: .8rem; margin-top: 2rem; }
@media (min-width: 900px) { .figures { grid-template-columns: 1fr 1fr; } .wide { grid-column: 1 / -1; } }
@media (max-width: 520px) { main { padding: 1.3rem .7rem 2rem; } .cards { grid-template-columns: 1fr 1fr; gap: .6rem; }
  svg.figure text { font-size: 10.5px !important; } .wide svg.figure text { font-size: 15px !important; }
  .card { padding: .7rem .8rem; } .card b { font-size: 1.35rem; } figure { padding: .8rem .6rem .6rem; } }
@media print { body { background: white; font-size: 10.5pt; } h2, h3 { break-after: avoid; }
  main { max-width: none; padding: 0; }
  .card, figure { break-inside: avoid; } .figures { grid-template-columns: 1fr 1fr; } .wide { grid-column: 1 / -1; }
  .cards { grid-template-columns: repeat(3, 1fr); }
  .table { overflow: visible; } table { font-size: 7.5pt; } th, td { padding: .2rem .25rem; } @page { margin: 14mm; } }
"""


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
class Page:
    """What the page says, as plain text; pictures as SVG."""

    title: str
    eyebrow: str
    lead: str
    stops: Sequence[str]
    cards: Sequence[Card]
    sections: Sequence[Section]
    missing: Sequence[str]
    """What could not be shown, and why."""
    parameters: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    """Groups: a heading, then names and values."""
    footer: str
    tables: Sequence[Table] = ()


def render(page: Page) -> str:
    """Return the page as HTML that is also well-formed XML."""
    stops = ''.join(f'<p class="stop">{escape(stop)}</p>' for stop in page.stops)
    missing = ''.join(f'<p class="missing">{escape(text)}</p>' for text in page.missing)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{escape(page.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">{escape(page.eyebrow)}</p>
<h1>{escape(page.title)}</h1>
<p class="lead">{escape(page.lead)}</p>
{stops}
</header>
<section class="cards" aria-label="Key figures">
{_join(_card(card) for card in page.cards)}
</section>
{_join(_section(section) for section in page.sections)}
{_join(_table(table) for table in page.tables)}
{missing}
{_parameters(page.parameters)}
<footer>{escape(page.footer)}</footer>
</main>
</body>
</html>
"""


def _join(parts: Iterable[str]) -> str:
    return '\n'.join(parts)


def _card(card: Card) -> str:
    unit = f'<small>{escape(card.unit)}</small>' if card.unit else ''
    note = f'<i>{escape(card.note)}</i>' if card.note else ''
    return f'<div class="card"><b>{escape(card.value)}{unit}</b><span>{escape(card.name)}</span>{note}</div>'


def _section(section: Section) -> str:
    pictures = _join(_picture(picture) for picture in section.pictures)
    return f'<section>\n<h2>{escape(section.heading)}</h2>\n<div class="figures">\n{pictures}\n</div>\n</section>'


def _picture(picture: Picture) -> str:
    wide = ' class="wide"' if picture.wide else ''
    caption = f'<figcaption><b>{escape(picture.title)}</b>{escape(picture.caption)}</figcaption>'
    return f'<figure{wide}>{caption}{picture.svg}</figure>'


def _table(table: Table) -> str:
    head = ''.join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = _join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + ''.join(f'<td>{escape(cell)}</td>' for cell in row[1:]) + '</tr>'
        for row in table.rows
    )
    return (
        f'<section>\n<h2>{escape(table.heading)}</h2>\n<div class="table"><table><thead><tr>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div>\n</section>'
    )


def _parameters(groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    if not groups:
        return ''
    parts = []
    for heading, pairs in groups:
        rows = ''.join(f'<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>' for key, value in pairs)
        parts.append(f'<h3>{escape(heading)}</h3><dl>{rows}</dl>')
    return f'<h2>Parameters</h2><section class="parameters">{"".join(parts)}</section>'
