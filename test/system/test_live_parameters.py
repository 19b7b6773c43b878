"""One run of the real processes: a published path, parameters set on the way, a pause, an end by request; replayed."""

import json

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from harness import MILLIROBOT, run, wait_for
from nav_msgs.msg import Path
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from sensor_msgs.msg import JointState

from millirobot_adapt.analysis.report import REPORT, write_report
from millirobot_adapt.bringup.processes import BRIDGE, CONTROLLER, ESTIMATOR, RECORDER
from millirobot_adapt.contract.topics import PATH, SETPOINT
from millirobot_adapt.core.config import nest
from millirobot_adapt.core.control.run_state import RunPhase, RunStatus
from millirobot_adapt.ros.conversions import qos
from millirobot_adapt.ros.operator import Operator

pytestmark = pytest.mark.system

LIGHT = {'planner.samples': 20, 'planner.batch': 20, 'planner.horizon': 40, 'misses_allowed': 100, 'engine.threads': 1}
"""Leaves time to a loaded machine, and lets it live for a while on the last plan."""

PATIENT = {
    'guardian_silence': 2.0, 'gate.setpoint_timeout': 1.0, 'gate.telemetry_hold': 1.0, 'gate.pose_hold': 5.0,
    'gate.pose_stop': 10.0, 'gate.state_hold': 5.0, 'gate.state_stop': 10.0,
}  # fmt: skip
"""Nothing here is about watchdogs, and the mock shares the machine."""

INSIDE_THE_FENCE = [(0.0, 0.0), (1.8, 0.0), (1.8, 1.0), (-0.8, 1.0), (-0.8, -0.6)]
"""Waypoints [m] of a path that takes longer than the test."""


class Lab:
    """What a person has at hand: the services, `ros2 param set`, `ros2 topic pub`, and an eye on the setpoints."""

    def __init__(self, group, listener):
        self.group, self.listener, self.operator = group, listener, Operator()
        self.setpoints = []
        node = listener.node
        node.create_subscription(JointState, SETPOINT.name, self.setpoints.append, qos(SETPOINT))
        self.path = node.create_publisher(Path, PATH.name, qos(PATH))
        self.clients = {name: AsyncParameterClient(node, name) for name in ('controller', 'bridge')}

    def look(self):
        self.operator.spin(0.02)
        self.listener.spin()
        ended = self.group.supervisor.ended()
        assert ended is None, ended

    def wait_for(self, condition, what):
        return wait_for(condition, what, between=self.look)

    def call(self, service):
        return self.operator.call(service, 10.0)

    def insist(self, service):
        answers = []

        def agreed():
            answers.append(self.call(service))
            return answers[-1][0]

        try:
            self.wait_for(agreed, f'/{service} agrees')
        except AssertionError as error:
            raise AssertionError(f'{error}; it says {answers[-1]}') from None

    def set(self, node, **values):
        """Set parameters, `__` for a dot, all at once; returns whether that was done, and the reason if not."""
        parameters = [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()]
        future = self.clients[node].set_parameters_atomically(parameters)
        self.wait_for(future.done, f'/{node} answers')
        return future.result().result.successful, future.result().result.reason

    def publish_path(self, points, frame='world'):
        message = Path()
        message.header.frame_id = frame
        for x, y in points:
            pose = PoseStamped()
            pose.pose.position.x, pose.pose.position.y = x, y
            message.poses.append(pose)
        self.path.publish(message)

    def ticks(self, count):
        """Wait for this many more ticks in which something was planned."""
        self.operator.ticks.clear()
        self.wait_for(
            lambda: sum(bool(np.isfinite(tick.cost)) for tick in self.operator.ticks) >= count or self.stopped,
            f'{count} ticks',
        )
        assert not self.stopped, self.operator.controller
        return [tick for tick in self.operator.ticks if np.isfinite(tick.cost)]

    @property
    def run(self):
        return RunStatus(RunPhase.WAITING) if self.operator.controller is None else self.operator.controller.run

    @property
    def stopped(self):
        return self.run.phase is RunPhase.STOPPED


@pytest.fixture
def lab(group, listener):
    lab = Lab(group, listener)
    yield lab
    lab.operator.close()


def bring_up(lab):
    group = lab.group
    port = group.start_mock(condition='flat')
    group.start(RECORDER, bag=group.folder / 'bag')
    group.start(BRIDGE, port=port, **PATIENT)
    group.start(ESTIMATOR)
    group.start(CONTROLLER, path='topic', **LIGHT)
    group.bring_up(RECORDER, BRIDGE, ESTIMATOR, CONTROLLER)


