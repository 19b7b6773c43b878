"""Read a bag message by message, as far as it can be read."""

from __future__ import annotations

import heapq
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from millirobot_adapt.contract.topics import TOPICS, Topic
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.mcap_file import read_mcap
from millirobot_adapt.recording.metadata import METADATA, read_metadata
from millirobot_adapt.recording.names import ContractNames
from millirobot_adapt.recording.records import Channel, Raw, typestore
from millirobot_adapt.recording.sequence_gaps import SequenceGaps
from millirobot_adapt.recording.sqlite_file import read_sqlite

REORDER_WINDOW = 2_000_000_000
"""Files hold messages in the order of writing; receive times may be this far out of order [ns]."""


def _warn(text: str) -> None:
    print(f'warning: {text}', file=sys.stderr)


@dataclass
class Bag:
    """A bag on disk: its data files and what was noticed while reading them."""

    path: Path
    files: list[Path]
    warn: Callable[[str], None] = _warn
    namespace: str | None = None
    """Namespace of the robot to read, '' for none; None: the only one that there is."""
    compressed: bool = False
    """Whether each message is compressed on its own (`ros2 bag record --compression-mode message`)."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Messages left out by the last reading, by message type: types that are not known, or not the topic's."""
    broken: Counter[str] = field(default_factory=Counter)
    """Messages left out by the last reading, by topic: bytes that are no message of the topic's type.

    Whoever reads adds messages whose content makes no sense; all are told of when the reading ends.
    """
    warnings: list[str] = field(default_factory=list)
    """What kept the last reading from being complete."""
    losses: SequenceGaps = field(default_factory=SequenceGaps)
    """Messages that the recorder of the bag never got, as the last reading found."""

    def messages(self, topics: Iterable[Topic] = TOPICS) -> Iterator[tuple[str, Any, float]]:
        """Yield (topic name, message, receive time [s]) of the wanted topics in the order of their receipt.

        The names are those of contract/topics.py, whatever namespace the bag was recorded in.
        """
        wanted = {topic.name: topic.type for topic in topics}
        names = ContractNames(self.path, self.namespace)
        self.unknown, self.broken = Counter(), Counter()
        for raw in _in_order(self.raw_messages()):
            name = names[raw.channel.topic]
            kind = raw.channel.type
            if raw.channel.encoding != 'cdr' or kind not in typestore().types or kind != wanted.get(name or '', kind):
                self.unknown[kind] += 1
            elif name in wanted:
                try:
                    message = typestore().deserialize_cdr(raw.data, kind)
                except Exception:  # rosbags raises whatever the damaged bytes lead it to
                    self.broken[raw.channel.topic] += 1
                    continue
                yield name, message, raw.received * 1e-9
        self._report()

    def raw_messages(self) -> Iterator[Raw]:
        """Yield every message as it lies in the files, in the order of writing; afterwards `warnings` are complete.

        What a split repeats of the latched topics comes once.

        Raises:
            UserError: nothing is readable.
        """
        self.warnings, self.losses = [], SequenceGaps()
        count = 0
        newest: dict[Channel, Raw] = {}
        for file in self.files:
            read = read_mcap if file.suffix == '.mcap' else read_sqlite
            before = dict(newest)
            for raw in read(file, self.warnings.append):
                count += 1
                newest[raw.channel] = raw
                if _repeats(raw, before.pop(raw.channel, None)):
                    continue
                self.losses.saw(raw.channel.topic, raw.sequence)
                yield _decompressed(raw) if self.compressed else raw
        if not count:
            reason = f' ({self.warnings[0]})' if self.warnings else ''
            raise UserError(f'{self.path}: nothing in this bag is readable{reason}')

    def need(self, found: Iterable[str], topics: Iterable[Topic]) -> None:
        """Check that all needed topics were found.

        Raises:
            UserError: names those that are missing.
        """
        missing = [topic.name for topic in topics if topic.name not in set(found)]
        if missing:
            raise UserError(f'{self.path}: no messages on the needed topics {", ".join(missing)}')

    def _report(self) -> None:
        for warning in self.warnings:
            self.warn(warning)
        if self.broken:
            self.warn(f'{self.path}: {sum(self.broken.values())} damaged messages left out')
        if self.unknown:
            types = ', '.join(sorted(self.unknown))
            self.warn(f'{self.path}: {sum(self.unknown.values())} messages of unknown type left out ({types})')


