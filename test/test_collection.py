"""The tests are found wherever they run: also beside plugins that look into every module."""

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name('conftest.py')
LOOKS_INTO_MODULES = """
from importlib import util


def pytest_pycollect_makemodule(module_path, parent):
    spec = util.spec_from_file_location(module_path.stem, module_path)
    spec.loader.exec_module(util.module_from_spec(spec))
"""
"""As launch_testing, a plugin of every ROS installation, does."""


def test_a_module_that_skips_itself_hides_no_other(tmp_path):
    (tmp_path / 'conftest.py').write_text(CONFTEST.read_text())
    (tmp_path / 'looks_into_modules.py').write_text(LOOKS_INTO_MODULES)
    (tmp_path / 'test_skipping.py').write_text("import pytest\n\npytest.importorskip('no_such_library')\n")
    (tmp_path / 'test_sound.py').write_text('def test_sound():\n    pass\n')
    paths = os.pathsep.join([str(tmp_path), str(CONFTEST.parent)])  # the conftest imports what stands beside it
    environment = {**os.environ, 'PYTHONPATH': paths, 'PYTEST_ADDOPTS': ''}
    command = [sys.executable, '-m', 'pytest', '-p', 'looks_into_modules', '-p', 'no:cacheprovider', str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert '1 passed, 1 skipped' in done.stdout, done.stdout + done.stderr
