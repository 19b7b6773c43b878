"""Keep rows of numbers of hours of bag in a temporary file: only a few blocks of them lie in memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from millirobot_adapt.core.errors import DeviceError
from millirobot_adapt.core.robot.state import FloatArray

BLOCK = 256
"""Rows that are written and read at once."""
MOST_BLOCKS = 4
"""Blocks that stay in memory: readers go forward and look a few rows ahead."""


class StateRows(Protocol):
    """N rows of numbers: an array of shape (N, width), or what is read like one, row by row."""

    def __len__(self) -> int: ...

    def __getitem__(self, k: int, /) -> FloatArray: ...

    def __iter__(self) -> Iterator[FloatArray]: ...


class Rows:
    """Rows of float64 of one width; whole blocks of them lie in a temporary file."""

    def __init__(self) -> None:
        """Begin without rows; the first one sets the width."""
        self._file: IO[bytes] | None = None
        self._newest = array('d')
        self._width = 0
        self._count = 0
        self._blocks: dict[int, FloatArray] = {}

    def append(self, row: FloatArray) -> None:
        """Add a row, shape (width,).

        Raises:
            DeviceError: the disk is full.
        """
        self._width = self._width or len(row)
        self._newest.frombytes(np.ascontiguousarray(row, dtype=float).tobytes())
        self._count += 1
        if self._count % BLOCK == 0:
            self._write(self._newest.tobytes())
            self._newest = array('d')

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self._count

    def __getitem__(self, k: int) -> FloatArray:
        """Return row k, from 0 on, shape (width,)."""
        if not 0 <= k < self._count:
            raise IndexError(k)
        block, place = divmod(k, BLOCK)
        return self._block(block)[place].copy()

    def in_order(self, order: NDArray[np.integer]) -> OrderedRows:
        """Return the rows of these numbers, in this order."""
        return OrderedRows(self, order)

    def _write(self, content: bytes) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix='millirobot-replay-')  # noqa: SIM115 (lives as long as this)
            self._file.seek(0, os.SEEK_END)
            self._file.write(content)
        except OSError as error:
            raise DeviceError(
                f'{tempfile.gettempdir()}: cannot hold the states of the bag ({error.strerror}); '
                'set TMPDIR to a folder with room'
            ) from None

    def _block(self, number: int) -> FloatArray:
        if number == self._count // BLOCK:
            return np.frombuffer(self._newest.tobytes()).reshape(-1, self._width)
        if number not in self._blocks:
            assert self._file is not None
            size = BLOCK * self._width * 8
            self._file.seek(number * size)
            while len(self._blocks) >= MOST_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = np.frombuffer(self._file.read(size)).reshape(-1, self._width)
        return self._blocks[number]


class OrderedRows:
    """Some of the rows, in an order of their own."""

    def __init__(self, rows: Rows, order: NDArray[np.integer]) -> None:
        """Show the rows whose numbers are in `order`, shape (N,)."""
        self._rows, self._order = rows, order

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._order)

    def __getitem__(self, k: int) -> FloatArray:
        """Return row k of the order, shape (width,)."""
        return self._rows[int(self._order[k])]

    def __iter__(self) -> Iterator[FloatArray]:
        """Yield the rows in their order."""
        return (self._rows[int(number)] for number in self._order)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all rows as one array, shape (N, width)."""
        return np.array(list(self), dtype=dtype)

    def between(self, begin: int, end: int) -> OrderedRows:
        """Return the rows from `begin` on, up to `end` without it."""
        return OrderedRows(self._rows, self._order[begin:end])


class RowsByStamp:
    """Rows found by their stamp; of rows with one stamp the newest counts."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._stamps = array('q')
        self._rows = Rows()
        self._order: NDArray[np.integer] | None = None

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._stamps)

    def add(self, stamp: int, row: FloatArray) -> None:
        """Add a row, shape (width,), at a stamp [us]."""
        self._stamps.append(stamp)
        self._rows.append(row)
        self._order = None

    def get(self, stamp: int) -> FloatArray | None:
        """Return the row of a stamp [us], shape (width,); None where there is none."""
        stamps = np.frombuffer(self._stamps, dtype=np.int64) if self._stamps else np.empty(0, dtype=np.int64)
        if self._order is None:
            self._order = np.argsort(stamps, kind='stable')
        place = int(np.searchsorted(stamps, stamp, side='right', sorter=self._order)) - 1
        if place < 0 or stamps[self._order[place]] != stamp:
            return None
        return self._rows[int(self._order[place])]
