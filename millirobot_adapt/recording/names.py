"""Translate between full topic names, in whatever namespace a robot was recorded, and the contract's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from millirobot_adapt.contract.topics import TOPICS, Topic
from millirobot_adapt.core.errors import UserError


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


class ContractNames(dict[str, 'str | None']):
    """Map full topic names of one bag to the contract's, for one robot; names that are none of it map to None.

    Raises:
        UserError: on the look-up that shows that there are several robots, if none was chosen.
    """

    def __init__(self, bag: Path, namespace: str | None) -> None:
        """Choose a robot by its namespace; None: the only one that there is."""
        super().__init__()
        self._bag = bag
        self._chosen = None if namespace is None else {n: t.name for n, t in full_names(namespace=namespace).items()}

    def __missing__(self, full_name: str) -> str | None:
        if self._chosen is not None:
            self[full_name] = self._chosen.get(full_name)
            return self[full_name]
        name = contract_name(full_name)
        for other, taken in self.items():
            if name is not None and taken == name:
                raise UserError(
                    f'{self._bag}: holds more than one robot ({other} and {full_name}); choose one with --namespace'
                )
        self[full_name] = name
        return name