def test_a_run_that_is_changed_paused_and_finished_on_the_way(lab):
    bring_up(lab)
    lab.insist('bridge/arm')

    # A path in another frame is no path; one in world is, and the newest counts.
    lab.wait_for(lambda: 'no path yet' in lab.call('controller/start')[1], 'the start is refused')
    lab.publish_path(INSIDE_THE_FENCE, frame='map')
    lab.wait_for(lambda: "in the frame 'map'" in lab.group.log(CONTROLLER), 'the path is refused')
    lab.publish_path([(0.0, 0.0), (9.0, 0.0)])
    lab.wait_for(lambda: 'fence' in lab.call('controller/start')[1], 'a path out of the fence is refused')
    lab.publish_path(INSIDE_THE_FENCE)
    lab.wait_for(lambda: '5 waypoints' in lab.group.log(CONTROLLER), 'the path is taken')
    lab.insist('controller/start')
    assert {tick.revision for tick in lab.ticks(5)} == {0.0}

    # All or nothing, in use from a tick to the next.
    for values, says in (
        ({'objective__progress': 500.0, 'seed': 3}, 'read-only'),
        ({'objective__progress': 500.0, 'objective__progres': 1.0}, "did you mean 'objective.progress'"),
        ({'objective__progress': 500.0, 'objective__course': -1.0}, 'course = -1.0 1/rad is below'),
        ({'objective__progress': 500.0, 'planner__samples': 0}, 'samples'),
    ):
        done, reason = lab.set('controller', **values)
        assert not done
        assert says in reason
        assert '\n' not in reason
    assert {tick.revision for tick in lab.ticks(3)} == {0.0}, 'nothing of it was taken'
    assert lab.set('controller', objective__progress=500, planner__samples=40, planner__temperature=1.0)[0]
    last = lab.ticks(4)[-1]
    assert (last.revision, last.candidates) == (1.0, round(40 * last.share))  # a busy machine draws fewer
    assert lab.set('controller', adapt=False)[0]
    last = lab.ticks(4)[-1]
    assert (last.revision, last.inner_step) == (2.0, 0.0)

    # The gate's limits become tighter and not looser.
    assert lab.set('bridge', gate__tilt=0.9)[0]
    done, reason = lab.set('bridge', gate__tilt=1.0)
    assert not done
    assert 'can only be tightened' in reason

    # A pause keeps the run.
    before = lab.ticks(2)[-1].progress
    assert lab.call('controller/pause') == (True, 'paused')
    lab.wait_for(lambda: lab.operator.ticks and not lab.operator.ticks[-1].running, 'a tick stands')
    lab.setpoints.clear()
    lab.wait_for(lambda: len(lab.setpoints) > 5, 'the controller goes on speaking')
    assert not np.any([message.velocity for message in lab.setpoints])
    assert 'already paused' in lab.call('controller/pause')[1]
    lab.insist('controller/resume')
    assert lab.ticks(4)[-1].progress >= before - 0.02
    assert 'not paused' in lab.call('controller/resume')[1]
    lab.wait_for(lambda: np.all(lab.setpoints[-1].velocity), 'it walks again')

    # Done, because somebody says so.
    assert lab.call('controller/finish') == (True, 'finished: by the operator')
    lab.wait_for(lambda: lab.run.phase is RunPhase.FINISHED, 'the controller says so')
    lab.group.supervisor.stop()
    check_bag(lab.group.folder / 'bag')


def check_bag(bag):
    summary = write_report(bag.parent)
    page = (bag.parent / REPORT).read_text()
    assert 'controller.objective.progress set to 500' in page
    assert 'The run was finished by the operator' in page
    assert summary['stops'] == []
    changes = {(change['parameter'], change['value']) for change in summary['changes']}
    assert changes == {
        ('controller.objective.progress', 500.0), ('controller.planner.samples', 40),
        ('controller.planner.temperature', 1.0), ('controller.adapt', False), ('bridge.gate.tilt', 0.9),
    }  # fmt: skip
    assert summary['outcome'] == 'finished: by the operator'
    settings = ['--params', str(bag.parent / 'as_started.yaml')]
    parameters = nest({**LIGHT, 'path': 'topic'})
    (bag.parent / 'as_started.yaml').write_text(json.dumps({'controller': {'ros__parameters': parameters}}))
    answer = run([*MILLIROBOT, 'replay', str(bag), '--check', '--json', *settings], seconds=120)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    figures = json.loads(answer.stdout)
    assert figures['exact']
    assert figures['compared']['ticks'] > 20
