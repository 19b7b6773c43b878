"""The bridge: what stands between ROS and the robot's radio."""

from __future__ import annotations

import atexit
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticStatus
from std_srvs.srv import Trigger

from firmware_bridge.bridge_config import BridgeConfig
from firmware_bridge.bridge_loop import BridgeLoop
from firmware_bridge.clock import SystemClock
from firmware_bridge.driver_factory import make_driver, silence_promise
from firmware_bridge.driver_interface import Exchange
from firmware_bridge.permission import Permission
from firmware_bridge.transports.serial_port import is_pseudo_terminal
from millirobot_adapt.contract import topics
from millirobot_adapt.contract.states import LinkState
from millirobot_adapt.core.robot.description import load_robot
from millirobot_adapt.core.safety.causes import StopCause
from millirobot_adapt.core.safety.gate import Gate
from millirobot_adapt.ros.conversions import status
from millirobot_adapt.ros.inputs.gate_listener import GateListener
from millirobot_adapt.ros.managed import ManagedNode, NotYetError
from millirobot_adapt.ros.outputs.exchange_publisher import ExchangePublisher, battery_status
from millirobot_adapt.ros.outputs.markers import show_fence
from millirobot_adapt.ros.outputs.twist_publisher import twist_outlet
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import run


class BridgeNode(ManagedNode):
    """Connect `BridgeLoop` to topics and services; the link runs on a thread of its own.

    Inactive, it holds the link and hears the robot, but does not arm: zero is all that it sends.
    """

    def __init__(self) -> None:
        super().__init__('bridge', topics.BRIDGE_STATE)
        self._config = load(self, BridgeConfig, self._on_parameters)
        self._robot = load_robot(self._config.robot)
        self.gate = Gate(self._config.gate, self._robot)
        self._dry_run = self._config.dry_run
        self._warning = None if is_pseudo_terminal(self._config.port) else silence_promise(self._robot).warning
        self._battery: float | None = None  # newest reading [V]

    def configure(self) -> None:
        """Open the port and start the link's thread, which starts the robot up with its motors commanded to stand."""
        config, clock = self._config, SystemClock()
        log = self.get_logger().info
        outlet = twist_outlet(self, self._robot, config.robot, config.guardian_silence)
        driver = make_driver(self._robot, config, clock, outlet, log)
        driver.connect()
        show_fence(self, self.gate.fence)
        permission = Permission(everything=config.allow_mock_model or is_pseudo_terminal(config.port))
        self.loop = BridgeLoop(driver, self.gate, config, clock, self._report, log, permission)
        self._connect()
        # A daemon, so that an interpreter that ends without `close` gets as far as calling it.
        self._thread = self.watched_thread('link', self.loop.run, daemon=True)
        atexit.register(self.close)
        self._thread.start()

    def activate(self) -> None:
        """Let the operator arm, once the link is up."""
        state = self.loop.status()
        if state.link is not LinkState.UP:
            raise NotYetError(f'{state.reason}; is the robot on? millirobot link-test {self._config.port} tells more')

    def deactivate(self) -> None:
        """Stop the robot as the operator's stop does."""
        self.loop.stop('the bridge was deactivated', StopCause.SHUTDOWN)

    def cleanup(self) -> None:
        """Stop the robot, end the thread and release the port."""
        atexit.unregister(self.close)
        self.loop.close()
        self._thread.join()
        self.health.announce()

    def _connect(self) -> None:
        GateListener(self, self.loop, self._robot.layout.action_names)
        self._exchanges = ExchangePublisher(self, self._robot)
        self.create_service(Trigger, '~/arm', self.arm)
        self.create_service(Trigger, '~/stop', self._answer_stop('stopped by the operator', StopCause.OPERATOR))
        self.create_service(Trigger, '~/manager_stop', self._answer_stop('stopped by the manager', StopCause.MANAGER))

    # Messages in.

    def arm(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Answer the service `~/arm`."""
        refusal = self.loop.arm() if self.lifecycle == 'active' else f'the bridge is {self.lifecycle}, not active'
        response.success = refusal is None
        limits = f'armed; limits: {self.gate.config.words}'
        response.message = limits if refusal is None else f'not armed: {refusal}'
        if refusal is None and self._warning is not None:
            response.message += f'; warning: {self._warning}'
            self.get_logger().warning(self._warning)
        return response

    def _answer_stop(self, reason: str, cause: StopCause) -> Callable[..., Trigger.Response]:
        def callback(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            self.loop.stop(reason, cause)
            response.success, response.message = True, reason
            return response

        return callback

    def _on_parameters(self, config: BridgeConfig) -> None:
        """Tighten the gate's limits."""
        self._config = config
        if self.lifecycle == 'unconfigured':
            self.gate.limit(config.gate)
        else:
            self.loop.limit(config.gate)

    # Messages out.

    def _report(self, exchange: Exchange | None) -> None:
        """Publish an exchange, and the state whenever it changes; runs on the link's thread."""
        if exchange is not None:
            decided = self.loop.decided if self._dry_run else None
            self._exchanges.publish(exchange.stamp, exchange.sent, exchange.telemetry, decided)
            if exchange.telemetry is not None:
                self._battery = exchange.telemetry.battery
        self.health.announce()

    def examine(self) -> DiagnosticStatus:
        """Say whether the robot is armed and why not, how the link is, and what it has counted."""
        state = self.loop.status()
        level = DiagnosticStatus.WARN if self._warning or not state.armed else DiagnosticStatus.OK
        level = level if state.link is LinkState.UP else DiagnosticStatus.ERROR
        details = {'warning': self._warning or 'none', 'dry run': self._dry_run}
        return status('bridge', state.reason, {**state.values(), **details}, level)

    def parts(self) -> list[DiagnosticStatus]:
        """Say how the battery is."""
        return [battery_status(self._battery, self._robot)]


def main() -> int:
    """Run the executable `bridge`."""
    return run(BridgeNode)


if __name__ == '__main__':
    raise SystemExit(main())
