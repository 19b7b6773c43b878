"""Make folders, and write files so that an older one is not lost when the disk fails."""

from __future__ import annotations

import os
from pathlib import Path

from millirobot_adapt.core.errors import UserError


def make_folder(folder: Path) -> None:
    """Make a folder, if it is missing, before the work is done whose results it shall hold.

    Raises:
        UserError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'{folder}: cannot be made ({error.strerror}); choose another place with --out') from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f'{folder}: may not be written to; choose another place with --out')


def write_whole(path: Path, text: str) -> None:
    """Write a text file at once: whatever happens, `path` holds all of the old text or all of the new.

    Raises:
        OSError: the disk does not take it.
    """
    scratch = path.with_name(f'{path.name}.new')
    try:
        scratch.write_text(text, encoding='utf-8')
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        error.filename = str(path)  # a write that fails does not name its file
        raise
