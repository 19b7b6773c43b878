"""Read a bag message by message, as far as it can be read."""

from __future__ import annotations

import heapq
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from millirobot_adapt.bags.mcap_file import Raw, read_mcap
from millirobot_adapt.bags.sqlite_file import read_sqlite
from millirobot_adapt.bags.types import typestore
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.topics import TOPICS, Topic

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
    unknown: Counter[str] = field(default_factory=Counter)
    """Messages left out by the last reading, by message type: types that are not known, or not the topic's."""
    broken: Counter[str] = field(default_factory=Counter)
    """Messages left out by the last reading, by topic: bytes that are no message of the topic's type.

    Whoever reads adds messages whose content makes no sense; all are told of when the reading ends.
    """
    warnings: list[str] = field(default_factory=list)
    """What kept the last reading from being complete."""

    def messages(self, topics: Iterable[Topic] = TOPICS) -> Iterator[tuple[str, Any, float]]:
        """Yield (topic name, message, receive time [s]) of the wanted topics in the order of their receipt.

        The names are those of core/topics.py, whatever namespace the bag was recorded in.
        """
        wanted = {topic.name: topic.type for topic in topics}
        names = _Names(self.path)
        self.unknown, self.broken, self.warnings = Counter(), Counter(), []
        for raw in _in_order(self._raw_messages()):
            name = names[raw.topic]
            if raw.type not in typestore().types or (name in wanted and raw.type != wanted[name]):
                self.unknown[raw.type] += 1
            elif name in wanted:
                try:
                    message = typestore().deserialize_cdr(raw.data, raw.type)
                except Exception:  # rosbags raises whatever the damaged bytes lead it to
                    self.broken[raw.topic] += 1
                    continue
                yield name, message, raw.received * 1e-9
        self._report()

    def need(self, found: Iterable[str], topics: Iterable[Topic]) -> None:
        """Check that all needed topics were found.

        Raises:
            UserError: names those that are missing.
        """
        missing = [topic.name for topic in topics if topic.name not in set(found)]
        if missing:
            raise UserError(f'{self.path}: no messages on the needed topics {", ".join(missing)}')

    def _raw_messages(self) -> Iterator[Raw]:
        count = 0
        for file in self.files:
            read = read_mcap if file.suffix == '.mcap' else read_sqlite
            for raw in read(file, self.warnings.append):
                count += 1
                yield raw
        if not count:
            reason = f' ({self.warnings[0]})' if self.warnings else ''
            raise UserError(f'{self.path}: nothing in this bag is readable{reason}')

    def _report(self) -> None:
        for warning in self.warnings:
            self.warn(warning)
        if self.broken:
            self.warn(f'{self.path}: {sum(self.broken.values())} damaged messages left out')
        if self.unknown:
            types = ', '.join(sorted(self.unknown))
            self.warn(f'{self.path}: {sum(self.unknown.values())} messages of unknown type left out ({types})')


def open_bag(path: Path, warn: Callable[[str], None] = _warn) -> Bag:
    """Find the data files of a bag: a bag folder, a single .mcap or .db3 file, or a run folder that holds a bag.

    Args:
        path: What the user named.
        warn: Takes one line for each thing that kept the reading from being complete.

    Raises:
        UserError: there is no such thing, or it is not a bag.
    """
    if not path.exists():
        raise UserError(f'{path}: no such bag; give a bag folder, an .mcap or .db3 file, or a run folder')
    if path.is_file():
        if path.suffix in _SUFFIXES:
            return Bag(path, [path], warn)
        raise UserError(f'{path}: not a bag; give a bag folder, an .mcap or .db3 file, or a run folder')
    for folder in (path, *sorted(child for child in path.iterdir() if child.is_dir())):
        files = sorted((file for file in folder.iterdir() if file.suffix in _SUFFIXES), key=_natural)
        if files:
            return Bag(path, files, warn)
    raise UserError(f'{path}: not a bag; there is no .mcap or .db3 file in it')


_SUFFIXES = ('.mcap', '.db3')


def _natural(file: Path) -> tuple[int, str]:
    """Sort split bags by their number: bag_2.mcap before bag_10.mcap."""
    number = file.stem.rpartition('_')[2]
    return (int(number) if number.isdigit() else -1, file.name)


def contract_name(full_name: str) -> str | None:
    """Return the contract's name of a full topic name in any namespace, or None if it is none of the contract's.

    The longest match wins: `/robot1/mock/legs` is `mock/legs`, not `legs` in the namespace `robot1/mock`.
    """
    matches = [t.name for t in TOPICS if f'/{full_name}'.endswith(f'/{t.name.lstrip("/")}')]
    return max(matches, key=len, default=None)


class _Names(dict[str, 'str | None']):
    """Map full topic names to the contract's, each of which may come from one namespace only."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def __missing__(self, full_name: str) -> str | None:
        name = contract_name(full_name)
        for other, taken in self.items():
            if name is not None and taken == name:
                raise UserError(
                    f'{self._path}: holds more than one robot ({other} and {full_name}); record one namespace a bag'
                )
        self[full_name] = name
        return name


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
