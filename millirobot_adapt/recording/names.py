"""Translate between full topic names, in whatever namespace a robot was recorded, and the contract's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from millirobot_adapt.contract import topics as contract
from millirobot_adapt.contract.topics import TOPICS, VIEW_TOPICS, Topic
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.records import Channel

RUN_TOPICS = frozenset(
    topic.name
    for topic in (contract.TICK, contract.ARRIVALS, contract.SENT, contract.LEGS, contract.REPLY, contract.STATE)
)
"""Only a robot has them."""
ROBOT_TOPICS = frozenset(
    topic.name
    for topic in (
        contract.MOCAP_POSE, contract.SETPOINT, contract.BACK_EMF, contract.BRIDGE_STATE, contract.CONTROLLER_STATE,
        contract.TRUE_LEGS, contract.MOTORS, contract.ROLLOUT, contract.RUN,
    )
)  # fmt: skip
"""A robot where no namespace has one of `RUN_TOPICS`. Names such as odometry, plan and battery are everybody's."""


def full_names(topics: Iterable[Topic] = TOPICS, namespace: str = '') -> dict[str, Topic]:
    """Map topics by the full name that they have in a namespace ('' or 'robot1'); absolute names stay as they are."""
    prefix = f'/{namespace.strip("/")}/' if namespace.strip('/') else '/'
    return {topic.name if topic.name.startswith('/') else prefix + topic.name: topic for topic in topics}


def contract_name(full_name: str) -> str | None:
    """Return the contract's name of a full topic name in any namespace, or None if it is none of the contract's.

    The longest match wins: `/robot1/mock/legs` is `mock/legs`, not `legs` in the namespace `robot1/mock`.
    """
    matches = [t.name for t in TOPICS if f'/{full_name}'.endswith(f'/{t.name.lstrip("/")}')]
    return max(matches, key=len, default=None)


_TYPES = {topic.name: topic.type for topic in TOPICS}


def robots(channels: Iterable[Channel]) -> list[str]:
    """Return the namespaces that hold a robot, '' for none: by the names and types of what only robots publish."""
    found: dict[str, set[str]] = {}
    for channel in channels:
        name = contract_name(channel.full_topic)
        if name is not None and not name.startswith('/') and channel.ros_type == _TYPES[name]:
            found.setdefault(channel.full_topic.removesuffix(name).strip('/'), set()).add(name)
    for wanted in (RUN_TOPICS, ROBOT_TOPICS):
        namespaces = sorted(namespace for namespace, names in found.items() if names & wanted)
        if namespaces:
            return namespaces
    return sorted(found, key=lambda namespace: (-len(found[namespace]), namespace))[:1]


def choose_robot(channels: Iterable[Channel], bag: Path, namespace: str | None) -> dict[str, str]:
    """Map topic names to the contract's, for one robot: the one of `namespace`, or the only one.

    Raises:
        UserError: several robots and no choice, or the choice is none of them.
    """
    known = list(channels)
    namespaces = robots(known)
    shown = ', '.join(namespace or "'' (no namespace)" for namespace in namespaces)
    if namespace is None:
        if len(namespaces) > 1:
            raise UserError(f'{bag}: holds {len(namespaces)} robots: {shown}; choose one with --namespace')
        chosen = namespaces[0] if namespaces else ''
    else:
        chosen = namespace.strip('/')
        own = full_names(namespace=chosen)
        if namespaces and not any(c.full_topic in own and not own[c.full_topic].name.startswith('/') for c in known):
            raise UserError(f'{bag}: holds no robot {chosen!r}; it holds {shown}')
    names = {name: topic.name for name, topic in full_names((*TOPICS, *VIEW_TOPICS), chosen).items()}
    return names | {channel.topic: names[channel.full_topic] for channel in known if channel.full_topic in names}
