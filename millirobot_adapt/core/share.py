"""Find what the package ships: parameters, models, launch files."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from millirobot_adapt.core.errors import UserError

PACKAGE = 'millirobot_adapt'


def share_dir() -> Path:
    """Return the folder that holds params/, models/ and launch/: the checkout's root, or share/ of the installation.

    Raises:
        UserError: the installation is incomplete.
    """
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / 'package.xml').is_file() and (checkout / 'params').is_dir():
        return checkout
    # colcon: <prefix>/lib/pythonX.Y/site-packages/millirobot_adapt/core; pip: the same below the venv.
    for prefix in (*Path(__file__).resolve().parents, Path(sys.prefix)):
        share = prefix / 'share' / PACKAGE
        if (share / 'params').is_dir():
            return share
    raise UserError(f'the installed package has no share/{PACKAGE}/params; install it again (not editable)')


def shipped_model(robot: str, method: str) -> str:
    """Return the name under models/ of the bundle that ships for a method."""
    return f'{robot}_{method}'


def find(kind: str, name: str, suffix: str = '') -> Path:
    """Return the path of a shipped thing by its name ('params', 'robots/velociroach'), or of the file the user named.

    A `name` that is an existing path wins, so users can point anywhere.

    Raises:
        UserError: neither exists; the message lists what is shipped.
    """
    given = Path(name).expanduser()
    if given.exists():
        return given
    folder = share_dir() / kind
    shipped = folder / f'{name}{suffix}'
    if shipped.exists():
        return shipped
    place = (folder / name).parent
    known = sorted(path.stem if suffix else path.name for path in place.glob(f'*{suffix}')) if place.is_dir() else []
    choice = f'known are {", ".join(known)}' if known else 'none is'
    raise UserError(f'{name}: no such file, and no {kind} of that name is shipped; {choice}')


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file in a folder, by its path inside the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }
