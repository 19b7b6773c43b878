"""Find the blocks of an MCAP file (chunks, and messages outside of chunks) without decoding them.

Only the heads of records are read, so the index at the end of the file is not needed. Where a length is damaged, the
search goes on at the next chunk: at those that the index names, or at the next bytes that look like the head of one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import SEEK_END
from pathlib import Path
from typing import IO

import numpy as np
from mcap.records import Channel, ChunkIndex, Footer, Schema, Statistics
from mcap.stream_reader import StreamReader
from mcap.summary import Summary

from millirobot_adapt.recording.ordering import DISORDER

MAGIC = b'\x89MCAP0\r\n'
HEAD = struct.Struct('<BQ')
"""Of every record: opcode, length."""
CHUNK_HEAD = struct.Struct('<QQQII')
"""Of a chunk: start, end [ns], size without compression, CRC, length of the compression's name."""
INDEX_HEAD = struct.Struct('<HI')
"""Of the index of a channel's messages in a chunk: channel, bytes that follow: pairs of log time [ns] and offset."""
MESSAGE_HEAD = struct.Struct('<HIQQ')
"""Of a message: channel, sequence, log time [ns], publish time [ns]."""
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, ATTACHMENT, METADATA = 2, 3, 4, 5, 6, 7, 9, 12
DATA_END = 15
PLAIN_BLOCK = 1 << 20
"""Messages outside of chunks are taken together until they fill this many bytes."""
_NAMES = (b'\x04\x00\x00\x00zstd', b'\x03\x00\x00\x00lz4')
_FOOTER_SIZE = HEAD.size + 20
_NAME_AT = HEAD.size + CHUNK_HEAD.size - 4
"""Where the length of the compression's name stands in the record of a chunk."""


@dataclass
class Block:
    """A run of messages in the file: one chunk, or messages outside of chunks."""

    offset: int
    """Of its first record."""
    length: int
    """Of its records [bytes]; up to the end of the file where it is cut off."""
    start: int
    """Log time of its first message [ns], as its head says."""
    end: int
    """Log time of its last message [ns]."""
    size: int
    """Without compression [bytes]."""
    chunk: bool = True
    whole: bool = True
    """False: the file ends before the block does."""
    indexed: int = 0
    """Messages that the index after the chunk promises; 0: it does not say."""


@dataclass
class Layout:
    """What lies where in one MCAP file."""

    blocks: list[Block] = field(default_factory=list)
    """In the order of the file."""
    beside: list[tuple[int, int, int]] = field(default_factory=list)
    """Attachments and metadata records: opcode, offset, length of the content."""
    loose: list[tuple[int, int, int]] = field(default_factory=list)
    """Schemas and channels outside of chunks, likewise."""
    backwards: bool = False
    """Inside a block, messages of one channel lie clearly before earlier ones."""
    finished: bool = False
    """The file has its end."""
    damage: list[str] = field(default_factory=list)
    """What is damaged, in words."""


def scan(file: Path) -> Layout:
    """Find what lies where in a file."""
    layout = Layout()
    size = file.stat().st_size
    with file.open('rb') as stream:
        at = len(MAGIC)
        if stream.read(len(MAGIC)) != MAGIC:
            layout.damage.append('no MCAP file: it does not begin like one')
            at = _resume(stream, file, 0, size)
        while at < size:
            reached = _walk(stream, at, size, layout)
            if layout.finished or reached >= size:
                break
            at = _resume(stream, file, reached + 1, size)
            if at < size:
                layout.damage.append(f'{at - reached} damaged bytes passed over')
            else:
                layout.damage.append(f'truncated or damaged, the last {size - reached} bytes are not readable')
    if not layout.finished and not layout.damage:
        layout.damage.append('truncated: it has no end')
    return layout


def read_summary(file: Path) -> Summary | None:
    """Read the summary at the end of a file, whatever the file's beginning is; None where that is not possible."""
    try:
        with file.open('rb') as stream:
            stream.seek(-(_FOOTER_SIZE + len(MAGIC)), SEEK_END)
            footer = next(StreamReader(stream, skip_magic=True).records)
            if not isinstance(footer, Footer) or not footer.summary_start:
                return None
            stream.seek(footer.summary_start)
            summary = Summary()
            for record in StreamReader(stream, skip_magic=True).records:
                match record:
                    case Schema():
                        summary.schemas[record.id] = record
                    case Channel():
                        summary.channels[record.id] = record
                    case ChunkIndex():
                        summary.chunk_indexes.append(record)
                    case Statistics():
                        summary.statistics = record
            return summary
    except Exception:  # mcap raises whatever the damaged bytes lead it to
        return None


def count_promised(file: Path) -> int | None:
    """Return how many messages the summary at the end of a file counts; None where it does not say."""
    summary = read_summary(file)
    return summary.statistics.message_count if summary is not None and summary.statistics is not None else None


