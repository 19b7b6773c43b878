"""Make folders, write files so that an older one is not lost when the disk or the power fails, read paths of users."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from millirobot_adapt.core.errors import UserError

NO_WAY_IN = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""Why a path that a user names cannot be looked at."""


def user_path(text: str) -> Path:
    """Return the path that a user wrote; `~` is the home folder, as in a shell.

    Raises:
        UserError: there is no such home folder.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f'{text}: there is no such home folder; write the path in full') from None


def exists(path: Path) -> bool:
    """Return whether there is a file or folder.

    Raises:
        UserError: its folder may not be searched, or the path is none.
    """
    try:
        return path.exists()
    except OSError as error:
        raise UserError(f'{path}: cannot be looked at: {error.strerror}') from None


def make_folder(folder: Path) -> None:
    """Make a folder, if it is missing, before the work whose results it will hold.

    Raises:
        UserError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'{folder}: cannot be made ({error.strerror}); choose another place with --out') from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f'{folder}: may not be written to; choose another place with --out')


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write all of it: whatever happens, `path` holds all of the old content or all of the new.

    The content is on the disk (fsync) before it takes the old one's place.

    Raises:
        OSError: the disk does not take it.
    """
    scratch = path.with_name(f'{path.name}.new')
    try:
        with scratch.open('wb') as file:
            yield file
        put_in_place(scratch, path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        error.filename = str(path)  # a write that fails does not name its file
        raise
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@contextmanager
def whole_text(path: Path) -> Iterator[TextIO]:
    """Open a text file as `whole_file` does: UTF-8, line ends as they are written.

    Raises:
        OSError: the disk does not take it.
    """
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding='utf-8', newline='')
        yield text
        text.flush()
        text.detach()


def put_in_place(scratch: Path, path: Path) -> None:
    """Let a finished file replace another of its folder, once its content is on the disk (fsync).

    Raises:
        OSError: the disk does not take it.
    """
    _sync(scratch, os.O_RDONLY)
    scratch.replace(path)
    _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)  # the new name, too


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file as `whole_file` does; text in UTF-8.

    Raises:
        OSError: the disk does not take it.
    """
    with whole_file(path) as file:
        file.write(content.encode('utf-8') if isinstance(content, str) else content)


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files that belong together: all are on the disk before the first takes the place of an older one.

    The last one says that all are there: the older one of its name goes first, and it is put in place last.

    Args:
        folder: The folder, which is there.
        contents: Content by name.

    Raises:
        OSError: the disk does not take them; the folder is as it was.
    """
    scratch = {name: folder / f'{name}.new' for name in contents}
    try:
        for name, content in contents.items():
            try:
                scratch[name].write_bytes(content)
                _sync(scratch[name], os.O_RDONLY)
            except OSError as error:
                error.filename = str(folder / name)  # a write that fails does not name its file
                raise
        (folder / list(contents)[-1]).unlink(missing_ok=True)
        for name, file in scratch.items():
            file.replace(folder / name)
        _sync(folder, os.O_RDONLY | os.O_DIRECTORY)
    except BaseException:
        for file in scratch.values():
            file.unlink(missing_ok=True)
        raise


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
