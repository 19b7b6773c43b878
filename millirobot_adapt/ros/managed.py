"""A managed (lifecycle) node: configured, activated and deactivated from outside, by the manager or `ros2 lifecycle`.

What the states mean here:

- **unconfigured**: the parameters are read and valid; a process with bad ones has ended before.
- **inactive**: everything is made and checked (model, port, bag, subscriptions); nothing is asked of the robot.
- **active**: the node does its work. It becomes active only when what it needs is there.
- **finalized**: the process ends.

Nothing that keeps the robot safe depends on these states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from millirobot_adapt.contract.states import LIFECYCLE
from millirobot_adapt.contract.topics import Topic
from millirobot_adapt.ros.conversions import status
from millirobot_adapt.ros.node_health import Health
from millirobot_adapt.ros.process import NODE_OPTIONS
from millirobot_adapt.ros.watched_thread import WatchedThread

REMINDER = 5.0
"""Least time between two lines about what a node still waits for [s]."""


Destroyable = tuple[Callable[[Any], Any], Any]
"""An entity, after the function that destroys it."""


class Entities:
    """The publishers, subscriptions, services, clients and timers of a node, by the state that they belong to."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._made: dict[str, list[Destroyable]] = {}

    def all(self) -> list[Destroyable]:
        """Return every entity that the node has now."""
        node = self._node
        kinds: list[Destroyable] = [
            (node.destroy_subscription, node.subscriptions), (node.destroy_service, node.services),
            (node.destroy_client, node.clients), (node.destroy_timer, node.timers),
            (node.destroy_publisher, node.publishers),
        ]  # fmt: skip
        return [(destroy, entity) for destroy, entities in kinds for entity in entities]

    def make(self, state: str, work: Callable[[], None]) -> None:
        """Do the work that leads to `state`, and note what it makes, even when it raises half-way."""
        before = {id(entity) for _, entity in self.all()}
        try:
            work()
        finally:
            self._made[state] = [each for each in self.all() if id(each[1]) not in before]

    def destroy(self, state: str) -> None:
        """Destroy what was made on the way to `state`."""
        for destroy, entity in self._made.pop(state, []):
            destroy(entity)


class NotYetError(Exception):
    """Say what a node waits for before it can become active."""


class ManagedNode(LifecycleNode):
    """Base of the managed nodes; a node overrides `configure`, `activate`, `deactivate`, `cleanup` and `examine`.

    `configure` may raise UserError or DeviceError, which end the process, `activate` NotYetError, which leaves the
    node inactive. ROS entities made by `configure` or `activate` are destroyed when the node leaves that state again.
    """

    def __init__(self, name: str, state: Topic | None = None) -> None:
        """Join the ROS graph, unconfigured; `state` is the node's own latched topic for its diagnostics, if any."""
        super().__init__(name, **NODE_OPTIONS)
        self.lifecycle = 'unconfigured'
        """Where it stands: unconfigured, inactive, active or finalized."""
        self.failure: Exception | None = None
        """What a transition or a thread failed with; the process ends with it."""
        self._entities = Entities(self)
        self.health = Health(self, self._condition, state, self._parts)
        self._refuse_unknown_transitions()

    # What a node does; the default is nothing.

    def configure(self) -> None:
        """Make and check everything that the node needs."""

    def activate(self) -> None:
        """Begin the work."""

    def deactivate(self) -> None:
        """Stop the work."""

    def cleanup(self) -> None:
        """Give back what `configure` took."""

    def examine(self) -> DiagnosticStatus:
        """Say how the node does; asked for only while it is configured."""
        return status(self.get_name(), self.lifecycle, {})

    def parts(self) -> list[DiagnosticStatus]:
        """Say how what the node stands for does, such as a sensor; asked for only while it is configured."""
        return []

    def on_thread_failure(self, reason: str) -> None:
        """Bring the robot to a stand, on a thread that has failed; the process ends within a moment anyway."""

    def watched_thread(self, name: str, work: Callable[[], None], daemon: bool = False) -> WatchedThread:
        """Make a thread whose exception ends the process, with the reason; see `on_thread_failure`."""
        return WatchedThread(name, work, self._on_thread_failure, daemon)

    def close(self) -> None:
        """End the work and give everything back, whatever state the node is in."""
        if self.lifecycle == 'active':
            self.deactivate()
            self.lifecycle = 'inactive'
            self.health.announce()  # why a run ended, for the recorder
        if self.lifecycle == 'inactive':
            try:
                self.cleanup()
            finally:
                self.lifecycle = 'unconfigured'

    # What ROS calls.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `configure`."""
        return self._change('inactive', lambda: self._make('inactive', self.configure))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `activate`."""
        return self._change('active', lambda: self._make('active', self.activate))

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `deactivate`."""
        return self._change('inactive', lambda: self._unmake('active', self.deactivate))

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        return self._change('unconfigured', lambda: self._unmake('inactive', self.cleanup))

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `close`; the process ends then."""
        return self._change('finalized', self.close)

    # How it comes about.

    def _change(self, goal: str, work: Callable[[], None]) -> TransitionCallbackReturn:
        """Do the work of a transition, and tell on the diagnostics at once how that went."""
        objection = ''
        try:
            work()
        except NotYetError as error:
            objection = str(error)
            self.get_logger().info(f'not yet active: {error}', throttle_duration_sec=REMINDER)
        except Exception as error:  # rclpy would swallow it; `run` raises it again
            objection, self.failure = str(error), error
        else:
            self.lifecycle = goal
        self.health.tell(objection)
        return TransitionCallbackReturn.FAILURE if objection or self.failure else TransitionCallbackReturn.SUCCESS

    def _make(self, state: str, work: Callable[[], None]) -> None:
        """Do the work that leads to `state`; of a refusal nothing stays."""
        try:
            self._entities.make(state, work)
        except NotYetError:
            self._entities.destroy(state)
            raise

    def _unmake(self, state: str, work: Callable[[], None]) -> None:
        work()
        self._entities.destroy(state)

    def _condition(self) -> DiagnosticStatus:
        """Return what `examine` says, and where the node stands."""
        if self.lifecycle == 'active':
            found = self.examine()
        elif self.lifecycle == 'inactive':
            found = self.examine()
            found.message = 'inactive' if found.level == DiagnosticStatus.OK else f'inactive: {found.message}'
        else:
            found = status(self.get_name(), self.lifecycle, {}, DiagnosticStatus.STALE)
        found.values.append(KeyValue(key=LIFECYCLE, value=self.lifecycle))
        return found

    def _on_thread_failure(self, reason: str, error: Exception) -> None:
        self.get_logger().error(reason)
        try:
            self.on_thread_failure(reason)
            self.health.announce()
        except Exception as second:
            self.get_logger().error(f'and the robot could not be told to stand: {second}')
        self.failure = error  # `run` raises it, on the main thread

    def _parts(self) -> list[DiagnosticStatus]:
        return self.parts() if self.lifecycle in ('inactive', 'active') else []

    def _refuse_unknown_transitions(self) -> None:
        """Answer a transition that is not possible with no; rclpy's service would raise, and end the process."""
        service = next(service for service in self.services if service.srv_type is ChangeState)
        answer = service.callback

        def callback(request: Any, response: Any) -> Any:
            try:
                return answer(request, response)
            except RuntimeError as error:  # rclpy's RCLError, which has no public name
                self.get_logger().warning(f'transition refused: {error}')
                response.success = False
                return response

        service.callback = callback