def open_bag(path: Path, warn: Callable[[str], None] = _warn, namespace: str | None = None) -> Bag:
    """Find the data files of a bag: a bag folder, a single .mcap or .db3 file, or a run folder that holds a bag.

    Args:
        path: What the user named.
        warn: Takes one line for each thing that kept the reading from being complete.
        namespace: Namespace of the robot to read, '' for none; None: the only one that the bag holds.

    Raises:
        UserError: there is no such thing, or it is not a bag.
    """
    if not path.exists():
        raise UserError(f'{path}: no such bag; give a bag folder, an .mcap or .db3 file, or a run folder')
    if path.is_file():
        if path.suffix in _SUFFIXES:
            return Bag(path, [path], warn, namespace)
        raise UserError(f'{path}: not a bag; give a bag folder, an .mcap or .db3 file, or a run folder')
    for folder in (path, *sorted(child for child in path.iterdir() if child.is_dir())):
        files = sorted((file for file in folder.iterdir() if file.suffix in _SUFFIXES), key=_natural)
        if files:
            return _open_folder(path, folder, files, warn, namespace)
        if any(folder.glob('*.zstd')):
            raise UserError(f'{folder}: its files are compressed as a whole; decompress them with `zstd -d` first')
    raise UserError(f'{path}: not a bag; there is no .mcap or .db3 file in it')


_SUFFIXES = ('.mcap', '.db3')


def _open_folder(
    path: Path, folder: Path, files: list[Path], warn: Callable[[str], None], namespace: str | None
) -> Bag:
    """Open the files found in a bag folder, and those that its metadata.yaml names: a killed recorder names not all."""
    metadata = read_metadata(folder)
    if metadata is None:
        if len({_series(file) for file in files}) > 1:
            names = ', '.join(file.name for file in files)
            warn(f'{folder}: no metadata.yaml; read as one bag, in this order: {names}')
        return Bag(path, files, warn, namespace)
    for name in metadata.files:
        if not (folder / name).is_file():
            warn(f'{folder / name}: named in {METADATA}, but not there')
    return Bag(path, files, warn, namespace, metadata.compression == 'message')


def _natural(file: Path) -> tuple[int, str]:
    """Sort split bags by their number: bag_2.mcap before bag_10.mcap."""
    number = file.stem.rpartition('_')[2]
    return (int(number) if number.isdigit() else -1, file.name)


def _series(file: Path) -> str:
    """Return what the files of one split bag have in common: their name without its number."""
    stem, _, number = file.stem.rpartition('_')
    return f'{stem}{file.suffix}' if number.isdigit() else file.name


def _repeats(raw: Raw, before: Raw | None) -> bool:
    """Tell whether the first message of a channel in a file is the last one of the file before."""
    return before is not None and (raw.published, raw.data) == (before.published, before.data)


def _decompressed(raw: Raw) -> Raw:
    try:
        return raw._replace(data=zstandard.ZstdDecompressor().decompressobj().decompress(raw.data))
    except zstandard.ZstdError:
        return raw  # damaged; told of when it is decoded


def _in_order(raw_messages: Iterable[Raw]) -> Iterator[Raw]:
    """Sort by receive time within a window, keeping the file's order among equals."""
    heap: list[tuple[int, int, Raw]] = []
    newest = 0
    for count, raw in enumerate(raw_messages):
        newest = max(newest, raw.received)
        heapq.heappush(heap, (raw.received, count, raw))
        while newest - heap[0][0] > REORDER_WINDOW:
            yield heapq.heappop(heap)[2]
    while heap:
        yield heapq.heappop(heap)[2]
