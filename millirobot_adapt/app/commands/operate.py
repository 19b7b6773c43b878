"""Commands that operate a robot, or the mock, that runs: arm, start, pause, resume, finish, stop, set, load, status.

They call the services of the running nodes, so that no `ros2` tool is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.share import find

if TYPE_CHECKING:
    from millirobot_adapt.ros.operator import Operator

OK, FAILED = 0, 1
PATIENCE = 5.0
"""Longest wait for an answer [s]."""
LOADING = 30.0
"""Longest wait until a model is loaded, on a busy machine [s]."""
NODES = ('bridge', 'controller', 'collector')
"""Nodes that show where a robot runs on this machine."""

SERVICES = {
    'arm': (('bridge/arm',), 'let setpoints through to the motors; the robot does not walk yet'),
    'start': (('controller/start', 'collector/start'), 'start a run: the robot walks'),
    'pause': (('controller/pause',), 'stand still and keep the run'),
    'resume': (('controller/resume',), 'go on with a paused run'),
    'finish': (('controller/finish',), 'end the run as done'),
    'stop': (('bridge/stop',), 'stop the motors at once; only arming lets the robot walk again'),
}
"""Command -> services of which the first that is offered is called, what it does."""

EPILOG = 'Exit codes: 0 done, 1 refused or no answer, 2 bad input.'


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    for name, (services, text) in SERVICES.items():
        description = f'Call the service {" or ".join("/" + each for each in services)} of the running nodes: {text}.'
        if name == 'stop':
            description += ' Without --domain it stops every robot whose nodes run on this machine.'
        parser = subparsers.add_parser(name, help=text, description=description, epilog=EPILOG)
        _add_where(parser)
        parser.set_defaults(run=_call, verb=name)

    setter = add_command(subparsers, 'set', _set, epilog=EPILOG)
    setter.add_argument(
        'settings', nargs='+', metavar='NODE.PARAMETER=VALUE', help='e.g. controller.objective.speed=0.2; of one node'
    )
    _add_where(setter)

    loader = add_command(subparsers, 'load', _load, epilog=EPILOG)
    loader.add_argument('bundle', metavar='BUNDLE', help='a name under models/, or the folder of a bundle')
    _add_where(loader)

    status = add_command(subparsers, 'status', _status)
    _add_where(status)
    status.add_argument('--json', action='store_true', help='print JSON instead of the table')


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--domain', type=int, metavar='N', help='ROS domain of the robot (default: of the nodes on this machine)'
    )
    parser.add_argument('--namespace', default='', help='namespace of the robot')


def _call(args: argparse.Namespace) -> int:
    services, _ = SERVICES[args.verb]
    codes = []
    for domain in _domains(args, every=args.verb == 'stop'):
        done, answer = _operate(domain, args.namespace, lambda robot: robot.call_first(services, PATIENCE))
        print(answer if done else f'millirobot: {answer}', file=sys.stdout if done else sys.stderr)
        codes.append(OK if done else FAILED)
    return max(codes)


def _set(args: argparse.Namespace) -> int:
    """Set live parameters of a running node, all or none.

    Set parameters of a running node while the robot walks. docs/parameters.md says which are live. All are set, or
    none.
    """
    from millirobot_adapt.bringup.processes import NODES as KNOWN
    from millirobot_adapt.bringup.processes import parse_override, resolve

    given: dict[str, dict[str, Any]] = {}
    for text in args.settings:
        node, name, value = parse_override(text, KNOWN)
        given.setdefault(node, {})[name] = value
    if len(given) > 1:
        raise UserError(f'set: {" and ".join(given)} are two nodes; call it once for each, as all are set or none')
    ((node, values),) = given.items()
    checked = resolve([each for each in KNOWN if each.name == node], given)[node]
    values = {name: checked[name] for name in values}
    (domain,) = _domains(args)
    done, answer = _operate(domain, args.namespace, lambda robot: robot.set_parameters(node, values, PATIENCE))
    if not done:
        print(f'millirobot: {answer}', file=sys.stderr)
        return FAILED
    for name, value in values.items():
        print(f'{node}.{name} = {value}')
    return OK


def _load(args: argparse.Namespace) -> int:
    """Swap in another model bundle while the robot walks.

    Load a model bundle beside the one in use, check it, and plan with it from a tick to the next. If the former model
    predicts the next ticks better (controller.trial_ticks), it comes back.
    """
    folder = find('models', args.bundle).resolve()
    (domain,) = _domains(args)
    done, answer = _operate(domain, args.namespace, lambda robot: robot.load_model(str(folder), LOADING))
    print(f'{folder.name}: {answer}' if done else f'millirobot: {answer}', file=sys.stdout if done else sys.stderr)
    return OK if done else FAILED


def _status(args: argparse.Namespace) -> int:
    """Say what the running nodes do: armed, link, run, bring-up.

    Print what bridge, controller or collector, and manager last said of themselves.

    Exit codes: 0 somebody answers, 1 nobody does, 2 bad input.
    """
    (domain,) = _domains(args)
    rows = _operate(domain, args.namespace, _heard)
    if not rows:
        where = f'/{args.namespace}' if args.namespace else 'no namespace'
        print(f'millirobot: nobody answers ({where}); start a run, or name --domain and --namespace', file=sys.stderr)
        return FAILED
    if args.json:
        print(json.dumps(rows, indent=2))
        return OK
    for name, values in rows.items():
        print(f'{name:10}  {values["state"]:8}  {values["says"]}')
    return OK


def _heard(robot: Operator) -> dict[str, dict[str, Any]]:
    """Return what each node says, once all have said something; after `PATIENCE` what those say that have."""
    for _ in range(round(PATIENCE / 0.1)):
        robot.spin(0.1)
        if robot.bridge and robot.controller and robot.manager:
            break
    rows: dict[str, dict[str, Any]] = {}
    if robot.bridge is not None:
        bridge = robot.bridge
        armed = 'armed' if bridge.armed else 'disarmed'
        values = {str(key): str(value) for key, value in bridge.values().items()}
        rows['bridge'] = {'state': armed, 'says': f'link {bridge.link.value}; {bridge.reason}', **values}
    if robot.controller is not None:
        controller = robot.controller
        values = {str(key): str(value) for key, value in controller.values().items()}
        says = controller.run.reason or f'model {values.get("model", "none")}'
        rows[controller.sender.source.value] = {'state': controller.run.phase.value, 'says': says, **values}
    if robot.manager is not None:
        manager = robot.manager
        rows['manager'] = {'state': manager.phase.value, 'says': manager.reason or 'every node is active'}
    return rows


def _domains(args: argparse.Namespace, every: bool = False) -> list[Callable[[], None]]:
    """Return how to join the ROS graph of the robot: one, or with `every` all that have nodes on this machine.

    Raises:
        UserError: nodes run in several domains, and none of them was named.
    """
    from millirobot_adapt.bringup.running_nodes import join_graph, one_graph, running_nodes

    here = running_nodes(*NODES)
    if every and args.domain is None and here:
        first = {node.domain: node for node in here}
        return [lambda node=node: join_graph(node) for _, node in sorted(first.items())]  # type: ignore[misc]
    if any(node.domain == args.domain for node in here) or (here and args.domain is None):
        chosen = one_graph(here, args.domain)
        return [lambda: join_graph(chosen)]
    if args.domain is not None:  # its nodes run on another machine
        return [lambda: os.environ.update(ROS_DOMAIN_ID=str(args.domain))]
    return [lambda: None]


def _operate(join: Callable[[], None], namespace: str, do: Callable[[Operator], Any]) -> Any:
    """Join the ROS graph, do something as its operator, and leave."""
    join()
    from millirobot_adapt.ros.operator import Operator

    robot = Operator(namespace)
    try:
        return do(robot)
    finally:
        robot.close()
