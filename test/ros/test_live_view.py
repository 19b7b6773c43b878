"""What people see while the robot walks: markers, and the files that tell RViz and Foxglove what to show."""

import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

rclpy = pytest.importorskip('rclpy')

from rclpy.node import Node  # noqa: E402
from robots import NX  # noqa: E402
from visualization_msgs.msg import Marker, MarkerArray  # noqa: E402

from millirobot_adapt.contract import topics  # noqa: E402
from millirobot_adapt.core.control.tick_record import TickRecord  # noqa: E402
from millirobot_adapt.core.safety.geofence import Fence  # noqa: E402
from millirobot_adapt.ros.conversions import qos  # noqa: E402
from millirobot_adapt.ros.outputs.live_view import LiveView  # noqa: E402
from millirobot_adapt.ros.outputs.markers import SHOWN, candidate_markers, show_fence  # noqa: E402

VIZ = Path(__file__).resolve().parents[2] / 'viz'
CONTRACT = {f'/{topic.name.lstrip("/")}': topic for topic in (*topics.TOPICS, *topics.VIEW_TOPICS)}
H = 12


def fan(candidates, seed=0):
    """Return paths (H + 1, K, 2) and costs (K,) of candidates that all start at (1, 2)."""
    generator = np.random.default_rng(seed)
    steps = generator.normal(0.02, 0.01, (H + 1, candidates, 2))
    steps[0] = (1.0, 2.0)
    paths = np.cumsum(steps, axis=0)
    return paths, generator.normal(size=candidates)


def test_candidates_are_lines_in_world_from_where_the_robot_stands():
    paths, costs = fan(400)
    markers = candidate_markers(12.5, paths, costs).markers
    assert len(markers) == SHOWN
    assert sorted(marker.id for marker in markers) == list(range(SHOWN))
    for marker in markers:
        assert (marker.header.frame_id, marker.header.stamp.sec) == ('world', 12)
        assert (marker.ns, marker.type, marker.action) == ('candidates', Marker.LINE_STRIP, Marker.ADD)
        assert len(marker.points) == H + 1
        assert (marker.points[0].x, marker.points[0].y) == (1.0, 2.0)
        assert 0 < marker.lifetime.nanosec < 1e9
        assert marker.scale.x > 0


def test_the_cheapest_is_blue_and_on_top_and_the_dearest_orange():
    paths, costs = fan(400)
    markers = candidate_markers(0.0, paths, costs).markers
    by_end = {(marker.points[-1].x, marker.points[-1].y): marker for marker in markers}
    cheap, dear = (by_end[tuple(paths[-1, place])] for place in (costs.argmin(), costs.argmax()))
    assert markers[-1] is cheap
    assert cheap.color.b > 0.6 > cheap.color.r
    assert dear.color.r > 0.8 > dear.color.b


@pytest.mark.parametrize(('candidates', 'infinite', 'shown'), [(5, 0, 5), (5, 2, 3), (400, 399, 1), (3, 3, 0)])
def test_candidates_of_infinite_cost_are_left_out(candidates, infinite, shown):
    paths, costs = fan(candidates)
    costs[:infinite] = np.inf
    assert len(candidate_markers(0.0, paths, costs).markers) == shown


class Loop:
    """A control loop of which only the looking on matters."""

    def watch(self, watcher):
        self.watcher = watcher


