"""Bring messages into the order of their log time in bounded memory."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing

from millirobot_adapt.recording.records import Channel, Raw

BUDGET = 64 << 20
"""Messages held in memory at once to bring them into order [bytes]; what needs more is sorted on the disk."""
DISORDER = 2_000_000_000
"""Files hold messages about in the order of their log time; more than this out of order is looked into [ns]."""


def sorted_in_window(messages: Iterable[Raw]) -> Iterator[Raw]:
    """Sort messages that are at most `DISORDER` out of order, keeping the order among equals."""
    waiting: list[tuple[int, int, Raw]] = []
    newest = 0
    for count, raw in enumerate(messages):
        newest = max(newest, raw.received)
        heapq.heappush(waiting, (raw.received, count, raw))
        while newest - waiting[0][0] > DISORDER:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def sorted_on_disk(messages: Iterable[Raw]) -> Iterator[Raw]:
    """Sort any number of messages by log time, keeping the order among equals, in a temporary file."""
    channels: dict[Channel, int] = {}
    with closing(sqlite3.connect('')) as database:  # a temporary file that goes with the connection
        database.execute('CREATE TABLE raw (channel, data BLOB, received INTEGER, published INTEGER, sequence INTEGER)')
        database.executemany(
            'INSERT INTO raw VALUES (?, ?, ?, ?, ?)',
            (
                (channels.setdefault(raw.channel, len(channels)), raw.data, raw.received, raw.published, raw.sequence)
                for raw in messages
            ),
        )
        database.execute('CREATE INDEX by_time ON raw (received, rowid)')
        names = list(channels)
        for channel, *rest in database.execute(
            'SELECT channel, data, received, published, sequence FROM raw ORDER BY received, rowid'
        ):
            yield Raw(names[channel], *rest)
