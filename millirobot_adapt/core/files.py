"""Write files so that an older one is not lost when the disk fails."""

from __future__ import annotations

from pathlib import Path


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
