"""Rows of numbers that lie in a temporary file."""

import errno
import tempfile
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.analysis.replay.row_store import BLOCK, Rows, RowsByStamp
from millirobot_adapt.core.errors import DeviceError


def made(count, width=3):
    rows = Rows()
    for k in range(count):
        rows.append(np.arange(width) + 10.0 * k)
    return rows


@pytest.mark.parametrize('count', [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 7 * BLOCK + 5])
def test_every_row_comes_back_in_any_order(count):
    rows = made(count)
    assert len(rows) == count
    for k in np.random.default_rng(0).permutation(count)[:200]:
        assert rows[int(k)].tolist() == [10.0 * k, 10.0 * k + 1, 10.0 * k + 2]
    for beyond in (-1, count):
        with pytest.raises(IndexError):
            rows[beyond]


def test_rows_can_be_added_after_some_were_read():
    rows = made(BLOCK + 3)
    assert rows[0][0] == 0.0
    assert rows[BLOCK + 2][0] == 10.0 * (BLOCK + 2)
    for k in range(BLOCK + 3, 3 * BLOCK):
        rows.append(np.full(3, float(k)))
        assert rows[k][0] == k
    assert rows[BLOCK + 2][0] == 10.0 * (BLOCK + 2)


def test_what_is_read_may_be_changed():
    rows = made(2 * BLOCK)
    rows[5][:] = np.nan
    assert rows[5].tolist() == [50.0, 51.0, 52.0]


def test_many_rows_take_no_more_memory_than_few():
    row = np.arange(24.0)

    def kept(count):
        tracemalloc.start()
        rows = Rows()
        for _ in range(count):
            rows.append(row)
        for k in range(0, count, 100):
            assert rows[k][23] == 23.0
        found, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    few, many = kept(5 * BLOCK), kept(50 * BLOCK)
    assert many < few + 8 * BLOCK * len(row)


def test_an_order_of_rows_reads_like_an_array():
    rows = made(3 * BLOCK)
    order = np.argsort(np.random.default_rng(1).random(3 * BLOCK))
    ordered = rows.in_order(order)
    whole = np.asarray(ordered)
    assert whole.shape == (3 * BLOCK, 3)
    np.testing.assert_array_equal(whole[:, 0], 10.0 * order)
    part = ordered.between(10, 20)
    assert len(part) == 10
    np.testing.assert_array_equal(np.array(list(part)), whole[10:20])
    np.testing.assert_array_equal(part[3], whole[13])


@given(st.lists(st.integers(-5, 5), max_size=30))
def test_the_newest_row_of_a_stamp_is_found(stamps):
    rows, known = RowsByStamp(), {}
    for number, stamp in enumerate(stamps):
        rows.add(stamp, np.array([float(number)]))
        known[stamp] = number
        if number % 3 == 0:
            assert rows.get(stamp).tolist() == [number]
    for stamp in range(-6, 7):
        found = rows.get(stamp)
        assert (None if found is None else found[0]) == known.get(stamp)


def test_a_full_disk_is_one_line_that_names_the_place(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(tempfile, 'TemporaryFile', full)
    with pytest.raises(DeviceError, match=r'cannot hold the states of the bag .No space left on device.; set TMPDIR'):
        made(BLOCK)
