"""Say in words and key figures what happened in a run: title, lead, banners, cards, notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millirobot_adapt.analysis.page import Card
from millirobot_adapt.analysis.report.whole_run import WholeRun
from millirobot_adapt.analysis.run_data import RunData, spoken
from millirobot_adapt.sim.firmware_board import BOARDS, firmware_text

PACE_KEPT = 1.2
"""A pace is kept within this factor."""
DASH, MINUS = '\u2013', '\u2212'


def title(recorded: WholeRun) -> str:
    """Name the path, how long the robot followed it, and the method."""
    seconds, method = recorded.summary['walked_s'], recorded.summary['adaptation']['method']
    length = f'{seconds:.1f} s' if seconds < 10 else f'{seconds:.0f} s'
    return f'{recorded.shape or "Run"}, {length}' + (f', {method}' if method else '')


def lead(summary: Mapping[str, Any]) -> str:
    """Say in a few sentences what happened."""
    sentences = []
    tracking, recovery = summary['tracking'], summary['recovery']
    if tracking['progress'] is not None:
        sentences.append(
            f'The robot went {tracking["progress"]:.1f} m along the path, '
            f'{100 * tracking["cross_track_rms_m"]:.1f} cm off it (rms).'
        )
    pace = summary['pace']
    if pace is not None and not 1 / PACE_KEPT <= pace['walked'] / pace['asked'] <= PACE_KEPT:
        sentences.append(f'It went {pace["walked"]:.2f} m/s where {pace["asked"]:.2f} m/s were asked for.')
    if summary['firmware'] in BOARDS:
        sentences.append(f"On the mock's microcontroller ran {firmware_text(summary['firmware'])}.")
    sentences += [f'At {fault["time_s"]:.0f} s: {fault["text"]}.' for fault in summary['faults']]
    after = tracking['after_fault']
    if after is not None:
        sentences.append(f'From then on it was {100 * after["cross_track_rms_m"]:.1f} cm off.')
    if recovery is not None:
        ahead = recovery['ahead_m']
        what = 'the position at the horizon' if ahead else 'the next step'
        seconds = (ahead or recovery['next_step'])['seconds']
        sentences.append(f'The error of predicting {what} {_recovered(seconds)}.')
    sentences += [
        f'At {change["time_s"]:.0f} s: {change["parameter"]} set to {change["value"]}.' for change in summary['changes']
    ]
    return ' '.join([*sentences, *_end(summary['outcome'])])


def _recovered(seconds: float | None) -> str:
    """Say how the error of prediction went after the fault."""
    if seconds is None:
        return 'did not come back to within 20 % of its level before'
    if seconds == 0:
        return 'stayed within 20 % of its level before'
    return f'was back within 20 % of its level before after {seconds:.1f} s'


def _end(outcome: str | None) -> list[str]:
    """Say how a run ended that reached its aim; a stop has a banner."""
    kind, _, by = (outcome or '').partition(': ')
    if kind != 'finished':
        return []
    return [f'The run was finished {by}.' if by else 'It reached the end of the path.']


def banners(summary: Mapping[str, Any]) -> list[str]:
    """Say what stopped the robot, what ended the run, and what is wrong with the recording; each reason once."""
    stops = [(f'Stopped at {stop["time_s"]:.1f} s: ', stop['reason']) for stop in summary['stops']]
    texts = [begin + reason for begin, reason in stops]
    ended = summary['ended']
    if ended and not any(reason in ended for _, reason in stops):
        texts.append(f'Ended before its time: {ended}')
    offset = summary['mocap']['clock_offset_s']
    if offset is not None:
        texts.append(
            f'The stamps of motion capture are on another clock: {_span(abs(offset))} '
            f'{"behind" if offset > 0 else "ahead of"} the clock of the bag. Its ages are not known.'
        )
    return texts


def _span(seconds: float) -> str:
    """Write a time in the unit that a person would choose."""
    for unit, size in (('years', 365.25 * 86400), ('days', 86400), ('hours', 3600), ('minutes', 60)):
        if seconds >= 2 * size:
            return f'{seconds / size:.1f} {unit}'
    return f'{seconds:.1f} s'


def notes(run: RunData) -> list[str]:
    """Say what is in the bag and not on the page."""
    late = [fault for fault in run.faults if fault.received > run.walk_end]
    texts = [
        f'Began {fault.received - run.walk_end:.1f} s after the end of the run: {spoken(fault)}.' for fault in late
    ]
    if run.mocap_repeats:
        texts.append(f'Motion capture sent {run.mocap_repeats} poses again with a stamp that was there already.')
    return texts


def cards(summary: Mapping[str, Any], true: bool) -> list[Card]:
    """Choose the key figures; a value that the run does not hold is a dash."""
    tracking, link, mocap = summary['tracking'], summary['link'], summary['mocap']
    after = tracking['after_fault'] or {'cross_track_rms_m': None}
    wanted, as_wanted = summary['setpoints']['wanted'], summary['setpoints']['as_wanted']
    passed = 100 * as_wanted / wanted if wanted else None
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
        *_prediction_cards(summary),
        Card(
            _text(summary['work_ms']['p99'], 0), 'ms', 'work a tick (p99)',
            f'{_text(summary["ticks"], 0)} ticks, {_text(summary["deadline_misses"], 0)} late{_load(summary)}',
        ),
        Card(
            _text(passed, 1), '%', 'of setpoints sent as wanted',
            f'{_text(None if not wanted else wanted - as_wanted, 0)} changed, replaced or not sent',
        ),
        *link_cards(link),
        Card(
            _text(mocap['rate_hz'], 0), 'Hz', 'motion capture',
            f'longest gap {_text(mocap["gap_ms"], 0)} ms',
        ),
    ]  # fmt: skip


def link_cards(link: Mapping[str, Any]) -> list[Card]:
    """Say how many setpoints were answered; nothing of a robot that sends no replies."""
    if link['sent'] is not None and link['replies'] is None:
        return []
    answered = 100 * link['replies'] / link['sent'] if link['sent'] else None
    lost, trip = link['lost'], link['rtt_ms']['p50']
    note = f'{_text(lost, 0)} lost, round trip {_text(trip, 0)} ms'
    if link['sent'] is not None and lost is trip is None:  # a bus of servos counts no round trips
        note = f'{link["replies"]} of {link["sent"]}'
    return [Card(_text(answered, 1), '%', 'of setpoints answered', note)]


def _load(summary: Mapping[str, Any]) -> str:
    """Say how many candidates shape a plan, and whether the controller shed load."""
    planning = summary['planning']
    effective, shed = planning['effective_samples']['p50'], planning['shed']
    text = '' if effective is None else f', {effective:.0f} effective candidates a plan'
    return text + (f', load shed in {shed} (down to {100 * planning["least_share"]:.0f} %)' if shed else '')


def _prediction_cards(summary: Mapping[str, Any]) -> list[Card]:
    """Say what adapting did to the prediction: over the horizon if the model was available, else of the next step."""
    adaptation, ahead = summary['adaptation'], summary['prediction']
    if ahead is None:
        before, after = adaptation['pre_error'], adaptation['post_error']
        note = f'{_text(before, 2)} → {_text(after, 2)}'
        return [Card(_change(before, after), '%', 'error of the next step by adapting', note)]
    seconds = f'{ahead["horizon_s"]:.1f} s ahead by adapting'
    position, heading = ahead['position_m'], ahead['heading_rad']
    far = f'{_text(position["before"], 1, 100)} → {_text(position["after"], 1, 100)} cm'
    turned = f'{_text(heading["before"], 1, DEGREES)} → {_text(heading["after"], 1, DEGREES)} degrees'
    return [
        Card(_change(position['before'], position['after']), '%', f'position error {seconds}', far),
        Card(_change(heading['before'], heading['after']), '%', f'heading error {seconds}', turned),
    ]


DEGREES = 57.29577951308232


def _change(before: float | None, after: float | None) -> str:
    """Write the relative change with its sign [%]."""
    if not before or after is None:
        return DASH
    change = 100 * (after / before - 1)
    return f'{MINUS if change < 0 else "+"}{abs(change):.0f}'


def _text(value: float | None, digits: int, scale: float = 1.0) -> str:
    return DASH if value is None else f'{value * scale:.{digits}f}'
