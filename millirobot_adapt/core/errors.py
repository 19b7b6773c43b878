"""The exceptions that every executable turns into one line and an exit code, and the texts they share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NEAR = 0.6
"""Similarity (difflib's ratio) from which a known name is a likely reading of an unknown one."""
_FEW = 20
"""This many known names are listed where none is near."""

EXTRAS = {
    **dict.fromkeys(('mujoco', 'joblib'), 'sim'),
    **dict.fromkeys(('matplotlib', 'jinja2'), 'report'),
    **dict.fromkeys(('imageio_ffmpeg', 'PIL'), 'film'),
    'rerun': 'view',
    'pyarrow': 'parquet',
    **dict.fromkeys(('torch', 'onnx', 'onnxscript'), 'train'),
    'pytorch_mppi': 'bench',
    'array_api_compat': 'gpu',
}
"""Libraries that the robot's computer does not need, and the extra of setup.py that installs each."""


class UserError(Exception):
    """Report bad input in one line that names the thing and the fix.

    Every executable catches it at the top, prints the message without a traceback and exits with 2.
    """


class PlacedError(UserError):
    """Report bad input at a place: keys and numbers that lead to it from where the check stands."""

    def __init__(self, message: str, *place: str | int) -> None:
        super().__init__(message)
        self.place = place


class DeviceError(Exception):
    """Report in one line that a device failed while in use, such as a disk that is full; nobody's input was wrong.

    Every executable catches it at the top, prints the message without a traceback and exits with 1.
    """


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the known name that is near, else the known ones if few.

    It begins with a semicolon, or is empty where there is nothing useful to say.
    """
    names = [str(name) for name in known]
    near = closest(word, names)
    if near is not None:
        return f'; did you mean {near!r}?'
    return f'; known are {", ".join(names)}' if 0 < len(names) <= _FEW else ''


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that `word` most likely stands for, None where none is near."""
    names = list(known)
    same = [name for name in names if name.lower() == word.lower()]
    return next(iter(same or difflib.get_close_matches(word.lower(), names, n=1, cutoff=_NEAR)), None)


def not_one_of(value: object, known: Iterable[object]) -> str:
    """Return 'x' is not one of a, b, c; with the nearest of them where one is near."""
    names = [str(name) for name in known]
    near = closest(value, names) if isinstance(value, str) else None
    return f'{value!r} is not one of {", ".join(names)}' + (f'; did you mean {near!r}?' if near else '')


def missing_extra(error: ModuleNotFoundError) -> UserError:
    """Return what to say when a library of an extra is not installed.

    Raises:
        ModuleNotFoundError: the given one, as the library belongs to no extra.
    """
    library = (error.name or '').split('.')[0]
    if library not in EXTRAS:
        raise error
    return UserError(f"{library} is not installed; run: pip install 'millirobot_adapt[{EXTRAS[library]}]'")
