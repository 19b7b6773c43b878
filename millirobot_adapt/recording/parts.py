"""Find the files that a bag consists of: what its metadata says, compressed or not, and what lies beside it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import lz4.frame
import zstandard

from millirobot_adapt.core.errors import UserError, closest
from millirobot_adapt.recording.mcap_file import McapPart
from millirobot_adapt.recording.metadata import Metadata, read_metadata
from millirobot_adapt.recording.sqlite_file import SqlitePart

Part = McapPart | SqlitePart
STORAGES = ('.mcap', '.db3')
COMPRESSIONS = ('.zstd', '.zst', '.lz4')
"""Endings of files that are compressed as a whole. Case does not count in the endings of data files."""
COMPANIONS = (
    '.damaged',
    '.md5',
    '.sha1',
    '.sha256',
    '.sha512',
    '.sig',
    '.asc',
    '.json',
    '.txt',
    '.yaml',
    '.html',
    '.png',
)
"""Endings of files that lie beside a data file, are named after it, and hold none of its messages."""
WHAT = 'give a bag folder, an .mcap or .db3 file, or a run folder'
_FOREIGN = (
    (b'version https://git-lfs', 'is a git-lfs pointer and not the file itself; get that with git lfs pull'),
    (b'#ROSBAG V', 'is a ROS 1 bag; convert it with rosbags-convert'),
)


@dataclass
class BagFiles:
    """The files of a bag, in their order."""

    folder: Path | None
    """The bag folder; None: a single file."""
    files: list[Path]
    metadata: Metadata | None = None
    aside: list[Path] = field(default_factory=list)
    """Data files in the folder that do not belong to the bag."""
    missing: list[str] = field(default_factory=list)
    """Files that metadata.yaml names, and that are not there."""
    unnamed: bool = False
    """The files are not those of metadata.yaml, or there is none that can be read."""
    strange: list[Path] = field(default_factory=list)
    """Files in the folder that are named like data files with a further ending: `run_1.mcap.active`, `run.db3.gz`."""


def find_files(path: Path) -> BagFiles:
    """Find the data files of a bag: a bag folder, a single file, or a run folder that holds one bag.

    Raises:
        UserError: there is no such thing, it is not a bag, or it holds several.
    """
    if not path.exists():
        raise UserError(f'{path}: no such bag; {_like(path) or WHAT}')
    if path.is_file():
        if not storage(path):
            raise UserError(f'{path}: {_foreign(path) or "not a bag"}; {WHAT}')
        return BagFiles(None, [path])
    if is_bag(path):
        return _in_folder(path)
    bags = sorted(child for child in path.iterdir() if child.is_dir() and is_bag(child))
    own = [bag for bag in bags if bag.name == 'bag']
    if len(bags) == 1 or own:
        return _in_folder(own[0] if own else bags[0])
    if bags:
        raise UserError(f'{path}: holds {len(bags)} bags; name one of {", ".join(bag.name for bag in bags)}')
    deeper = sorted(child.parent for child in path.glob('*/*') if child.is_dir() and is_bag(child))
    if deeper:
        raise UserError(f'{path}: not a bag; it holds runs: name one, such as {deeper[0]}')
    raise UserError(f'{path}: not a bag; there is no .mcap or .db3 file in it')


def _like(path: Path) -> str:
    """Suggest what is named nearest to a path that is not there; '' where nothing is near."""
    for place in (path, *path.parents):
        if place.parent.is_dir():
            near = closest(place.name, [child.name for child in place.parent.iterdir()])
            return f'did you mean {place.parent / near}?' if near else ''
    return ''


def storage(file: Path) -> str:
    """Return the storage of a data file by its name: .mcap or .db3, '' if it is none."""
    suffix = Path(plain_name(file.name)).suffix.lower()
    return suffix if suffix in STORAGES else ''


def is_packed(file: Path) -> bool:
    """Tell whether a file is compressed as a whole, by its name."""
    return file.suffix.lower() in COMPRESSIONS


def _is_strange(file: Path) -> bool:
    """Tell whether the messages of a data file may be in a file whose name does not end like one."""
    endings = [ending.lower() for ending in file.suffixes]
    return not storage(file) and any(ending in STORAGES for ending in endings) and endings[-1] not in COMPANIONS


def is_bag(folder: Path) -> bool:
    """Tell whether a folder is a bag: data files lie in it."""
    return any(file.is_file() and storage(file) for file in folder.iterdir())


def open_part(file: Path, scratch: Path | None = None) -> Part:
    """Open one data file; one that is compressed as a whole is unpacked into `scratch` first.

    Raises:
        UserError: it is something else under that name, or its compression is damaged from the first byte.
    """
    foreign = _foreign(file)
    if foreign:
        raise UserError(f'{file}: {foreign}')
    plain = file if scratch is None or not is_packed(file) else _unpacked(file, scratch)
    return McapPart(plain, str(file)) if storage(file) == '.mcap' else SqlitePart(plain, str(file))


def make_scratch(files: Iterable[Path]) -> tempfile.TemporaryDirectory[str] | None:
    """Make a folder to unpack files into, if one of them is compressed as a whole."""
    packed = any(is_packed(file) for file in files)
    return tempfile.TemporaryDirectory(prefix='millirobot-bag-') if packed else None


def _unpacked(file: Path, scratch: Path) -> Path:
    """Unpack a file as far as that goes."""
    plain = scratch / f'{file.parent.name}-{file.stem}'
    if plain.exists():
        return plain
    with file.open('rb') as packed, plain.open('wb') as out:
        stream: IO[Any] = (
            lz4.frame.LZ4FrameFile(packed)
            if file.suffix.lower() == '.lz4'
            else zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        )
        try:
            shutil.copyfileobj(stream, out, 1 << 20)
        except (zstandard.ZstdError, RuntimeError, EOFError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
    return plain


def _in_folder(folder: Path) -> BagFiles:
    """Choose the files of a bag folder: those of its metadata, or all, where that does not fit what is there."""
    there = sorted((file for file in folder.iterdir() if file.is_file() and storage(file)), key=numbered)
    there = _once(there)
    strange = sorted(file for file in folder.iterdir() if file.is_file() and _is_strange(file))
    metadata = read_metadata(folder)
    if metadata is None:
        return BagFiles(folder, there, unnamed=True, strange=strange)
    by_name = {plain_name(file.name): file for file in there}
    named = [by_name.get(plain_name(name)) for name in metadata.files]
    files = [file for file in named if file is not None]
    missing = [name for name, file in zip(metadata.files, named, strict=True) if file is None]
    others = [file for file in there if file not in files]
    if missing:
        # It speaks of other files: a part was renamed, or it belongs to another bag. Equal messages are read once.
        return BagFiles(folder, files + others, metadata, [], missing, unnamed=True, strange=strange)
    later = [file for file in others if _goes_on(file, files)]
    aside = [file for file in others if file not in later]
    return BagFiles(folder, files + later, metadata, aside, missing, strange=strange)


def _once(files: list[Path]) -> list[Path]:
    """Leave out the packed one of a file that is there packed and unpacked."""
    plain = {file.name for file in files if not is_packed(file)}
    return [file for file in files if not is_packed(file) or plain_name(file.name) not in plain]


def plain_name(name: str) -> str:
    """Return the name of a file without the ending of its compression."""
    path = Path(name)
    return path.stem if is_packed(path) else name


def _goes_on(file: Path, files: list[Path]) -> bool:
    """Tell whether a file has a higher number in the series of the files: a killed recorder did not name it."""
    series, number = _series(file)
    numbers = [other for name, other in map(_series, files) if name == series]
    return number >= 0 and bool(numbers) and number > max(numbers)


def _series(file: Path) -> tuple[str, int]:
    """Return what the files of one split bag have in common, and the file's number; -1: none."""
    name = Path(plain_name(file.name))
    stem, _, number = name.stem.rpartition('_')
    return (f'{stem}{name.suffix}', int(number)) if number.isdecimal() and number.isascii() else (name.name, -1)


def numbered(file: Path) -> tuple[int, str]:
    """Sort split bags by their number: bag_2.mcap before bag_10.mcap."""
    return _series(file)[1], file.name


def _foreign(file: Path) -> str:
    """Say what a file is if it is known not to be a bag of ROS 2."""
    with file.open('rb') as stream:
        head = stream.read(32)
    return next((text for magic, text in _FOREIGN if head.startswith(magic)), '')
