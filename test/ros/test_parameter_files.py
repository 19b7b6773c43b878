"""The parameter files on a node's command line, through the real node where it matters."""

import subprocess

import pytest

from millirobot_adapt.bringup.processes import CONTROLLER, ESTIMATOR
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import share_dir
from millirobot_adapt.ros.parameter_files import explain, origin_of, parameter_files, read_files

SHIPPED = ['bridge', '--ros-args', '--params-file', str(share_dir() / 'params' / 'bridge.yaml')]


def test_errors_name_the_file_that_is_for_the_node(tmp_path):
    other = tmp_path / 'other.yaml'
    other.write_text('estimator:\n  ros__parameters: {}\n')
    both = [*SHIPPED, '--params-file', str(other)]
    assert parameter_files(both) == [share_dir() / 'params' / 'bridge.yaml', other]
    assert origin_of('bridge', '/', both).text == SHIPPED[-1]
    assert origin_of('bridge', '/', [*SHIPPED, '-p', 'port:=x']).text == f'{SHIPPED[-1]} and -p'
    assert origin_of('bridge', '/', ['bridge']).text == 'parameters of /bridge'
    assert origin_of('bridge', '/left', ['bridge']).text == 'parameters of /left/bridge'


ROS_TAKES = [
    ('bridge', ('/',)),
    ('/bridge', ('/',)),
    ('/**', ('/', '/robot1', '/lab/robot1')),
    ('/**/bridge', ('/', '/robot1', '/lab/robot1')),
    ('/*/bridge', ('/robot1',)),
    ('/robot1/bridge', ('/robot1',)),
    ('robot1/bridge', ('/robot1',)),
    ('/robot1/**', ('/robot1',)),
]


@pytest.mark.parametrize('namespace', ['/', '/robot1', '/lab/robot1'])
@pytest.mark.parametrize(('block', 'namespaces'), ROS_TAKES)
def test_what_ros_takes_for_a_nodes_block(tmp_path, monkeypatch, block, namespaces, namespace):
    file = tmp_path / 'mine.yaml'
    file.write_text(f"'{block}':\n  ros__parameters:\n    port: here\n")
    arguments = ['--ros-args', '--params-file', str(file)]
    if namespace in namespaces:
        assert origin_of('bridge', namespace, arguments).text == str(file)
    else:
        with pytest.raises(UserError, match=r'mine\.yaml'):
            origin_of('bridge', namespace, arguments)
    assert ros_takes(monkeypatch, namespace, arguments) == (namespace in namespaces), 'and so does ROS itself'


def ros_takes(monkeypatch, namespace, arguments):
    """Whether a real node of ROS gets a parameter from the file."""
    rclpy = pytest.importorskip('rclpy')
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    context = rclpy.Context()
    rclpy.init(args=arguments, context=context)
    options = {'allow_undeclared_parameters': True, 'automatically_declare_parameters_from_overrides': True}
    node = rclpy.create_node('bridge', context=context, namespace=namespace, **options)
    taken = node.has_parameter('port')
    node.destroy_node()
    context.try_shutdown()
    return taken


def test_namespaces_may_be_nested(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('robot1:\n  bridge:\n    ros__parameters: {}\n')
    assert origin_of('bridge', '/robot1', ['--params-file', str(file)]).text == str(file)


def test_a_block_that_ros_would_ignore_in_a_namespace_is_refused_with_the_fix():
    says = r'bridge\.yaml: its block "bridge:" is for a node without a namespace, this one is /robot1/bridge; '
    with pytest.raises(UserError, match=says + r'head it "/robot1/bridge:" or "/\*\*/bridge:"'):
        origin_of('bridge', '/robot1', SHIPPED)


def test_files_that_are_all_for_other_nodes_are_refused():
    with pytest.raises(UserError, match='has no block "controller: ros__parameters:"; it holds \'bridge\''):
        origin_of('controller', '/', SHIPPED)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r'nowhere\.yaml: no such file'):
        read_files(['--params-file', 'nowhere.yaml'])


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


@pytest.mark.system
def test_a_real_node_takes_what_ros_users_write(tmp_path):
    """Parameters for all nodes, `use_sim_time`, and a name from an earlier version; then a fence that is too small."""
    file = tmp_path / 'lab.yaml'
    file.write_text(
        "'/**':\n  ros__parameters: {use_sim_time: false, robot: velociroach, gate.tilt: 0.5}\n"
        'controller:\n  ros__parameters:\n    objective: {arena: [0.0, 2.0, 0.0, 1.0], fence_margin: 0.1}\n'
    )
    ended = subprocess.run(CONTROLLER.command(file), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    (line,) = (ended.stdout + ended.stderr).splitlines()
    assert line == (
        f'error: {file}: objective.arena is now called objective.fence_margin, which is given too; '
        'take the line of objective.arena out'
    )