def _walk(stream: IO[bytes], at: int, size: int, layout: Layout) -> int:
    """Go from record to record; return where that leads no further: at damage, or at the end of the file."""
    while at + HEAD.size <= size:
        stream.seek(at)
        opcode, length = HEAD.unpack(stream.read(HEAD.size))
        end = at + HEAD.size + length
        if not 1 <= opcode <= DATA_END and opcode < 0x80:
            return at
        if opcode == CHUNK and length >= CHUNK_HEAD.size and at + HEAD.size + CHUNK_HEAD.size <= size:
            if end > size and not _looks_like_a_chunk(stream, at):
                return at
            start, last, plain, _, _ = CHUNK_HEAD.unpack(stream.read(CHUNK_HEAD.size))
            layout.blocks.append(Block(at, min(end, size) - at, start, last, plain, whole=end <= size))
        if end > size:
            return size if opcode in (CHUNK, MESSAGE) and layout.blocks else at
        if opcode == MESSAGE and length >= MESSAGE_HEAD.size:
            _, _, time, _ = MESSAGE_HEAD.unpack(stream.read(MESSAGE_HEAD.size))
            _add_plain(layout, at, end, time)
        elif opcode == MESSAGE_INDEX and layout.blocks and layout.blocks[-1].chunk:
            layout.blocks[-1].indexed += max(0, length - INDEX_HEAD.size) // 16
            layout.backwards = layout.backwards or _goes_back(stream.read(length))
        elif opcode in (SCHEMA, CHANNEL):
            layout.loose.append((opcode, at + HEAD.size, length))
        elif opcode in (ATTACHMENT, METADATA):
            layout.beside.append((opcode, at + HEAD.size, length))
        elif opcode == FOOTER:
            stream.seek(end)
            layout.finished = stream.read(len(MAGIC)) == MAGIC
            return size
        at = end
    return at if at + HEAD.size > size else size


def _add_plain(layout: Layout, at: int, end: int, time: int) -> None:
    """Add a message that lies outside of chunks, to the block before it where that is of the same kind."""
    last = layout.blocks[-1] if layout.blocks else None
    layout.backwards = layout.backwards or (last is not None and not last.chunk and time < last.end - DISORDER)
    if last is not None and not last.chunk and last.offset + last.length == at and last.length < PLAIN_BLOCK:
        last.length, last.size = end - last.offset, end - last.offset
        last.start, last.end = min(last.start, time), max(last.end, time)
    else:
        layout.blocks.append(Block(at, end - at, time, time, end - at, chunk=False))


def _goes_back(index: bytes) -> bool:
    """Tell from the index of a channel in a chunk whether its messages lie clearly before earlier ones."""
    count = (len(index) - INDEX_HEAD.size) // 16
    if count < 2:
        return False
    pairs = np.frombuffer(index, dtype='<i8', count=2 * count, offset=INDEX_HEAD.size).reshape(-1, 2)
    times = pairs[np.argsort(pairs[:, 1], kind='stable'), 0]
    return bool((np.diff(times) < -DISORDER).any())


def _looks_like_a_chunk(stream: IO[bytes], at: int) -> bool:
    """Tell whether a chunk that is longer than the file is one that was cut off, and not a damaged length."""
    stream.seek(at + _NAME_AT)
    head = stream.read(8)
    stream.seek(at + HEAD.size)
    return head.startswith(_NAMES) or head.startswith(b'\0\0\0\0')


def _resume(stream: IO[bytes], file: Path, after: int, size: int) -> int:
    """Return the offset of the next chunk at or behind `after`; the size of the file if there is none."""
    found = [at for at in _indexed_chunks(file) if at >= after]
    return min([*found[:1], _search(stream, after, size)])


def _indexed_chunks(file: Path) -> Iterator[int]:
    """Yield the offsets of the chunks that the index at the end of the file names, if that is readable."""
    summary = read_summary(file)
    yield from sorted(index.chunk_start_offset for index in (summary.chunk_indexes if summary else ()))


def _search(stream: IO[bytes], after: int, size: int) -> int:
    """Search for the head of a chunk by the name of its compression."""
    step, overlap = 1 << 20, 64
    at = after
    while at < size:
        stream.seek(at)
        window = stream.read(step + overlap)
        for place in sorted(p for name in _NAMES for p in _places(window, name)):
            head = at + place - _NAME_AT
            if head >= after and _is_chunk(stream, head, size):
                return head
        at += step
    return size


def _places(window: bytes, name: bytes) -> Iterator[int]:
    place = window.find(name)
    while place >= 0:
        yield place
        place = window.find(name, place + 1)


def _is_chunk(stream: IO[bytes], at: int, size: int) -> bool:
    stream.seek(at)
    head = stream.read(HEAD.size + CHUNK_HEAD.size)
    if len(head) < HEAD.size + CHUNK_HEAD.size:
        return False
    opcode, length = HEAD.unpack_from(head)
    start, end, plain, _, _ = CHUNK_HEAD.unpack_from(head, HEAD.size)
    return opcode == CHUNK and start <= end and plain < 1 << 32 and length < size
