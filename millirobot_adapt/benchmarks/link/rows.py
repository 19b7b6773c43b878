"""What one row of the link's fault table says, and when it is good enough."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LONGEST_STOP_MS = 300.0
"""Motors have to be commanded zero within this time of the cause, wherever bytes still pass [ms]."""


class BenchFailedError(Exception):
    """Say in one line what did not happen, so that the figures could not be taken."""


@dataclass(frozen=True)
class FaultRow:
    """One fault and what the link made of it; None where a figure makes no sense."""

    fault: str
    where: str
    """`simulated`: mock and bridge in simulated time; `real time`: the same with a firmware on a clock of its own;
    `processes`: real processes over DDS and a pty, in real time; `busy`: the same, with every core kept busy."""
    sent: int
    """Setpoints sent while the fault lasted."""
    replies: int
    """Those of them that were answered by a reply that counted."""
    wrong_accepted: int | None
    """Accepted telemetry that is not, value by value, what the robot answered to that command since it was sent."""
    stop_ms: float | None
    """Worst time from the cause until the motors are commanded zero [ms]; they then brake for up to 0.7 s."""
    rearm_s: float | None
    """Worst time from the end of the fault until the operator could arm again [s]."""
    bound_ms: float = LONGEST_STOP_MS
    """What is promised of `stop_ms`, where bytes pass [ms]."""
    bytes_pass: bool = True
    """Bytes still reach the robot while the fault lasts, so a stop can."""
    line_bytes: int | None = None
    """Bytes that went over the serial line while the fault lasted."""
    broken: str | None = None
    """Another promise that was not kept, as text."""
    walked: bool = True
    """The robot walked when the fault began; else nothing was measured, and the trial is made again."""

    @property
    def complaint(self) -> str | None:
        """Say what is wrong with this row; None if it holds."""
        if self.wrong_accepted:
            return f'{self.fault}: {self.wrong_accepted} wrong values accepted'
        if self.bytes_pass and self.stop_ms is not None and self.stop_ms > self.bound_ms:
            return f'{self.fault}: the motors stopped after {self.stop_ms:.0f} ms'
        return None if self.broken is None else f'{self.fault}: {self.broken}'

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


def table(rows: list[FaultRow]) -> str:
    """Lay out rows for a terminal."""
    head = f'{"fault":26} {"where":10} {"sent":>6} {"replies":>8} {"wrong":>6}'
    lines = [f'{head} {"stop [ms]":>10} {"bound":>6} {"re-arm [s]":>11}']
    for row in rows:
        wrong, stop, rearm = (
            '-' if value is None else f'{value:.{places}f}'
            for value, places in ((row.wrong_accepted, 0), (row.stop_ms, 0), (row.rearm_s, 2))
        )
        first = f'{row.fault:26} {row.where:10} {row.sent:6d} {row.replies:8d} {wrong:>6}'
        lines.append(f'{first} {stop:>10} {row.bound_ms:6.0f} {rearm:>11}')
    return '\n'.join(lines)
