"""Read the messages of one MCAP file from its beginning, without index or end, around damage where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mcap import records
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader, breakup_chunk

from millirobot_adapt.recording.records import Channel, Raw


def read_mcap(file: Path, note: Callable[[str], None]) -> Iterator[Raw]:
    """Yield the file's messages in the order of writing; `note` gets one line for each thing that is damaged.

    A damaged chunk is passed over. After a damaged length there is no telling where the next record begins: the reading
    ends there, as it does where the file was cut off.
    """
    book = _Book(file)
    finished = False
    with file.open('rb') as stream:
        # A damaged length must not make the reader ask for more memory than the file could fill.
        limit = max(file.stat().st_size, 1)
        reader = StreamReader(stream, validate_crcs=True, emit_chunks=True, record_size_limit=limit)
        try:
            for record in reader.records:
                if isinstance(record, records.Chunk):
                    yield from book.messages(_contents(record, file, note))
                else:
                    yield from book.messages([record])
                finished = isinstance(record, records.Footer)
        except Exception as error:  # damage shows as any of a dozen exceptions of struct, zstandard, mcap
            if not finished:
                note(f'{file}: truncated or damaged, used as far as readable ({type(error).__name__})')
    if book.homeless:
        note(f'{file}: {book.homeless} messages left out whose topic is not readable')


def _contents(chunk: records.Chunk, file: Path, note: Callable[[str], None]) -> list[records.McapRecord]:
    try:
        return breakup_chunk(chunk, validate_crc=True)
    except Exception as error:  # as above
        seconds = max(0, chunk.message_end_time - chunk.message_start_time) * 1e-9
        note(f'{file}: a damaged chunk of {seconds:.1f} s left out ({type(error).__name__})')
        return []


class _Book:
    """Remember schemas and channels, and give messages theirs."""

    def __init__(self, file: Path) -> None:
        self.homeless = 0
        """Messages whose channel is not known."""
        self._file = file
        self._schemas: dict[int, records.Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._looked_up = False

    def messages(self, found: Iterable[records.McapRecord]) -> Iterator[Raw]:
        """Take records; yield their messages."""
        for record in found:
            if isinstance(record, records.Schema):
                self._schemas[record.id] = record
            elif isinstance(record, records.Channel):
                self._channels[record.id] = self._channel(record)
            elif isinstance(record, records.Message):
                channel = self._channels.get(record.channel_id) or self._from_the_end(record.channel_id)
                if channel is None:
                    self.homeless += 1
                    continue
                yield Raw(channel, record.data, record.log_time, record.publish_time, record.sequence)

    def _channel(self, record: records.Channel) -> Channel:
        schema = self._schemas.get(record.schema_id)
        name, encoding, definition = ('', '', b'') if schema is None else (schema.name, schema.encoding, schema.data)
        metadata = tuple(record.metadata.items())
        text = definition.decode(errors='replace')
        return Channel(record.topic, name, text, encoding, record.message_encoding, metadata)

    def _from_the_end(self, number: int) -> Channel | None:
        """Find a channel that stood in a damaged chunk in the summary at the end of the file, where there is one."""
        if not self._looked_up:
            self._looked_up = True
            try:
                with self._file.open('rb') as stream:
                    summary = make_reader(stream).get_summary()
            except Exception:  # as in read_mcap
                return None
            if summary is not None:
                self._schemas = summary.schemas | self._schemas
                self._channels = {i: self._channel(c) for i, c in summary.channels.items()} | self._channels
        return self._channels.get(number)
