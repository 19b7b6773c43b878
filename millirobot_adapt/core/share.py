"""Find what the package ships: parameters, models, launch files."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from millirobot_adapt.core.errors import UserError, did_you_mean
from millirobot_adapt.core.files import exists, user_path

PACKAGE = 'millirobot_adapt'
DEFAULT_METHODS = ('rebal', 'grbal')
"""Methods whose models drive a robot where the user names none, the best first (docs/adaptation.md)."""
COPY_MARK = '_seed'
"""What stands between the name of a model and the training seed of a copy of it."""
KINDS = {
    'models': 'model',
    'params': 'parameter file',
    'params/calibration': 'table of figures',
    'params/conditions': 'condition',
    'params/robots': 'robot',
    'params/training': 'recipe',
}
"""What a folder of shipped things holds, for messages."""


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


def copy_name(bundle: str, seed: int) -> str:
    """Return what the same model with another training seed is called."""
    return f'{bundle}{COPY_MARK}{seed}'


def default_model(robot: str) -> str:
    """Return the name under models/ of the bundle that drives a robot where the user names none.

    It is that of the first of `DEFAULT_METHODS` for which one ships.
    """
    names = [shipped_model(robot, method) for method in DEFAULT_METHODS]
    return next((name for name in names if (share_dir() / 'models' / name).is_dir()), names[-1])


def find(kind: str, name: str, suffix: str = '') -> Path:
    """Return the path of what a user names: a file or folder of the user, or a shipped thing.

    A name with a slash, a `~` or a suffix is a path, and wins where it is there. Any other name is that of a shipped
    thing, which wins over a file or folder of the same name in the working directory.

    Args:
        kind: Folder of the shipped things, such as `models` or `params/robots`.
        name: What the user wrote.
        suffix: Of shipped files, such as `.yaml`.

    Raises:
        UserError: there is neither; the message says what is shipped. A path that cannot be looked at.
    """
    given, folder = user_path(name), share_dir() / kind
    shipped = folder / f'{name}{suffix}'
    is_path = '/' in name or name.startswith('~') or given.suffix != ''
    for place in (given, shipped) if is_path else (shipped, given):
        if exists(place):
            return place
    known = sorted(path.stem if suffix else path.name for path in folder.glob(f'*{suffix}'))
    raise UserError(
        f'{name}: no such file, and no {KINDS.get(kind, kind)} of that name is shipped{did_you_mean(name, known)}'
    )


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file in a folder, by its path inside the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }
