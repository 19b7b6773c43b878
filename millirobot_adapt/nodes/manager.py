"""The manager: start up the nodes of one robot in order, watch them, and stop the robot when one of them dies."""

from __future__ import annotations

import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import Trigger

from millirobot_adapt.contract import topics
from millirobot_adapt.contract.states import ManagerPhase, ManagerState
from millirobot_adapt.core.errors import DeviceError
from millirobot_adapt.ros.bring_up import BringUp, BringUpError, ManagerConfig, Watch
from millirobot_adapt.ros.conversions import status
from millirobot_adapt.ros.lifecycle_client import LifecycleClient, listen_for_words
from millirobot_adapt.ros.node_health import Health
from millirobot_adapt.ros.parameters import load
from millirobot_adapt.ros.process import NODE_OPTIONS, run

PERIOD = 0.05
"""Time between two polls of the nodes [s]."""
STOP_PATIENCE = 1.0
"""Longest wait for the bridge to confirm the stop [s]."""


class Manager(Node):
    """Drive the lifecycle of the other nodes in its namespace; an operator may change it as well."""

    def __init__(self) -> None:
        super().__init__('manager', **NODE_OPTIONS)
        self._config = load(self, ManagerConfig)
        self._managed = {name: LifecycleClient(self, name) for name in self._config.nodes}
        self._states = dict.fromkeys(self._managed, 'not there')
        self._bring_up = BringUp(self._managed, self._config.patience, self._tell, time.monotonic)
        self._watch: Watch | None = None
        self._failure = ''
        self._stop = self.create_client(Trigger, 'bridge/manager_stop')
        self._stopping: Any = None
        self._stop_until = 0.0
        listen_for_words(self, self._managed)
        self._health = Health(self, self.examine, topics.MANAGER_STATE)
        self.create_timer(PERIOD, self._turn, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _turn(self) -> None:
        """Do the next thing: stop, bring up, or watch.

        Raises:
            DeviceError: a node did not come up or has died; the robot has been stopped.
        """
        if self._failure:
            self._wait_for_the_stop()
        elif self._watch is None:
            self._go_on_bringing_up()
        else:
            self._watch_nodes(self._watch)
        self._health.announce()

    def _go_on_bringing_up(self) -> None:
        try:
            self._bring_up.advance()
        except BringUpError as error:
            self._fail(str(error))
        if self._bring_up.done:
            self._watch = Watch(list(self._managed), self._config.silence, time.monotonic)
            self._tell(f'active: {", ".join(self._managed)}')

    def _watch_nodes(self, watch: Watch) -> None:
        for name, client in self._managed.items():
            state = client.poll()
            if state:
                watch.on_heard(name)
                if state != self._states[name]:
                    self._states[name] = state
                    if state != 'active':
                        self.get_logger().warning(f'{name} is {state}: somebody else has changed that')
        lost = watch.lost()
        if lost:
            self._fail(f'{lost} has died or hangs: nothing heard of it for {self._config.silence:g} s')

    def _fail(self, why: str) -> None:
        """Ask for a stop of the robot; `_turn` then ends the manager."""
        self._failure = why
        self._stop_until = time.monotonic() + STOP_PATIENCE
        if self._stop.service_is_ready():
            self._stopping = self._stop.call_async(Trigger.Request())

    def _wait_for_the_stop(self) -> None:
        confirmed = self._stopping is not None and self._stopping.done()
        if confirmed or self._stopping is None or time.monotonic() > self._stop_until:
            self._health.tell()
            raise DeviceError(f'{self._failure}{self._robot_outcome(confirmed)}')

    def _robot_outcome(self, stopped: bool) -> str:
        if 'bridge' not in self._managed:
            return ''  # a recorded run is played: there is no robot
        return '; the robot was told to stop' if stopped else '; the bridge did not confirm a stop'

    def _tell(self, what: str) -> None:
        self.get_logger().info(what)

    def examine(self) -> DiagnosticStatus:
        """Say what the bring-up waits for, or why it failed."""
        values = {name: self._managed[name].words or self._states[name] for name in self._managed}
        asleep = [name for name, state in self._states.items() if state not in ('active', 'not there')]
        if self._failure:
            state, level = ManagerState(ManagerPhase.FAILED, self._failure, values), DiagnosticStatus.ERROR
        elif self._watch is None:
            state = ManagerState(ManagerPhase.WAITING, self._bring_up.waiting_for, values)
            level = DiagnosticStatus.WARN
        elif asleep:
            reason = f'{", ".join(asleep)} not active'
            state, level = ManagerState(ManagerPhase.DEGRADED, reason, values), DiagnosticStatus.WARN
        else:
            state, level = ManagerState(ManagerPhase.ACTIVE, '', values), DiagnosticStatus.OK
        return status('manager', state.text, state.values(), level)


def main() -> int:
    """Run the executable `manager`."""
    return run(Manager)


if __name__ == '__main__':
    raise SystemExit(main())
