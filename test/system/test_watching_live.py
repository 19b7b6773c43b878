"""Watching the real processes: fence, path, plan and candidates come to whoever subscribes, and the robot walks on."""

from functools import partial

import numpy as np
import pytest
from harness import wait_for
from nav_msgs.msg import Path
from std_msgs.msg import Float64MultiArray
from visualization_msgs.msg import MarkerArray

from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ESTIMATOR
from millirobot_adapt.contract.tick_codec import decode_tick
from millirobot_adapt.contract.topics import CANDIDATES, FENCE, PLAN, REFERENCE, TICK
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.operator import Operator
from millirobot_adapt.ros.outputs.markers import SHOWN

pytestmark = pytest.mark.system

KINDS = ((FENCE, MarkerArray), (REFERENCE, Path), (PLAN, Path), (CANDIDATES, MarkerArray), (TICK, Float64MultiArray))


def test_what_rviz_subscribes_to_comes_while_the_robot_walks(group, listener):
    operator = Operator()
    seen = {topic: [] for topic, _ in KINDS}
    for topic, kind in KINDS:
        listener.node.create_subscription(kind, topic.name, seen[topic].append, qos(topic))

    look = partial(group.listen, operator, listener)

    try:
        port = group.start_mock(condition='flat')
        group.start(BRIDGE, port=port)
        group.start(ESTIMATOR)
        group.start(CONTROLLER, path='straight')
        group.bring_up(BRIDGE, ESTIMATOR, CONTROLLER)
        wait_for(lambda: seen[FENCE], 'the fence comes', between=look)
        for service in ('bridge/arm', 'controller/start'):
            wait_for(lambda service=service: operator.call(service, 5.0)[0], f'/{service} agrees', between=look)
        wait_for(lambda: len(seen[CANDIDATES]) >= 10, 'the candidates of ten plans', between=look)
        wait_for(lambda: seen[REFERENCE], 'the path wanted', between=look)
    finally:
        operator.close()

    newest = seen[CANDIDATES][-1]
    assert len(newest.markers) == SHOWN
    ticks = {round(record.stamp, 3): record for record in (decode_tick(np.array(t.data)) for t in seen[TICK])}
    planned = [m for m in seen[CANDIDATES] if stamp(m.markers[0].header) in ticks]
    assert planned, 'candidates bear the stamp of their tick'
    for message in planned:
        state = ticks[stamp(message.markers[0].header)].state
        for marker in message.markers:
            assert (marker.points[0].x, marker.points[0].y) == pytest.approx(state[:2], abs=1e-5)
    assert len(seen[PLAN][-1].poses) == len(newest.markers[0].points)


def stamp(header):
    return round(header.stamp.sec + 1e-9 * header.stamp.nanosec, 3)
