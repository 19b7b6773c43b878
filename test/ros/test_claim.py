"""Claimed names, and nodes that live elsewhere."""

import subprocess
import sys
import threading

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from millirobot_adapt.bringup.occupied import claim_namespace
from millirobot_adapt.contract.topics import DIAGNOSTICS
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.ros.claim import claim, holder
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.living_nodes import living_nodes

HOLD = """
import sys
from millirobot_adapt.ros.claim import claim
held = claim(sys.argv[1])
print('held', flush=True)
sys.stdin.read()
"""


def test_a_name_is_held_by_one_and_comes_back(domain, monkeypatch):
    first = claim('/robot1/bridge')
    assert claim('/robot1/bridge') is None
    claim('/bridge').release()
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain.number + 1))
    claim('/robot1/bridge').release()
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain.number))
    first.release()
    claim('/robot1/bridge').release()


def test_the_holder_is_named_and_its_death_gives_the_name_back(domain):
    other = subprocess.Popen(
        [sys.executable, '-c', HOLD, '/bridge'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == 'held\n'
    assert claim('/bridge') is None
    assert holder('/bridge') == f' (process {other.pid})'
    with pytest.raises(UserError, match=rf'/bridge runs already on this machine \(process {other.pid}\)'):
        claim_namespace('', ['estimator', 'bridge'])
    other.kill()
    other.communicate()
    assert holder('/bridge') == ''
    claim('/bridge').release()


def test_a_namespace_is_claimed_as_a_whole(domain):
    held = claim_namespace('robot1', ['bridge'])
    with pytest.raises(UserError, match='a robot is being run in the namespace /robot1 already'):
        claim_namespace('robot1', ['player'])
    held.release()
    claim_namespace('robot1', ['bridge']).release()


class Elsewhere:
    """A node as on another machine: nobody here holds its name."""

    def __init__(self, context, name):
        self.node = Node(name, namespace='robot1', context=context)
        self.publisher = self.node.create_publisher(DiagnosticArray, DIAGNOSTICS.name, qos(DIAGNOSTICS))
        self.name = f'robot1/{name}'

    def speak(self):
        self.publisher.publish(DiagnosticArray(status=[DiagnosticStatus(name=self.name)]))


def test_a_node_that_lives_elsewhere_is_found_by_its_voice_and_a_silent_one_is_a_ghost(domain):
    context = Context()
    rclpy.init(args=[], context=context)
    bridge, ghost = Elsewhere(context, 'bridge'), Elsewhere(context, 'estimator')
    bridge.node.create_timer(0.1, bridge.speak)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(bridge.node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    try:
        names = ['/robot1/bridge', '/robot1/estimator', '/robot1/controller', '/bridge']
        assert living_nodes(names, discovery=3.0, listening=1.5) == ['/robot1/bridge']
    finally:
        executor.shutdown()
        thread.join()
        for each in (bridge, ghost):
            each.node.destroy_node()
        rclpy.try_shutdown(context=context)
