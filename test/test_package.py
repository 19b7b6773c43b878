"""The package as colcon, ROS and pip see it; the parameter files against what the nodes declare."""

import ast
import importlib
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import millirobot_adapt
from millirobot_adapt.bringup.processes import NODES
from millirobot_adapt.contract.topics import TOPICS
from millirobot_adapt.core.config import flatten
from millirobot_adapt.core.yaml_file import read_yaml

ROOT = Path(__file__).resolve().parents[1]


def setup_arguments():
    """The keyword arguments of the call of setup(), as far as they are literals."""
    tree = ast.parse((ROOT / 'setup.py').read_text())
    call = next(n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, 'id', '') == 'setup')
    found = {}
    for keyword in call.keywords:
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            continue
    return found


SETUP = setup_arguments()
SCRIPTS = SETUP['entry_points']['console_scripts']


def manifest():
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def test_the_manifest_is_of_format_3_and_of_type_ament_python():
    root = manifest()
    assert root.get('format') == '3'
    assert root.findtext('name') == 'millirobot_adapt'
    assert root.findtext('export/build_type') == 'ament_python'
    for required in ('version', 'description', 'maintainer', 'license'):
        assert root.findtext(required), required
    assert '@' in root.find('maintainer').get('email')


def test_the_version_is_the_same_everywhere():
    assert manifest().findtext('version') == SETUP['version'] == millirobot_adapt.__version__


def test_the_changelog_tells_of_this_version():
    assert re.search(rf'^## {re.escape(SETUP["version"])}\b', (ROOT / 'CHANGELOG.md').read_text(), re.MULTILINE)


def test_the_ament_marker_is_installed():
    assert (ROOT / 'resource' / 'millirobot_adapt').is_file()
    assert 'share/ament_index/resource_index/packages' in (ROOT / 'setup.py').read_text()


def test_executables_go_where_ros_looks_for_them():
    assert 'install_scripts=$base/lib/millirobot_adapt' in (ROOT / 'setup.cfg').read_text()


def test_every_message_package_that_is_imported_is_a_dependency():
    used = set()
    for path in (*ROOT.glob('millirobot_adapt/**/*.py'), *ROOT.glob('firmware_bridge/**/*.py')):
        used |= set(
            re.findall(r'^from (\w+_msgs|std_srvs|rcl_interfaces|builtin_interfaces)\.', path.read_text(), re.M)
        )
    named = {element.text for element in manifest().iter('exec_depend')}
    assert used <= named


@pytest.mark.parametrize('script', SCRIPTS)
def test_every_executable_has_its_function(script):
    module, _, function = script.partition('=')[2].strip().partition(':')
    assert callable(getattr(importlib.import_module(module), function))


def test_every_node_is_an_executable():
    scripts = {script.partition('=')[0].strip(): script.partition('=')[2].strip() for script in SCRIPTS}
    for node in NODES:
        assert scripts[node.name] == f'millirobot_adapt.app.entry:{node.name}'
        assert node.module == f'millirobot_adapt.nodes.{node.name}'
        assert callable(importlib.import_module(node.module).main)


@pytest.mark.parametrize('node', NODES, ids=lambda node: node.name)
def test_the_parameter_file_names_exactly_what_the_node_declares(node):
    content = read_yaml(node.parameter_file)
    assert list(content) == [node.name]
    assert list(content[node.name]) == ['ros__parameters']
    assert set(leaves(content[node.name]['ros__parameters'])) == set(flatten(node.config_class()()))


@pytest.mark.parametrize('node', NODES, ids=lambda node: node.name)
def test_every_parameter_has_a_comment_in_the_file_and_a_sentence_in_the_code(node):
    for line in node.parameter_file.read_text().splitlines():
        if line.strip() and not line.lstrip().startswith('#') and not line.rstrip().endswith(':'):
            assert '#' in line, f'{node.parameter_file.name}: {line.strip()}'
    for doc in docs(node.config_class()):
        assert doc.endswith('.'), doc


def leaves(values, prefix=''):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}'


def docs(cls):
    for parameter in cls.__parameters__.values():
        yield parameter.doc
        if parameter.is_group:
            yield from docs(parameter.default)


def test_topics_have_relative_names_of_ros_form_and_existing_types():
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    for topic in TOPICS:
        assert re.fullmatch(r'[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*', topic.name) or topic.name in (
            '/diagnostics',
            '/parameter_events',
        )
        package, kind, name = topic.type.split('/')
        assert hasattr(importlib.import_module(f'{package}.{kind}'), name), topic.type
        others = {'anyone', 'motion capture', 'joystick', 'every node', 'millirobot import-log'}
        assert topic.publisher in {node.name for node in NODES} | others
