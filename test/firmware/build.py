"""Compile the reference firmware for a test; a machine without a C compiler says so."""

import shutil
import subprocess
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[2] / 'firmware'
COMPILER = shutil.which('cc')

needs_compiler = pytest.mark.skipif(COMPILER is None, reason='no C compiler (cc): the reference firmware is not tested')


def made(target, folder):
    """Build a target of firmware/Makefile in a folder of the test's own."""
    done = subprocess.run(
        ['make', '-s', f'BUILD={folder}', target], cwd=FIRMWARE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder
