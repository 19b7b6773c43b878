"""Make a damaged bag whole: copy what is readable of it into a new bag that every ROS 2 tool opens."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rosbags.rosbag2 import Reader
from tqdm import tqdm

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.reader import Bag, open_bag
from millirobot_adapt.recording.writer import BagWriter


@dataclass(frozen=True)
class Repaired:
    """What came of mending a bag."""

    bag: Path
    """The whole bag."""
    kept: Path
    """The damaged bag, as it was."""
    messages: int
    seconds: float
    """From the first message to the last."""
    damage: list[str]
    """What was found, a line each."""


def repair(path: Path, out: Path | None = None) -> Repaired | None:
    """Make a bag whole; returns None, and does nothing, where it is.

    The whole bag takes the place of the damaged one, which is kept beside it as `NAME.damaged`; nothing is deleted.
    Every message that is readable is copied as it is, of whatever type. The new bag is MCAP in any case.

    Args:
        path: Bag folder, single .mcap or .db3 file, or run folder.
        out: Bag folder to make instead; the damaged bag then stays where it is.

    Raises:
        UserError: there is no bag, nothing in it is readable, or `out` exists.
        DeviceError: the disk does not take the new bag; the damaged one is untouched.
    """
    damage: list[str] = []
    bag = open_bag(path, damage.append)
    # A single file becomes a bag folder beside it.
    source = path if path.is_file() else bag.files[0].parent
    _refuse_live(bag)
    if out is None and _is_whole(bag, source):
        return None
    target = out or (source.with_suffix('') if path.is_file() else source)
    if target.exists() and target != source:
        raise UserError(f'{target}: exists already; choose another place with --out')
    try:
        with TemporaryDirectory(dir=_existing_parent(target), prefix='.mending-') as scratch:
            count, seconds = _copy(bag, Path(scratch) / target.name)
            kept = source
            if target == source:
                kept = _free_name(source)
                source.rename(kept)
            (Path(scratch) / target.name).rename(target)
    except OSError as error:
        raise UserError(f'{target}: cannot be made ({error.strerror}); choose another place with --out') from None
    return Repaired(target, kept, count, seconds, [*damage, *bag.warnings])


def _refuse_live(bag: Bag) -> None:
    for file in bag.files:
        with file.open('rb') as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f'{bag.path}: is being recorded; end the recorder first') from None
            except OSError:
                continue  # a file system without locks


def _is_whole(bag: Bag, source: Path) -> bool:
    """Tell whether we can read a bag without a complaint, and others all that its metadata promises."""
    for _ in _shown(bag, 'examining'):
        pass
    if bag.warnings:
        return False
    try:
        with Reader(source) as reader:
            return sum(1 for _ in reader.messages()) == reader.message_count
    except Exception:  # rosbags raises whatever damage and missing metadata lead it to
        return False


def _copy(bag: Bag, folder: Path) -> tuple[int, float]:
    """Copy the readable messages into the new bag `folder`; returns how many, and the time they span [s]."""
    first = last = count = 0
    with BagWriter(folder, topics={}) as writer:
        for raw in _shown(bag, 'mending'):
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
