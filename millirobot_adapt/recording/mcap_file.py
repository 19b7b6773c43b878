"""Read the messages of one MCAP file in the order of their log time, around damage where that is possible."""

from __future__ import annotations

import heapq
import itertools
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import lz4.frame
import zstandard
from mcap import records
from mcap.data_stream import ReadDataStream

from millirobot_adapt.recording.mcap_blocks import (
    CHANNEL,
    CHUNK_HEAD,
    HEAD,
    MESSAGE,
    MESSAGE_HEAD,
    SCHEMA,
    Block,
    Layout,
    count_promised,
    read_summary,
    scan,
)
from millirobot_adapt.recording.ordering import BUDGET, DISORDER, sorted_on_disk
from millirobot_adapt.recording.records import Channel, Lost, Raw

DAMAGED = (Exception,)
"""Damaged bytes show as any of a dozen exceptions of struct, zstandard, lz4 and mcap."""


class McapPart:
    """One MCAP file of a bag."""

    def __init__(self, file: Path, name: str = '') -> None:
        """Find what lies where in `file`; `name` is what messages to the user call it."""
        self.file = file
        self.name = name or str(file)
        self.lost = Lost()
        self._layout: Layout = scan(file)
        self._schemas: dict[int, records.Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._searched = False

    @property
    def start(self) -> int:
        """Log time of the first message [ns]; 0 if there is none."""
        return min((block.start for block in self._layout.blocks), default=0)

    @property
    def end(self) -> int:
        """Log time of the last message [ns]; 0 if there is none."""
        return max((block.end for block in self._layout.blocks), default=0)

    @property
    def damage(self) -> list[str]:
        """What is damaged, a line each; complete after the messages have been read."""
        return [f'{self.name}: {line}' for line in self._layout.damage] + self.lost.lines(self.name)

    @property
    def lost_count(self) -> int:
        """Messages that `damage` counts."""
        return self.lost.homeless + sum(count for _, count, _ in self.lost.chunks)

    @property
    def promised(self) -> int | None:
        """Messages that the file says it holds; None: it does not say."""
        return count_promised(self.file)

    def channels(self) -> list[Channel]:
        """Return all channels."""
        with self.file.open('rb') as stream:
            self._find_channels(stream)
        return list(dict.fromkeys(self._channels.values()))

    def messages(self) -> Iterator[Raw]:
        """Yield the messages in the order of their log time, equal ones in the order of the file."""
        if self.disordered and self._most_at_once() > BUDGET:
            yield from sorted_on_disk(self.in_file_order())
            return
        self.lost = Lost()
        with self.file.open('rb') as stream:
            self._read_loose(stream)
            yield from self._by_time(stream)

    def in_file_order(self) -> Iterator[Raw]:
        """Yield the messages as they lie in the file."""
        self.lost = Lost()
        with self.file.open('rb') as stream:
            self._read_loose(stream)
            for block in self._layout.blocks:
                yield from self._read(stream, block)

    def beside(self) -> Iterator[records.Attachment | records.Metadata]:
        """Yield attachments and metadata records."""
        with self.file.open('rb') as stream:
            for opcode, offset, length in self._layout.beside:
                stream.seek(offset)
                content = ReadDataStream(BytesIO(stream.read(length)))
                try:
                    yield (records.Attachment if opcode == 9 else records.Metadata).read(content)
                except DAMAGED:
                    continue

    @property
    def disordered(self) -> bool:
        """A message lies clearly behind a later one of its channel, or a block behind a later block."""
        if self._layout.backwards:
            return True
        latest = 0
        for block in self._layout.blocks:
            if block.start < latest - DISORDER:
                return True
            latest = max(latest, block.end)
        # What lies in a chunk without an index is seen by reading it alone.
        return any(b.chunk and not b.indexed and b.end - b.start > DISORDER for b in self._layout.blocks)

    def _most_at_once(self) -> int:
        """Return how many bytes of blocks overlap in time, at most."""
        changes = sorted(
            change
            for block in self._layout.blocks
            for change in ((block.start, block.size), (block.end + 1, -block.size))
        )
        most = now = 0
        for _, change in changes:
            now += change
            most = max(most, now)
        return most

    def _by_time(self, stream: IO[bytes]) -> Iterator[Raw]:
        """Read blocks as their time comes; a message is handed out when no block can hold an earlier one."""
        waiting: list[tuple[int, int, int, Raw]] = []
        order = sorted(self._layout.blocks, key=lambda block: (block.start, block.offset))
        if any(a.offset > b.offset for a, b in itertools.pairwise(order)):
            self._find_channels(stream)
        for block in order:
            while waiting and waiting[0][0] < block.start:
                yield heapq.heappop(waiting)[3]
            for number, raw in enumerate(self._read(stream, block)):
                heapq.heappush(waiting, (raw.received, block.offset, number, raw))
        while waiting:
            yield heapq.heappop(waiting)[3]

    def _read(self, stream: IO[bytes], block: Block) -> Iterator[Raw]:
        """Yield the messages of a block in the order of the file."""
        stream.seek(block.offset)
        content = stream.read(block.length)
        try:
            content = _decompressed(content, block) if block.chunk else content
        except DAMAGED as error:
            self.lost.chunks.append(((block.end - block.start) * 1e-9, block.indexed, type(error).__name__))
            return
        at = 0
        while at + HEAD.size <= len(content):
            opcode, length = HEAD.unpack_from(content, at)
            at += HEAD.size
            if at + length > len(content):
                break  # cut off
            if opcode == MESSAGE:
                number, sequence, received, published = MESSAGE_HEAD.unpack_from(content, at)
                channel = self._channels.get(number) or self._late_channel(stream, number)
                if channel is None:
                    self.lost.homeless += 1
                else:
                    yield Raw(channel, content[at + MESSAGE_HEAD.size : at + length], received, published, sequence)
            elif opcode in (SCHEMA, CHANNEL):
                self._learn(opcode, content[at : at + length])
            at += length

    def _learn(self, opcode: int, content: bytes) -> None:
        try:
            if opcode == SCHEMA:
                schema = records.Schema.read(ReadDataStream(BytesIO(content)))
                self._schemas[schema.id] = schema
            else:
                channel = records.Channel.read(ReadDataStream(BytesIO(content)))
                self._channels[channel.id] = self._described(channel)
        except DAMAGED:
            return

    def _described(self, record: records.Channel) -> Channel:
        schema = self._schemas.get(record.schema_id)
        name, encoding, definition = ('', '', b'') if schema is None else (schema.name, schema.encoding, schema.data)
        text = definition.decode(errors='replace')
        return Channel(record.topic, name, text, encoding, record.message_encoding, tuple(record.metadata.items()))

    def _read_loose(self, stream: IO[bytes]) -> None:
        for opcode, offset, length in self._layout.loose:
            stream.seek(offset)
            self._learn(opcode, stream.read(length))

    def _late_channel(self, stream: IO[bytes], number: int) -> Channel | None:
        """Find a channel that stands in a damaged chunk, or in one that has not been read yet."""
        place = stream.tell()
        self._find_channels(stream)
        stream.seek(place)
        return self._channels.get(number)

    def _find_channels(self, stream: IO[bytes]) -> None:
        """Find all channels: in the summary at the end of the file, else by looking into every chunk."""
        if self._searched:
            return
        self._searched = True
        self._read_loose(stream)
        summary = read_summary(self.file)
        if summary is not None:
            self._schemas = summary.schemas | self._schemas
            found = {number: self._described(channel) for number, channel in summary.channels.items()}
            self._channels = found | self._channels
        if summary is None or not self._channels:
            lost, self.lost = self.lost, Lost()
            for block in self._layout.blocks:
                for _ in self._read(stream, block):
                    pass
            self.lost = lost


def _decompressed(record: bytes, block: Block) -> bytes:
    """Return the records in a chunk; of one that is cut off, as much as there is.

    Raises:
        Exception: the chunk is damaged.
    """
    _, _, size, crc, name_length = CHUNK_HEAD.unpack_from(record, HEAD.size)
    at = HEAD.size + CHUNK_HEAD.size
    name = record[at : at + name_length].decode()
    data = record[at + name_length + 8 :]
    if name == 'zstd':
        data = _unzstd(data, size) if block.whole else zstandard.ZstdDecompressor().decompressobj().decompress(data)
    elif name == 'lz4':
        data = lz4.frame.decompress(data) if block.whole else lz4.frame.LZ4FrameDecompressor().decompress(data)
    elif name:
        raise ValueError(f'compressed with {name}, which nobody here can read')
    if block.whole and crc and zlib.crc32(data) != crc:
        raise ValueError('CRC')
    return data


def _unzstd(data: bytes, size: int) -> bytes:
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
