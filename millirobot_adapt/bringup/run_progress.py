"""Show how a run goes: one moving line on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from typing import TextIO

import numpy as np
from tqdm import tqdm

from millirobot_adapt.core.control.tick_record import TickRecord

LINE_EVERY = 5.0
"""Time between lines where the line cannot move [s]."""
SMOOTHED_OVER = 30
"""Ticks over which the prediction errors are averaged."""


class RunProgress:
    """Time, cross-track error, p99 of the tick's work, prediction error before and after adaptation."""

    def __init__(self, seconds: float, stream: TextIO = sys.stderr) -> None:
        """Begin at zero of `seconds`."""
        self._seconds = seconds
        self._stream = stream
        self._first: float | None = None
        self._shown = 0.0
        self._work: list[float] = []
        self._errors: deque[tuple[float, float]] = deque(maxlen=SMOOTHED_OVER)
        self._bar = None
        if stream.isatty():
            self._bar = tqdm(
                total=seconds, file=stream, bar_format='{n:4.1f}/{total:.0f} s |{bar:20}| {postfix}', leave=False
            )

    def update(self, ticks: Iterable[TickRecord]) -> None:
        """Show the newest ticks."""
        for tick in ticks:
            if self._first is None:
                self._first = tick.stamp
            if np.isfinite(tick.work_ms):
                self._work.append(tick.work_ms)
            if np.isfinite(tick.pre_error) and np.isfinite(tick.post_error):
                self._errors.append((tick.pre_error, tick.post_error))
            self._show(tick.stamp - self._first, tick.cross_track)

    def close(self) -> None:
        """End the moving line."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, time: float, cross_track: float) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(self._text(cross_track), refresh=False)
            self._bar.n = min(time, self._seconds)
            self._bar.refresh()
        elif time >= self._shown + LINE_EVERY or time == 0.0:
            self._shown = time
            print(f'{time:4.1f}/{self._seconds:.0f} s {self._text(cross_track)}', file=self._stream, flush=True)

    def _text(self, cross_track: float) -> str:
        parts = [f'off path {100 * abs(cross_track):4.1f} cm' if np.isfinite(cross_track) else 'off path  ? cm']
        if self._work:
            parts.append(f'tick p99 {np.percentile(self._work, 99):3.0f} ms')
        if self._errors:
            before, after = np.mean(self._errors, axis=0)
            parts.append(f'prediction error {before:.2f} -> {after:.2f}')
        return '  '.join(parts)
