"""Nodes of this machine are found by their command lines, and one ROS graph is chosen among theirs."""

import os

import pytest

from millirobot_adapt.bringup.processes import BRIDGE
from millirobot_adapt.bringup.running_nodes import RunningNode, join_graph, node_name, one_graph
from millirobot_adapt.core.errors import UserError


@pytest.mark.parametrize(
    ('command', 'name'),
    [
        (BRIDGE.command(BRIDGE.parameter_file), 'bridge'),
        (['/ws/.venv/bin/python3.12', '/ws/install/lib/millirobot_adapt/controller', '--ros-args'], 'controller'),
        (['/ws/.venv/bin/mock_robot', '--ros-args'], 'mock_robot'),
        (['vim', 'bridge'], ''),
        (['/usr/bin/python3', '-m', 'http.server'], ''),
        ([''], ''),
    ],
)
def test_a_node_is_known_by_its_command_line(command, name):
    assert node_name(command) == name


def node(domain, **environment):
    return RunningNode('bridge', 7, {'ROS_DOMAIN_ID': str(domain), **environment})


def test_the_only_domain_is_chosen_and_among_several_the_named_one():
    assert one_graph([node(5), node(5)], None).domain == 5
    assert one_graph([node(5), node(9)], 9).domain == 9
    with pytest.raises(UserError, match='runs in several ROS domains: 5, 9; choose with --domain'):
        one_graph([node(5), node(9)], None)
    with pytest.raises(UserError, match='does not run in ROS domain 3, but in 5'):
        one_graph([node(5)], 3)
    assert RunningNode('bridge', 7, {}).domain == 0


def test_to_join_a_graph_is_to_take_over_what_decides_it_and_nothing_else(monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', '1')
    monkeypatch.setenv('ROS_LOCALHOST_ONLY', '1')
    monkeypatch.setenv('ROS_LOG_DIR', '/logs')
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'x')
    join_graph(node(5, RMW_IMPLEMENTATION='y'))
    assert os.environ['ROS_DOMAIN_ID'] == '5'
    assert os.environ['RMW_IMPLEMENTATION'] == 'y'
    assert 'ROS_LOCALHOST_ONLY' not in os.environ
    assert os.environ['ROS_LOG_DIR'] == '/logs'
