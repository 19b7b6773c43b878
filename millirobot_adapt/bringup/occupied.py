"""Refuse to start where a robot runs already: two bridges, or two controllers, would send at once.

On one machine the claims of the nodes tell at once (`ros/claim.py`). Other machines are asked over ROS: a node of ours
that lives publishes on /diagnostics every second, one that was killed and not yet forgotten does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.ros.claim import Claim, claim, domain_id, holder
from millirobot_adapt.ros.living_nodes import living_nodes

RUN = 'run'
"""What a whole run claims, in its namespace, before anything else."""


def claim_namespace(namespace: str, nodes: Sequence[str]) -> Claim:
    """Claim a namespace for a run that will start some nodes; the claim holds until it is released or we die.

    Args:
        namespace: Such as `robot1`; '' for none.
        nodes: Names of the nodes.

    Raises:
        UserError: a run, or one of the nodes, is there already, on this machine or another.
    """
    prefix = f'/{namespace}' if namespace else ''
    fix = f'end it, or start this one with {"another namespace:=..." if namespace else "namespace:=..."}'
    held = claim(f'{prefix}/{RUN}')
    if held is None:
        process = holder(f'{prefix}/{RUN}')
        raise UserError(f'a robot is being run in the namespace {prefix or "/"} already{process}; {fix}')
    try:
        for node in nodes:
            other = claim(f'{prefix}/{node}')
            if other is None:
                raise UserError(f'{prefix}/{node} runs already on this machine{holder(f"{prefix}/{node}")}; {fix}')
            other.release()
        living = living_nodes([f'{prefix}/{node}' for node in nodes])
        if living:
            raise UserError(f'{", ".join(living)} runs already in ROS domain {domain_id()}, elsewhere; {fix}')
    except UserError:
        held.release()
        raise
    return held
