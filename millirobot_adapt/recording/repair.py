"""Repair a damaged bag: copy what is readable of it into a new bag that every ROS 2 tool opens."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.message_compression import COMPRESSED
from millirobot_adapt.recording.metadata import METADATA
from millirobot_adapt.recording.reader import Bag, EmptyBagError, open_bag
from millirobot_adapt.recording.writer import BagWriter


@dataclass(frozen=True)
class Repaired:
    """What came of repairing a bag."""

    bag: Path
    """The whole bag."""
    kept: Path
    """The bag as it was."""
    messages: int
    seconds: float
    """From the first message to the last."""
    damage: list[str]
    """What was found, a line each; empty: the bag was whole, and has only been copied."""


def repair(path: Path, out: Path | None = None) -> Repaired | None:
    """Repair a bag; returns None, and does nothing, where it is whole.

    The whole bag takes the place of the damaged one, which is kept beside it as `NAME.damaged`; nothing is deleted.
    Every message that is readable is copied as it is, of whatever type, attachments and metadata records too. The new
    bag is MCAP in any case.

    Args:
        path: Bag folder, single .mcap or .db3 file, or run folder.
        out: Bag folder to make instead; the bag then stays where it is.

    Raises:
        UserError: there is no bag, nothing in it is readable, what is in it cannot be understood, or `out` exists.
        DeviceError: the disk does not take the new bag; the damaged one is untouched.
    """
    bag = open_bag(path, lambda _: None)
    # A single file becomes a bag folder beside it.
    source = path if bag.folder is None else bag.folder
    _refuse_live(bag)
    damage = find_damage(bag)
    if not damage and out is None:
        return None
    target = out or (source.with_suffix('') if path.is_file() else source)
    if target.exists() and target != source:
        raise UserError(f'{target}: exists already; choose another place with --out')
    try:
        with TemporaryDirectory(dir=_existing_parent(target), prefix='.repairing-') as scratch:
            count, seconds = _copy(bag, Path(scratch) / target.name)
            kept = source
            if target == source:
                kept = _free_name(source)
                source.rename(kept)
            (Path(scratch) / target.name).rename(target)
    except OSError as error:
        raise UserError(f'{target}: cannot be made ({error.strerror}); choose another place with --out') from None
    return Repaired(target, kept, count, seconds, damage)


def find_damage(bag: Bag) -> list[str]:
    """Read a bag through and return what is damaged, a line each: by our own reading and what its metadata promises.

    Raises:
        UserError: nothing in it is readable, or its messages are packed in a way that nobody here understands.
    """
    count = packed = 0
    try:
        for raw in _shown(bag, 'examining'):
            count += 1
            # What is still compressed after the reader has tried is damaged or in a format that nobody here knows.
            packed += raw.channel.encoding == 'cdr' and raw.data.startswith(COMPRESSED)
    except EmptyBagError:
        pass
    if packed and packed == count:
        raise UserError(f'{bag.path}: its messages are compressed in a way that cannot be read; it is left as it is')
    damage = list(bag.warnings)
    if packed:
        damage.append(f'{bag.path}: {packed} messages whose compression is damaged')
    if bag.folder is not None and bag.metadata is None:
        damage.append(f'{bag.folder}: no {METADATA} that can be read')
    elif bag.folder is not None and bag.metadata is not None:
        promised, found = bag.metadata.message_count, count + bag.repeats.left_out
        if bag.unnamed or len(bag.files) > len(bag.metadata.files):
            damage.append(f'{bag.folder / METADATA}: does not name the files that are there')
        elif promised != found and not damage:
            damage.append(f'{bag.folder / METADATA}: promises {promised} messages; {found} are there')
    return damage


def _refuse_live(bag: Bag) -> None:
    for file in bag.files:
        with file.open('rb') as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f'{bag.path}: is being recorded; end the recorder first') from None
            except OSError:
                continue  # a file system without locks


def _copy(bag: Bag, folder: Path) -> tuple[int, float]:
    """Copy the readable messages into the new bag `folder`; returns how many, and the time they span [s]."""
    first = last = count = 0
    with BagWriter(folder, topics={}) as writer:
        for part in bag.parts:
            for record in part.beside():
                writer.write_beside(record)
        for channel in () if bag.holds_messages else bag.channels():
            writer.add_channel(channel)
        for raw in _shown(bag, 'copying') if bag.holds_messages else ():
            if raw.channel.encoding == 'cdr' and raw.data.startswith(COMPRESSED):
                continue
            writer.write_raw(raw)
            first, last = min(first or raw.received, raw.received), max(last, raw.received)
            count += 1
    return count, (last - first) * 1e-9


def _shown(bag: Bag, what: str) -> tqdm[Any]:
    return tqdm(bag.raw_messages(), desc=what, unit=' messages', disable=None, leave=False)


def _existing_parent(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.parent


def _free_name(source: Path) -> Path:
    kept = source.with_name(f'{source.name}.damaged')
    number = 1
    while kept.exists():
        number += 1
        kept = source.with_name(f'{source.name}.damaged_{number}')
    return kept
