"""What the guides tell the reader to type works, as far as no hardware is needed."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from millirobot_adapt.bringup.arguments import arguments_of
from millirobot_adapt.bringup.processes import CONTROLLER, NODES, parse_override, resolve
from millirobot_adapt.core.config import flatten, read_params

ROOT = Path(__file__).resolve().parents[1]
GUIDES = {name: (ROOT / 'docs' / f'{name}.md').read_text(encoding='utf-8') for name in ('bring-up', 'tuning', 'faq')}
EVERYTHING = '\n'.join(GUIDES.values())


def test_what_is_tuned_by_sed_is_really_changed(tmp_path):
    calls = re.findall(r"^    (sed 's/.*' params/controller.yaml) > tuned.yaml$", GUIDES['tuning'], re.MULTILINE)
    assert calls
    before = flatten(read_params(CONTROLLER.parameter_file, 'controller', CONTROLLER.config_class()))
    for call in calls:
        tuned = tmp_path / 'tuned.yaml'
        tuned.write_text(subprocess.run(call, shell=True, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
        after = flatten(read_params(tuned, 'controller', CONTROLLER.config_class()))
        assert sum(before[name] != after[name] for name in before) == 1, call


@pytest.mark.parametrize('setting', sorted(set(re.findall(r'--set (\S+=[^\s`]+)', EVERYTHING))))
def test_a_setting_is_a_parameter(setting):
    node, name, value = parse_override(setting, NODES)
    resolve(NODES, {node: {name: value}})


def test_the_rows_of_the_tables_are_parameters_and_begin_with_the_shipped_values():
    shipped = flatten(read_params(CONTROLLER.parameter_file, 'controller', CONTROLLER.config_class()))
    rows = re.findall(r'^\| `([a-z_.]+)` \| (\S+) -> (\S+) \|', GUIDES['tuning'], re.MULTILINE)
    assert len(rows) >= 10
    for name, before, after in rows:
        assert shipped[name] == yaml.safe_load(before), name
        resolve([CONTROLLER], {'controller': {name: yaml.safe_load(after)}})


def test_launch_files_and_their_arguments_exist():
    pages = [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md'), *(ROOT / 'launch').glob('*.launch.py')]
    calls = []
    for page in pages:
        calls += re.findall(
            r'ros2 launch millirobot_adapt\s+(\w+\.launch\.py)([^`\n]*)', page.read_text(encoding='utf-8')
        )
    assert len(calls) >= 4
    for file, given in calls:
        assert (ROOT / 'launch' / file).is_file(), file
        declared = {argument.name for argument in arguments_of(file.removesuffix('.launch.py'))}
        assert set(re.findall(r'(\w+):=', given)) <= declared, given


def test_parameters_that_guides_name_in_files_exist():
    """`key: value` in backticks stands in some shipped parameter file under that key."""
    shipped = '\n'.join(path.read_text(encoding='utf-8') for path in sorted((ROOT / 'params').rglob('*.yaml')))
    for key in re.findall(r'`([a-z_]+): (?:true|false|[\d.]+)`', EVERYTHING):
        assert re.search(rf'^\s*{key}:', shipped, re.MULTILINE), key


def test_executables_that_are_started_by_name_exist():
    setup = (ROOT / 'setup.py').read_text(encoding='utf-8')
    for name, file in re.findall(r'^    (\w+) --ros-args --params-file (\S+)$', EVERYTHING, re.MULTILINE):
        assert f"'{name} = " in setup
        assert name in yaml.safe_load((ROOT / file).read_text(encoding='utf-8'))
