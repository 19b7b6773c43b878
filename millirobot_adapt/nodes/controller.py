"""The controller: owns the tick, adapts, plans, and publishes the setpoint of every control period."""

from __future__ import annotations

import threading
import time

from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Path
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.messages import joint_values, seconds
from millirobot_adapt.contract.states import BridgeState, ControllerState, news_for
from millirobot_adapt.contract.tick_codec import encode_tick
from millirobot_adapt.core.control.pacing import every
from millirobot_adapt.core.control.wiring import assemble, warm_up
from millirobot_adapt.core.planning.path_source import TOPIC
from millirobot_adapt.core.safety.arbiter import ActionSource
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.ros.conversions import labelled_array, path_message, qos
from millirobot_adapt.ros.inputs.model_input import ModelInput
from millirobot_adapt.ros.inputs.path_input import PathInput
from millirobot_adapt.ros.inputs.peer_states import listen_for_bridge
from millirobot_adapt.ros.inputs.state_input import listen_for_states
from millirobot_adapt.ros.live_tuning import LiveTuning
from millirobot_adapt.ros.managed import ManagedNode, NotYetError
from millirobot_adapt.ros.outputs.actions import ActionPublisher
from millirobot_adapt.ros.outputs.live_view import LiveView
from millirobot_adapt.ros.process import run
from millirobot_adapt.ros.run_services import RunServices, run_status


class ControllerNode(ManagedNode):
    """Connect `core.control.controller.Controller` to topics, services and two threads; inactive, it plans nothing."""

    def __init__(self) -> None:
        super().__init__('controller', topics.CONTROLLER_STATE)
        self._tuning = LiveTuning(self)
        self._bridge_fence = ''

    def configure(self) -> None:
        """Load the model, warm it up, and listen."""
        assembly = assemble(self._tuning.config)
        warm_up(assembly)
        self._dt, self._layout = assembly.robot.dt, assembly.robot.layout
        self._controller = assembly.controller()
        self._closing = threading.Event()
        self._view = LiveView(self, assembly.loop)
        self._paths = PathInput(self, assembly.paths) if assembly.config.path == TOPIC else None
        self._tuning.connect(assembly, self._controller)
        self._models = ModelInput(self, assembly, self._tuning.use_model, self.health.announce)
        self._controller.watch_trials(self._models.server.on_trial_end)
        self._connect()
        works = (('tick', self._tick), ('work', self._work), ('models', self._models.server.work))
        self._threads = [self.watched_thread(*each) for each in works]
        for thread in self._threads:
            thread.start()

    def activate(self) -> None:
        """Let runs start, once a finite fresh state is there."""
        missing = self._controller.missing()
        if missing:
            raise NotYetError(missing)

    def deactivate(self) -> None:
        """End the run; the next tick asks for standstill."""
        self._controller.stop('the controller was deactivated', StopCause.SHUTDOWN)

    def on_thread_failure(self, reason: str) -> None:
        """End the run for good, and ask for standstill."""
        self._controller.fail(reason)
        self._actions.publish(self._layout.neutral)

    def cleanup(self) -> None:
        """End both threads and ask for standstill; the bridge stops the robot anyway when setpoints stop."""
        self._tuning.disconnect()
        self._closing.set()
        self._models.server.close()
        self._controller.close()
        for thread in self._threads:
            thread.join()
        self._actions.publish(self._layout.neutral)

    def _connect(self) -> None:
        listen_for_states(self, self._controller.on_state)
        self.create_subscription(JointState, topics.SENT.name, self._on_sent, qos(topics.SENT))
        listen_for_bridge(self, self._on_bridge)
        self._actions = ActionPublisher(self, ActionSource.CONTROLLER, self._layout)
        self._record = self.create_publisher(Float64MultiArray, topics.TICK.name, qos(topics.TICK))
        self._reference = self.create_publisher(Path, topics.REFERENCE.name, qos(topics.REFERENCE))
        RunServices(
            self, self._controller, self._objection,
            lambda path: self._reference.publish(path_message(time.time(), path.outline)),
        )  # fmt: skip

    # Messages in.

    def _on_sent(self, message: JointState) -> None:
        self._controller.on_sent(seconds(message.header.stamp), joint_values(message, self._layout.action_names))

    def _on_bridge(self, state: BridgeState | None) -> None:
        self._bridge_fence = '' if state is None else state.fence
        self._controller.on_bridge(news_for(self._actions.sender, state))

    # What an operator asks.

    def _objection(self) -> str:
        """Return why no run may start here; empty when nothing stands against it."""
        if self.lifecycle != 'active':
            return f'the controller is {self.lifecycle}, not active'
        return self._tuning.config.fence_objection(self._bridge_fence)

    # The two threads.

    def _tick(self) -> None:
        """Begin a tick every control period, on the steady clock, and publish its setpoint if a run is in progress."""
        for _ in every(self._dt, self._closing):
            stamp = time.time()
            setpoint = self._controller.begin_tick(stamp)
            if setpoint is not None:
                self._actions.publish(setpoint, stamp)
            self.health.announce()

    def _work(self) -> None:
        """Plan each tick of a run and publish its record."""
        while (record := self._controller.work()) is not None:
            self._record.publish(labelled_array(encode_tick(record), f'tick record, see {encode_tick.__module__}'))
            self._view.show(record)

    # State out.

    def examine(self) -> DiagnosticStatus:
        """Say where the controller stands, and what its model is."""
        details = self._models.details | ({} if self._paths is None else {'path': self._paths.newest})
        return run_status('controller', ControllerState(self._actions.sender, self._controller.status, details))


def main() -> int:
    """Run the executable `controller`."""
    return run(ControllerNode)


if __name__ == '__main__':
    raise SystemExit(main())
