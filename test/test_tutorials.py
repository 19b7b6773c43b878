"""The tutorials, typed as they stand there, in their order, in a folder that is not the checkout."""

import importlib.util
import itertools
import os
import re
import subprocess
import sys

import pytest
from pages import ROOT, command_lines

TUTORIALS = sorted((ROOT / 'docs' / 'tutorials').glob('*.md'))
MET = {'PyTorch': importlib.util.find_spec('torch') is not None}
"""What a block may need -> whether it is here."""
DONE_BY_HAND = ('.ci/venv.sh', '. .venv/bin/activate')
"""What the environment of the tests has done already."""


def test_the_tutorials_are_numbered_and_each_leads_to_the_next():
    assert [page.name[:2] for page in TUTORIALS] == [f'{number}-' for number in range(1, len(TUTORIALS) + 1)]
    for page, following in itertools.pairwise(TUTORIALS):
        assert f']({following.name})' in page.read_text()


def typed(page):
    """Yield what a reader types, where all is there that it needs; opening a browser is left out."""
    for line, needs in command_lines(page):
        if needs and not MET.get(needs, False):
            continue
        if line.startswith(DONE_BY_HAND):
            continue
        yield re.sub(r'^make demo\b', 'millirobot demo', line).replace(' --open', '')


@pytest.mark.system
@pytest.mark.long
def test_every_command_of_every_tutorial_runs(tmp_path):
    (tmp_path / 'bin').mkdir()
    for name, words in (('millirobot', '-m millirobot_adapt.app.main'), ('python', '')):
        script = tmp_path / 'bin' / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
        script.chmod(0o755)
    for folder in ('params', 'examples'):
        (tmp_path / folder).symlink_to(ROOT / folder)
    path = f'{tmp_path / "bin"}:{os.environ["PATH"]}'
    environment = {**os.environ, 'PATH': path, 'PYTHONPATH': str(ROOT), 'MPLBACKEND': 'Agg', 'MUJOCO_GL': 'egl'}
    ran = 0
    for page in TUTORIALS:
        for line in typed(page):
            if line.startswith('millirobot doctor'):
                line = f'{line} || test $? = 1'  # a busy machine is no reason to fail
            done = subprocess.run(
                ['sh', '-c', line], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1200,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, f'{page.name}: {line}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}'
            ran += 1
    assert ran >= 20
