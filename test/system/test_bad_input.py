"""Bad input of the real executables: one clear line, exit code 2."""

import shutil

import pytest
import yaml
from harness import MILLIROBOT, processes_with, run, wait_for

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.ros.bring_up import BringUpError

pytestmark = pytest.mark.system


@pytest.fixture
def misfit(tmp_path):
    """A bundle whose state has another name in it than ours."""
    folder = tmp_path / 'misfit'
    shutil.copytree(share_dir() / 'models' / 'velociroach_grbal', folder)
    manifest = yaml.safe_load((folder / 'model.yaml').read_text())
    assert 'vx' in yaml.safe_dump(manifest)
    (folder / 'model.yaml').write_text(yaml.safe_dump(_renamed(manifest), sort_keys=False))
    return folder


def _renamed(value):
    if isinstance(value, dict):
        return {key: _renamed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    return 'forward_speed' if value == 'vx' else value


def refuse(group, node, **parameters):
    """Run a node that must refuse its parameters at once, and return the one line it says."""
    settings = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
    answer = run([*node.command(node.parameter_file), *settings], group.environment)
    assert answer.returncode == 2, answer.stderr
    return the_line(answer.stdout + answer.stderr)


def refuse_to_be_configured(group, node, **parameters):
    """Start a node that must end when it is configured, and return the one line it says."""
    group.start(node, **parameters)
    with pytest.raises(BringUpError, match=f'{node.name} could not be configured'):
        group.bring_up(node)
    ended = wait_for(group.supervisor.ended, 'the process ends')
    assert (ended.name, ended.code) == (node.name, 2)
    return the_line(group.log(node))


def the_line(text):
    lines = text.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith('error: ')
    return lines[0]


def test_a_port_that_does_not_exist(group):
    assert '/dev/no_such_port' in refuse_to_be_configured(group, BRIDGE, port='/dev/no_such_port')


def test_a_second_bridge_on_the_same_port(group):
    port = group.start_mock()
    file = group.folder / 'first.yaml'
    file.write_text(f'/first/bridge:\n  ros__parameters:\n    port: {port}\n')
    group.supervisor.start('first', [*BRIDGE.command(file), '-r', '__ns:=/first'])
    group.bring_up(BRIDGE, namespace='/first/')
    assert str(port) in refuse_to_be_configured(group, BRIDGE, port=port)
    assert group.supervisor.running('first'), 'the first one goes on'


def test_a_parameter_that_nobody_knows_is_named_with_the_nearest_one(group):
    assert "did you mean 'port'" in refuse(group, BRIDGE, prot='/dev/ttyUSB0')


def test_a_model_that_is_not_there(group):
    line = refuse_to_be_configured(group, CONTROLLER, model='no_such_model')
    assert 'no_such_model' in line
    assert 'velociroach_grbal' in line, 'what there is, is named'


def test_a_model_whose_state_names_do_not_fit(group, misfit):
    line = refuse_to_be_configured(group, CONTROLLER, model=misfit)
    assert 'vx' in line
    assert 'forward_speed' in line


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--model', 'no_such_model'], 'no_such_model'),
        (['--shape', 'no_such_shape'], 'no_such_shape'),
        (['--condition', 'no_such_condition'], 'no_such_condition'),
        (['--method', 'no_such_method'], 'no_such_method'),
        (['--set', 'controller.planner.sampels=3'], 'planner.samples'),
    ],
)
def test_the_demo_with_bad_input_leaves_nothing(tmp_path, arguments, words):
    answer = run([*MILLIROBOT, 'demo', '--out', str(tmp_path / 'runs'), *arguments])
    assert answer.returncode == 2, answer.stderr
    assert words in answer.stderr
    assert [line for line in answer.stderr.splitlines() if 'error' in line] == answer.stderr.splitlines()[-1:]
    assert processes_with(str(tmp_path)) == []
    assert not (tmp_path / 'runs').exists()
