"""Read a bag message by message, in the order of its log time, as far as it can be read."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from millirobot_adapt.contract.topics import ARRIVALS, STATE, TICK, TOPICS, Topic
from millirobot_adapt.core.errors import DeviceError, UserError
from millirobot_adapt.recording.clock_steps import ClockStep
from millirobot_adapt.recording.joining import Numbered, Repeats, clock_steps, merged, moved, one_after_the_other
from millirobot_adapt.recording.message_compression import decompressed
from millirobot_adapt.recording.metadata import METADATA, Metadata
from millirobot_adapt.recording.names import choose_robot
from millirobot_adapt.recording.parts import Part, find_files, make_scratch, numbered, open_part
from millirobot_adapt.recording.records import Channel, Raw, typestore
from millirobot_adapt.recording.sequence_gaps import SequenceGaps
from millirobot_adapt.recording.stamp_clocks import Found, StampClocks

REFERRING = frozenset(topic.name for topic in (ARRIVALS, STATE, TICK))
"""Records of this package that name the stamps of other messages."""
MOST_NAMED = 5
"""This many files, topics or types are named in a line."""


class EmptyBagError(UserError):
    """A bag that is whole, and holds no messages."""


class IncompleteBagError(DeviceError):
    """Something in a bag was not read, and the user wants that to be a failure (`--strict`)."""


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
    strict: bool = False
    """Raise an error where something was not read."""
    metadata: Metadata | None = None
    aside: Sequence[Path] = ()
    """Data files in the bag's folder that do not belong to it."""
    missing: Sequence[str] = ()
    """Files that the bag's metadata names, and that are not there."""
    strange: Sequence[Path] = ()
    """Files in the bag's folder whose names end as no data file's do, and that may hold messages."""
    folder: Path | None = None
    """The bag folder; None: a single file was named."""
    unnamed: bool = False
    """Its files are not those that its metadata names."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Messages left out by the last reading, by message type: not known, not the topic's, or in another encoding."""
    broken: Counter[str] = field(default_factory=Counter)
    """Messages left out by the last reading, by topic: bytes that are no message of the topic's type.

    Whoever reads adds messages whose content makes no sense; all are named when the reading ends.
    """
    warnings: list[str] = field(default_factory=list)
    """What kept the last reading from being complete."""
    notes: list[str] = field(default_factory=list)
    """What else the last reading found: files that lie beside the bag, steps of a clock."""
    repeats: Repeats = field(default_factory=Repeats)
    """Messages that the last reading left out because another file has them."""
    holds_messages: bool = True
    """The last reading found messages."""
    losses: SequenceGaps = field(default_factory=SequenceGaps)
    """Messages that the recorder of the bag never got, as the last reading found."""
    _scratch: TemporaryDirectory[str] | None = None
    _parts: list[Part] = field(default_factory=list)

    @property
    def parts(self) -> list[Part]:
        """The data files, opened."""
        if not self._parts:
            self._scratch = self._scratch or make_scratch(self.files)
            place = Path(self._scratch.name) if self._scratch else None
            self._parts = [open_part(file, place) for file in self.files]
        return self._parts

    def again(self) -> Bag:
        """Return the bag for a further reading, which repeats no warning and raises no error for what is left out."""
        return replace(self, warn=lambda _: None, strict=False, _parts=self.parts)

    def channels(self) -> list[Channel]:
        """Return the channels of all parts."""
        return list(dict.fromkeys(channel for part in self.parts for channel in part.channels()))

    def topic_names(self) -> dict[str, str]:
        """Map full topic names to those of contract/topics.py, for the robot that is read.

        Raises:
            UserError: the bag holds several robots and none was chosen, or not the one that was.
        """
        return choose_robot(self.channels(), self.path, self.namespace)

    def messages(self, topics: Iterable[Topic] = TOPICS, own_stamps: bool = False) -> Iterator[tuple[str, Any, float]]:
        """Yield (topic name, message, receive time [s]) of the wanted topics in the order of their receipt.

        The names are those of contract/topics.py, whatever namespace the bag was recorded in.

        Args:
            topics: The topics.
            own_stamps: Leave stamps as they are; else those of another clock are brought to the recorder's. Stamps of
                a run of this package stay in any case: its records refer to them.

        Raises:
            UserError: nothing is readable, or the robot is not clear (see `topic_names`).
            IncompleteBagError: something was not read, and `strict` is set.
        """
        wanted = {topic.name: topic.type for topic in topics}
        names = self.topic_names()
        self.unknown, self.broken = Counter(), Counter()
        recorded = {names.get(channel.topic) for channel in self.channels()}
        clocks = StampClocks(move=not own_stamps and not recorded & REFERRING)
        for name, message, received in clocks.bring(self._decoded(wanted, names)):
            yield name, message, received * 1e-9
        self.notes += [f'{self.path}: {line}' for line in clocks.lines()]
        self._report()

    def _decoded(self, wanted: Mapping[str, str], names: Mapping[str, str]) -> Iterator[Found]:
        """Yield the messages of the wanted topics, given as types by name, and count what is none."""
        for raw in self.raw_messages():
            name, kind = names.get(raw.channel.topic, ''), raw.channel.ros_type
            if raw.channel.encoding != 'cdr' or kind not in typestore().types or kind != wanted.get(name, kind):
                encoding = '' if raw.channel.encoding == 'cdr' else f'encoding {raw.channel.encoding}'
                self.unknown[f'{kind} {encoding}'.strip()] += 1
            elif name in wanted:
                try:
                    message = typestore().deserialize_cdr(raw.data, kind)
                except Exception:  # rosbags raises whatever the damaged bytes lead it to
                    self.broken[raw.channel.topic] += 1
                    continue
                yield Found(name, message, raw.received)

    def raw_messages(self) -> Iterator[Raw]:
        """Yield every message in the order of log time over all files; afterwards `warnings` are complete.

        Messages that are compressed one by one come decompressed. What a split repeats of the latched topics, and what
        two files hold both, comes once.

        Raises:
            UserError: nothing is readable, or there are no messages.
        """
        self.warnings, self.notes = [], []
        self.losses, self.repeats = SequenceGaps(), Repeats()
        count = 0
        for raw in self.repeats.once(self._in_order()):
            count += 1
            self.losses.saw(raw.channel.topic, raw.sequence)
            yield decompressed(raw)
        self._collect(count + self.repeats.left_out)
        self.holds_messages = count > 0
        if not count:
            if self.warnings:
                raise UserError(f'{self.path}: nothing in this bag is readable ({self.warnings[0]})')
            raise EmptyBagError(f'{self.path}: holds no messages')

    def need(self, found: Iterable[str], topics: Iterable[Topic]) -> None:
        """Check that all needed topics were found.

        Raises:
            UserError: names those that are missing.
        """
        missing = [topic.name for topic in topics if topic.name not in set(found)]
        if missing:
            raise UserError(f'{self.path}: no messages on the needed topics {", ".join(missing)}')

    def _in_order(self) -> Iterator[Numbered]:
        """Yield (number of the part, message) in the order in which things happened."""
        steps = self._clock_steps()
        if not steps:
            yield from merged(self.parts)
            return
        for step in steps:
            self.notes.append(
                f"{self.path}: the recorder's clock was set back by {step.back * 1e-9:.1f} s at message "
                f'{step.position + 1}; later times are shifted to follow on'
            )
        yield from moved(one_after_the_other(self.parts), steps)

    def _clock_steps(self) -> list[ClockStep]:
        """Return the steps of the recorder's clock, where the order in which the files were written is known."""
        if self.unnamed and len(self.parts) > 1:
            return []
        by_number = sorted(self.parts, key=lambda part: numbered(part.file))
        if by_number != self.parts and not clock_steps(by_number):
            return []  # the metadata names the files in a wrong order
        return clock_steps(self.parts)

    def _count_lost(self, found: int) -> list[str]:
        """Say how many messages of a damaged bag are lost, where the lines of its files do not say so already.

        What the files say of themselves goes before what the metadata says.
        """
        promised = [part.promised for part in self.parts]
        known = [count for count in promised if count is not None]
        total = sum(known) if len(known) == len(promised) and not self.missing else None
        if total is None and self.metadata is not None:
            total = self.metadata.message_count
        lost = 0 if total is None else total - found
        if lost <= 0 or lost == sum(part.lost_count for part in self.parts):
            return []
        return [f'{self.path}: {lost} of {total} messages lost']

    def _collect(self, found: int) -> None:
        """Note what the files say of themselves, once they have been read."""
        where = self.folder or self.path
        self.warnings += [f'{where / name}: is named in {METADATA}, but is missing' for name in self.missing]
        damage = [line for part in self.parts for line in part.damage]
        self.warnings += damage
        if damage or self.missing:
            self.warnings += self._count_lost(found)
        if self.aside:
            names = _some([file.name for file in self.aside])
            self.notes.append(f'{where}: not in its {METADATA} and not read: {names}')
        if self.metadata and self.metadata.elsewhere:
            self.notes.append(
                f'{where}: its {METADATA} names files in other folders ({_some(self.metadata.elsewhere)}); '
                'only files in the bag are read, by their names'
            )
        if self.strange:
            names = _some([file.name for file in self.strange])
            self.notes.append(
                f'{where}: not read: {names}; a data file ends in .mcap or .db3, or in .zstd, .zst, .lz4 after it'
            )
        if not self.aside and self.unnamed and len(self.files) > 1:
            said = f'its {METADATA} names other files' if self.metadata else f'no {METADATA}'
            self.notes.append(f'{where}: {said}; read as one bag: {_some([file.name for file in self.files])}')
        if self.repeats.in_two_files:
            count = self.repeats.in_two_files
            self.notes.append(f'{self.path}: {count} messages are in two of its files; each was read once')

    def _report(self) -> None:
        """Say what was found, and in one line what was not read.

        Raises:
            IncompleteBagError: something was not, and `strict` is set.
        """
        for line in (*self.notes, *self.warnings):
            self.warn(line)
        left_out = []
        if self.broken:
            left_out.append(f'{sum(self.broken.values())} damaged messages left out ({_some(self.broken)})')
        if self.unknown:
            left_out.append(f'{sum(self.unknown.values())} messages of unknown type left out ({_some(self.unknown)})')
        if left_out:
            self.warn(f'{self.path}: {"; ".join(left_out)}')
        beside = self.aside or self.strange
        if self.strict and (self.warnings or left_out or beside):
            lines = [*self.warnings, *left_out, *(self.notes if beside else ())]
            raise IncompleteBagError(f'{self.path}: not everything was read (--strict): {lines[0]}')


def open_bag(
    path: Path, warn: Callable[[str], None] = _warn, namespace: str | None = None, strict: bool = False
) -> Bag:
    """Find the data files of a bag: a bag folder, a single .mcap or .db3 file, or a run folder that holds a bag.

    Args:
        path: What the user named.
        warn: Takes one line for each thing that kept the reading from being complete.
        namespace: Namespace of the robot to read, '' for none; None: the only one that the bag holds.
        strict: Make an error of what is not read.

    Raises:
        UserError: there is no such thing, it is not a bag, or it holds several bags.
    """
    found = find_files(path)
    return Bag(
        path, found.files, warn, namespace, strict,
        metadata=found.metadata, aside=found.aside, missing=found.missing, strange=found.strange, folder=found.folder,
        unnamed=found.unnamed,
    )  # fmt: skip


def _some(names: Iterable[str]) -> str:
    """Name the first few of some things."""
    every = sorted(names) if isinstance(names, Counter) else list(names)
    rest = len(every) - MOST_NAMED
    return ', '.join(every[:MOST_NAMED]) + (f' and {rest} more' if rest > 0 else '')
