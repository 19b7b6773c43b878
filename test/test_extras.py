"""What the robot's computer must install is only what drives the robot; a missing extra is one line with the fix."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from millirobot_adapt.bringup.processes import MOCK_ROBOT, NODES
from millirobot_adapt.core.errors import EXTRAS

ROOT = Path(__file__).resolve().parents[1]

WITHOUT_EXTRAS = f"""
import sys
LIBRARIES = {sorted(EXTRAS)!r}

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in LIBRARIES:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)

sys.meta_path.insert(0, NotInstalled())
"""
"""Python as it is where none of the extras is installed."""


def run_without_extras(code):
    command = [sys.executable, '-c', WITHOUT_EXTRAS + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_every_node_but_the_mock_can_be_imported_without_any_extra():
    nodes = [node.module for node in NODES if node is not MOCK_ROBOT]
    code = f'from importlib import import_module\nfor name in {nodes!r}: import_module(name)\nprint("imported")'
    done = run_without_extras(code)
    assert (done.returncode, done.stdout) == (0, 'imported\n'), done.stderr


def test_the_help_works_without_any_extra():
    done = run_without_extras("from millirobot_adapt.app.main import main\nmain(['--help'])")
    assert done.returncode == 0, done.stderr
    assert 'demo' in done.stdout


MILLIROBOT = 'from millirobot_adapt.app.main import main\nsys.exit(main({}))'
NODE = 'sys.argv[1:] = [{!r}]\nfrom millirobot_adapt.bringup.run_node import main\nsys.exit(main())'


@pytest.mark.parametrize(
    ('code', 'extra'),
    [
        (MILLIROBOT.format(['calibrate', '--seconds', '5']), 'sim'),
        (MILLIROBOT.format(['report', str(ROOT / 'test/data/bags/run')]), 'report'),
        (MILLIROBOT.format(['export-bag', str(ROOT / 'test/data/bags/run'), '--to', 'parquet']), 'parquet'),
        (NODE.format('mock_robot'), 'sim'),
    ],
)
def test_a_missing_extra_is_one_line_with_the_fix(tmp_path, code, extra):
    done = run_without_extras(f'import os\nos.chdir({str(tmp_path)!r})\n{code}')
    (line,) = done.stderr.splitlines()
    says = rf"(millirobot: )?error: \w+ is not installed; run: pip install 'millirobot_adapt\[{extra}\]'"
    assert re.fullmatch(says, line), line
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == [], 'nothing is left behind'


IMPORTED_AS = {'pillow': 'PIL', 'imageio-ffmpeg': 'imageio_ffmpeg'}


def test_an_extra_is_named_for_exactly_the_libraries_it_installs():
    """Of the lists at the top of setup.py, one an extra; what one takes over from another belongs to the other."""
    lists = {}
    for node in ast.parse((ROOT / 'setup.py').read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            own = [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
            lists[node.targets[0].id.lower()] = {re.split('[<>=]', each)[0] for each in own}
    assert {'sim', 'report'} <= set(lists)
    for extra, libraries in lists.items():
        installed = {IMPORTED_AS.get(library, library) for library in libraries}
        assert installed == {library for library, named in EXTRAS.items() if named == extra}


def test_the_robot_need_not_install_what_belongs_to_an_extra():
    base = re.search(r'install_requires=\[(.*?)\]', (ROOT / 'setup.py').read_text(), re.DOTALL)[1]
    assert not {name for name in EXTRAS if f"'{name}>" in base}
