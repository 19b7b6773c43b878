"""What people see while the robot walks: markers, and the files that tell RViz and Foxglove what to show."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

rclpy = pytest.importorskip('rclpy')

from robots import NX  # noqa: E402
from visualization_msgs.msg import Marker  # noqa: E402

from millirobot_adapt.contract import topics  # noqa: E402
from millirobot_adapt.contract.adaptation_codec import FIELDS  # noqa: E402
from millirobot_adapt.core.control.tick_record import TickRecord  # noqa: E402
from millirobot_adapt.core.safety.geofence import Fence  # noqa: E402
from millirobot_adapt.ros.conversions import message_class, qos  # noqa: E402
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


class Unread:
    """States of candidates that nobody may look into."""

    def __getitem__(self, key):
        raise AssertionError('candidates were kept although nobody looks')


RECORD = TickRecord.without_state(7, 3.0, 0, np.zeros(2), nx=NX)


def plan(loop, view, looked_at=True):
    """Let the loop score two batches and a single check, then end the tick."""
    for size in (300, 100, 1):
        paths, costs = fan(size)
        states = np.zeros((H + 1, size, NX), dtype=np.float32)
        states[:, :, :2] = paths
        loop.watcher(states if looked_at else Unread(), costs)
    view.show(replace(RECORD, plan_actions=np.ones((H, 2)), plan_states=np.ones((H + 1, NX))))


@pytest.fixture
def spin(node):
    """Let callbacks of the node run for a moment."""
    executor = rclpy.executors.SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    return lambda: executor.spin_once(timeout_sec=0.05)


def listen(node, topic):
    """Subscribe to a topic of the contract; returns the list that its messages come into, and the subscription."""
    heard = []
    return heard, node.create_subscription(message_class(topic), topic.name, heard.append, qos(topic))


def test_candidates_are_kept_and_published_only_while_somebody_looks(node, spin):
    loop = Loop()
    view = LiveView(node, loop)
    plan(loop, view, looked_at=False)
    plan(loop, view, looked_at=False)
    heard, looking = listen(node, topics.CANDIDATES)
    wait_for(lambda: node.count_subscribers(topics.CANDIDATES.name) == 1)
    plan(loop, view)  # learns that somebody looks
    plan(loop, view)
    wait_for(lambda: heard, spin)
    assert [len(message.markers) for message in heard] == [SHOWN]
    node.destroy_subscription(looking)
    wait_for(lambda: node.count_subscribers(topics.CANDIDATES.name) == 0)
    plan(loop, view)  # learns that nobody does
    plan(loop, view, looked_at=False)


def test_errors_and_times_of_every_tick_go_out_under_a_label_that_names_them(node, spin):
    view = LiveView(node, Loop())
    heard, _ = listen(node, topics.ADAPTATION)
    wait_for(lambda: node.count_subscribers(topics.ADAPTATION.name) == 1)
    times = {'wait_ms': 12.0, 'adapt_ms': 3.0, 'plan_ms': 20.0, 'work_ms': 25.0, 'period_ms': 100.0, 'misses': 1.0}
    view.show(replace(RECORD, pre_error=0.9, post_error=0.4, inner_step=0.5, **times))
    view.show(RECORD)
    wait_for(lambda: len(heard) == 2, spin)
    names = [name.split(' ')[0] for name in heard[0].layout.dim[0].label.split(', ')]
    assert len(names) == len(heard[0].data)
    assert dict(zip(names, heard[0].data, strict=True)) == {
        'stamp': 3.0, 'pre_error': 0.9, 'post_error': 0.4, 'inner_step': 0.5, **times,
    }  # fmt: skip
    assert heard[1].data[0] == 3.0
    assert np.isnan(heard[1].data[1:]).all(), 'a tick without a state'


def test_the_fence_comes_to_those_who_come_late(node, spin):
    fence = Fence((-1.0, -2.0, 3.0, 4.0), 0.1)
    show_fence(node, fence)
    heard, _ = listen(node, topics.FENCE)
    wait_for(lambda: heard, spin)
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


def test_foxglove_plots_the_errors_and_times_that_its_labels_name():
    panels = json.loads((VIZ / 'millirobot_foxglove.json').read_text())['configById']
    names = [name for name, _ in FIELDS]
    plotted = {
        entry['label']: names[int(re.fullmatch(r'/adaptation\.data\[(\d+)\]', entry['value'])[1])]
        for panel in ('Plot!errors', 'Plot!ticks')
        for entry in panels[panel]['paths']
    }
    assert plotted == {
        'before adapting': 'pre_error', 'after adapting': 'post_error', 'work': 'work_ms', 'plan': 'plan_ms',
        'adapt': 'adapt_ms', 'wait for the state': 'wait_ms',
    }  # fmt: skip


def test_every_panel_of_the_foxglove_layout_has_its_place():
    layout = json.loads((VIZ / 'millirobot_foxglove.json').read_text())

    def panels(part):
        return [part] if isinstance(part, str) else panels(part['first']) + panels(part['second'])

    assert sorted(panels(layout['layout'])) == sorted(layout['configById'])