@pytest.fixture
def node(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF')
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('viewer', context=context)
    yield node
    node.destroy_node()
    context.try_shutdown()


def plan(loop, view):
    """Let the loop score two batches and a single check, then end the tick."""
    for size in (300, 100, 1):
        paths, costs = fan(size)
        states = np.zeros((H + 1, size, NX), dtype=np.float32)
        states[:, :, :2] = paths
        loop.watcher(states, costs)
    record = TickRecord.without_state(7, 3.0, 0, np.zeros(2), nx=NX)
    view.show(replace(record, plan_actions=np.ones((H, 2)), plan_states=np.ones((H + 1, NX))))


def test_candidates_are_kept_and_published_only_while_somebody_looks(node, monkeypatch):
    loop = Loop()
    view = LiveView(node, loop)
    published = []
    monkeypatch.setattr(view._candidates, 'publish', published.append)
    plan(loop, view)
    plan(loop, view)
    assert published == []
    assert view._seen == []
    looking = node.create_subscription(MarkerArray, topics.CANDIDATES.name, lambda _: None, qos(topics.CANDIDATES))
    wait_for(lambda: view._candidates.get_subscription_count() == 1)
    plan(loop, view)  # learns that somebody looks
    plan(loop, view)
    assert [len(message.markers) for message in published] == [SHOWN]
    node.destroy_subscription(looking)
    wait_for(lambda: view._candidates.get_subscription_count() == 0)
    plan(loop, view)
    plan(loop, view)
    assert len(published) == 2  # what was planned while the other was still looking


def test_the_fence_comes_to_those_who_come_late(node):
    fence = Fence((-1.0, -2.0, 3.0, 4.0), 0.1)
    show_fence(node, fence)
    heard = []
    node.create_subscription(MarkerArray, topics.FENCE.name, heard.append, qos(topics.FENCE))
    executor = rclpy.executors.SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    wait_for(lambda: heard, lambda: executor.spin_once(timeout_sec=0.05))
    (marker,) = heard[0].markers
    assert marker.header.frame_id == 'world'
    outline = [(point.x, point.y) for point in marker.points]
    assert outline == [(-1, -2), (3, -2), (3, 4), (-1, 4), (-1, -2)]


def wait_for(condition, between=lambda: None):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        between()


# The files for RViz and Foxglove.

RVIZ_TYPES = {
    'rviz_default_plugins/MarkerArray': 'visualization_msgs/msg/MarkerArray',
    'rviz_default_plugins/Path': 'nav_msgs/msg/Path',
    'rviz_default_plugins/Odometry': 'nav_msgs/msg/Odometry',
    'rviz_default_plugins/Pose': 'geometry_msgs/msg/PoseStamped',
}


def test_rviz_subscribes_to_the_contract_with_its_types_and_quality_of_service():
    view = yaml.safe_load((VIZ / 'millirobot.rviz').read_text())['Visualization Manager']
    assert view['Global Options']['Fixed Frame'] == topics.WORLD_FRAME
    shown = {display['Topic']['Value']: display for display in view['Displays'] if 'Topic' in display}
    assert shown.keys() == {'/view/fence', '/view/candidates', '/reference', '/plan', '/odometry', '/mocap/pose'}
    for name, display in shown.items():
        topic, wanted = CONTRACT[name], display['Topic']
        assert RVIZ_TYPES[display['Class']] == topic.type, name
        assert wanted['Durability Policy'] == ('Transient Local' if topic.latched else 'Volatile'), name
        assert wanted['Reliability Policy'] == ('Reliable' if topic.reliable else 'Best Effort'), name


def message_class(topic):
    package, _, name = topic.type.split('/')
    __import__(f'{package}.msg')
    return getattr(sys.modules[f'{package}.msg'], name)


def test_foxglove_plots_fields_that_the_contract_has():
    panels = json.loads((VIZ / 'millirobot_foxglove.json').read_text())['configById']
    assert panels['3D!floor']['topics'].keys() <= CONTRACT.keys()
    assert {'/plan', '/reference', '/view/candidates', '/view/fence'} <= panels['3D!floor']['topics'].keys()
    paths = [entry['value'] for panel in panels.values() for entry in panel.get('paths', ())]
    assert len(paths) > 8
    for path in paths:
        name, _, fields = path.partition('.')
        value = message_class(CONTRACT[name])()
        for field in re.sub(r'\[\d+\]', '', fields).split('.'):
            value = getattr(value, field)
    assert panels['DiagnosticSummary!health']['topicToRender'] in CONTRACT


def test_every_panel_of_the_foxglove_layout_has_its_place():
    layout = json.loads((VIZ / 'millirobot_foxglove.json').read_text())

    def panels(part):
        return [part] if isinstance(part, str) else panels(part['first']) + panels(part['second'])

    assert sorted(panels(layout['layout'])) == sorted(layout['configById'])
