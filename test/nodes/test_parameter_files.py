"""The parameter files on a node's command line, through the real node where it matters."""

import subprocess

import pytest

from millirobot_adapt.bringup.processes import ESTIMATOR
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.nodes.parameter_files import check_readable, explain, parameter_files, source_of

SHIPPED = ['bridge', '--ros-args', '--params-file', str(share_dir() / 'params' / 'bridge.yaml')]


def test_errors_name_the_file_that_is_for_the_node(tmp_path):
    other = tmp_path / 'other.yaml'
    other.write_text('estimator:\n  ros__parameters: {}\n')
    both = [*SHIPPED, '--params-file', str(other)]
    assert parameter_files(both) == [share_dir() / 'params' / 'bridge.yaml', other]
    assert source_of('bridge', '/', both) == SHIPPED[-1]
    assert source_of('bridge', '/', [*SHIPPED, '-p', 'port:=x']) == f'{SHIPPED[-1]} and -p'
    assert source_of('bridge', '/', ['bridge']) == 'parameters of /bridge'
    assert source_of('bridge', '/left', ['bridge']) == 'parameters of /left/bridge'


@pytest.mark.parametrize('block', ['bridge', '/bridge', '/**', '/**/bridge'])
def test_what_ros_takes_for_a_nodes_block(tmp_path, block):
    file = tmp_path / 'mine.yaml'
    file.write_text(f'{block}:\n  ros__parameters: {{}}\n')
    assert source_of('bridge', '/', ['--params-file', str(file)]) == str(file)


def test_files_that_are_all_for_other_nodes_are_refused():
    with pytest.raises(UserError, match='has no block "controller: ros__parameters:"; it holds \'bridge\''):
        source_of('controller', '/', SHIPPED)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r'nowhere\.yaml: no such file'):
        check_readable(['--params-file', 'nowhere.yaml'])


def test_what_only_the_parser_of_ros_refuses_is_put_into_our_form():
    said = (
        "failed to initialize rcl: Couldn't parse params file: '--params-file a.yaml'. Error: Sequence should be of "
        "same type. Value type 'double' do not belong at line_num 3, at /src/parse.c:435, at /src/rcl/arguments.c:415"
    )
    assert explain(said).startswith('a.yaml: Sequence should be of same type')
    assert explain(said).endswith('at line_num 3; write all its numbers alike, as in [1.0, 2.0]')
    assert explain('no, at /src/a.c:1, at /src/b.c:2') == 'no'


@pytest.mark.system
@pytest.mark.parametrize(
    ('content', 'says'),
    [
        ('estimator:\n  ros__parameters:\n    gaet: 3.0\n', "unknown parameter 'gaet'; did you mean 'gate'?"),
        ('estimator:\n\tros__parameters: {}\n', 'indent with spaces, not with tabs'),
        ('estimater:\n  ros__parameters: {}\n', "it holds 'estimater'"),
    ],
)
def test_a_real_node_refuses_a_bad_file_with_one_line(tmp_path, content, says):
    file = tmp_path / 'mine.yaml'
    file.write_text(content)
    ended = subprocess.run(ESTIMATOR.command(file), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    (line,) = (ended.stdout + ended.stderr).splitlines()
    assert line.startswith(f'error: {file}: ')
    assert says in line
