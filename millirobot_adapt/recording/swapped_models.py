"""Find the models that were swapped in during a recorded run."""

from __future__ import annotations

import hashlib
from pathlib import Path

from millirobot_adapt.core.dynamics.bundle import MANIFEST
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.recording.reader import Bag

MODELS = 'models'
"""Folder in a run folder for the bundles that were made during the run."""


def find_swapped(bag: Bag, recorded: str, digest: str) -> Path:
    """Return the folder of a bundle that was swapped in: where it was, in the run folder, or a shipped one.

    Args:
        bag: The bag of the run.
        recorded: Folder of the bundle on the machine of the run.
        digest: SHA-256 of its model.yaml, which holds the hashes of its other files.

    Raises:
        UserError: it is missing, or has changed since.
    """
    path = Path(recorded)
    runs = (bag.path.resolve(), *bag.path.resolve().parents[:1])
    places = [path, *(run / MODELS / path.name for run in runs), share_dir() / 'models' / path.name]
    there = [place for place in places if (place / MANIFEST).is_file()]
    if not there:
        raise UserError(f'{recorded}: the model that was swapped in during this run is missing; put it back there')
    for place in there:
        if hashlib.sha256((place / MANIFEST).read_bytes()).hexdigest() == digest:
            return place
    raise UserError(
        f'{there[0]}: is not the model that was swapped in during this run (SHA-256 of {MANIFEST}); put that one back'
    )
