"""Read the messages of one MCAP file from its beginning, without index or end, up to the first damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from mcap.records import Channel, Footer, Message, Schema
from mcap.stream_reader import StreamReader


class Raw(NamedTuple):
    """One message as it lies in a bag."""

    topic: str
    """Full topic name."""
    type: str
    data: bytes
    """CDR."""
    received: int
    """Time of receipt [ns since the epoch]."""


def read_mcap(file: Path, note: Callable[[str], None]) -> Iterator[Raw]:
    """Yield the file's messages in the order of writing; `note` gets one line if it ends early."""
    schemas: dict[int, str] = {}
    channels: dict[int, Channel] = {}
    finished = False
    with file.open('rb') as stream:
        # A damaged length must not make the reader ask for more memory than the file could fill.
        records = StreamReader(stream, validate_crcs=True, record_size_limit=max(file.stat().st_size, 1)).records
        try:
            for record in records:
                if isinstance(record, Schema):
                    schemas[record.id] = record.name
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message):
                    channel = channels[record.channel_id]
                    yield Raw(channel.topic, schemas.get(channel.schema_id, ''), record.data, record.log_time)
                finished = isinstance(record, Footer)
        except Exception as error:  # damage shows as any of a dozen exceptions of struct, zstandard, mcap
            if not finished:
                note(f'{file}: truncated or damaged, used as far as readable ({type(error).__name__})')
