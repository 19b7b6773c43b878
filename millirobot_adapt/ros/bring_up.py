"""The order in which the manager brings nodes up, and how long it waits for each step.

The clock is an argument and nodes are a protocol, so this module needs no ROS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from millirobot_adapt.core.config import Config, param

CONFIGURE, ACTIVATE = 'configure', 'activate'
OBSERVERS = ('recorder',)
"""Active before the others are configured, so that they miss nothing."""
FAILED = {CONFIGURE: 'could not be configured', ACTIVATE: 'could not be activated'}
LAST_MESSAGE_TIME = 1.0
"""A node that ended instead of answering may have published the reason: it arrives within this time [s]."""
RETRY = 0.2
"""Time between two attempts to activate a node that is not ready [s]."""

Step = tuple[str, str]
"""A node and the transition that is asked of it."""


class ManagerConfig(Config):
    """Parameters of the executable `manager`."""

    nodes: tuple[str, ...] = param(
        ('recorder', 'bridge', 'estimator', 'controller'),
        'Nodes to bring up, in this order: all are configured, then activated; a recorder is active before that.',
    )
    patience: float = param(
        30.0, 'A node that is not ready for its next step within this time ends the bring-up.', unit='s',
        low=1.0, high=3600.0,
    )  # fmt: skip
    silence: float = param(
        3.0, 'A node that does not answer for this long is lost: the robot is stopped and the manager ends.', unit='s',
        low=0.5, high=60.0,
    )  # fmt: skip


class Managed(Protocol):
    """A node that is brought up."""

    @property
    def present(self) -> bool:
        """It offers its transitions."""

    @property
    def words(self) -> str:
        """Its last status text; empty before the first."""

    @property
    def answer(self) -> bool | None:
        """Whether the last transition succeeded; None: no answer yet."""

    def ask(self, transition: str) -> None:
        """Ask for a transition."""


class BringUpError(Exception):
    """Say in one line which node did not come up, and why."""


def steps(nodes: Sequence[str]) -> list[Step]:
    """Return the order: observers all the way first, then all others configured, then activated one by one."""
    observers = [name for name in nodes if name in OBSERVERS]
    others = [name for name in nodes if name not in OBSERVERS]
    first = [(name, transition) for name in observers for transition in (CONFIGURE, ACTIVATE)]
    return first + [(name, transition) for transition in (CONFIGURE, ACTIVATE) for name in others]


class BringUp:
    """Take nodes through their steps; call `advance` repeatedly, it never blocks."""

    def __init__(
        self, nodes: Mapping[str, Managed], patience: float, tell: Callable[[str], None], steady: Callable[[], float]
    ) -> None:
        """Begin with the first step.

        Args:
            nodes: By name, in the order in which they come up.
            patience: Longest time for one step [s].
            tell: Is called with a line when the reason for waiting changes by more than its numbers.
            steady: The steady clock [s].
        """
        self._nodes = nodes
        self._left = steps(list(nodes))
        self._patience = patience
        self._tell = tell
        self._steady = steady
        self._asked = False
        self._next_attempt = self._began = self._seen = steady()
        self.waiting_for = ''
        """What it waits for, for people; empty when it waits for nothing."""

    @property
    def done(self) -> bool:
        """Every node is active."""
        return not self._left

    def advance(self) -> None:
        """Do what can be done now.

        Raises:
            BringUpError: a node cannot be configured, ends, or is not ready in time.
        """
        while self._left and self._step(*self._left[0]):
            self._left.pop(0)
            self._asked = False
            self._next_attempt = self._began = self._steady()
            self.waiting_for = ''

    def _step(self, name: str, transition: str) -> bool:
        """Work on one step; return whether it is done."""
        node = self._nodes[name]
        if self._asked:
            return self._judge(node.answer, name, transition)
        if not node.present:
            return self._wait(f'{name}: not there; is its process running, in this namespace and ROS domain?')
        self._seen = self._steady()
        if self._seen >= self._next_attempt:
            self._asked = True
            node.ask(transition)
        return self._wait(self.waiting_for or f'{name}: {transition}')

    def _judge(self, answer: bool | None, name: str, transition: str) -> bool:
        """Evaluate the answer to a step; return whether the step is done."""
        node, now = self._nodes[name], self._steady()
        if answer:
            return True
        if answer is None:
            self._seen = now if node.present else self._seen
            if now <= self._seen + LAST_MESSAGE_TIME:
                return self._wait(self.waiting_for or f'{name}: {transition}')
        elif transition == ACTIVATE:
            self._asked, self._next_attempt = False, now + RETRY
            return self._wait(f'{name}: {node.words or "not ready"}')
        raise BringUpError(f'{name} {FAILED[transition]}: {node.words or "its own output says why"}')

    def _wait(self, what: str) -> bool:
        short = what.endswith((f': {CONFIGURE}', f': {ACTIVATE}'))  # the usual steps are no news
        if _kind(what) != _kind(self.waiting_for) and not short:
            self._tell(f'waiting for {what}')
        self.waiting_for = what
        if self._steady() > self._began + self._patience:
            raise BringUpError(f'gave up after {self._patience:g} s of waiting for {what}')
        return False


def _kind(what: str) -> str:
    """Remove the numbers, so that a reason with a varying rate is reported once."""
    return re.sub(r'[0-9.]+', '', what)


class Watch:
    """Detect that a node which was brought up has died or hangs; poll `lost`."""

    def __init__(self, names: Sequence[str], silence: float, steady: Callable[[], float]) -> None:
        """Watch from now on; a node that has not been heard for `silence` [s] is lost."""
        self._silence = silence
        self._steady = steady
        self._heard = dict.fromkeys(names, steady())

    def on_heard(self, name: str) -> None:
        """Note a sign of life."""
        self._heard[name] = self._steady()

    def lost(self) -> str:
        """Return the name of a node that is lost; empty while there is none."""
        now = self._steady()
        return next((name for name, heard in self._heard.items() if now > heard + self._silence), '')
