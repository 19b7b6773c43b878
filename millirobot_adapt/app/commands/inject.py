"""The command `millirobot inject`: let a fault of the running mock begin."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from millirobot_adapt.app.commands.shared import add_command, between

OK, FAILED = 0, 1


def add(subparsers: Any) -> None:
    """Add the command."""
    inject = add_command(subparsers, 'inject', _run)
    inject.add_argument('fault', nargs='?', help='name of the fault, e.g. mocap.freeze; see --list')
    inject.add_argument('value', nargs='?', help='its value, e.g. 0.3 or left (default: see --list)')
    inject.add_argument(
        '--for', dest='duration', type=between(float, 0.0, 3600.0, 'seconds'), default=0.0, metavar='SECONDS',
        help='how long it lasts [s] (default: until `millirobot inject clear`)',
    )  # fmt: skip
    inject.add_argument('--list', action='store_true', help='print every fault, its values and what happens')
    inject.add_argument('--json', action='store_true', help='with --list: print JSON instead of the table')
    inject.add_argument('--domain', type=int, help='ROS domain of the mock, where several run')
    inject.add_argument('--namespace', default='', help='namespace of the robot')


def _run(args: argparse.Namespace) -> int:
    """Let a fault of the running mock begin: motion capture, radio, port, robot, clocks, processes.

    Let a fault begin in the mock that runs on this machine (millirobot demo, or a launch file), by its service
    mock/inject. The same names stand in the list `faults` of a condition under params/conditions/.

    Exit codes: 0 it has begun, 1 the mock refused it or did not answer, 2 bad input.
    """
    import yaml

    from millirobot_adapt.bringup.running_nodes import join_graph, one_graph, running_nodes
    from millirobot_adapt.core.errors import UserError
    from millirobot_adapt.sim.conditions import make_fault

    if args.list:
        print(json.dumps(fault_list(), indent=2) if args.json else fault_table())
        return OK
    if args.fault is None:
        raise UserError('inject: name the fault, e.g. millirobot inject mocap.freeze --for 2 (--list names all)')
    try:
        value = None if args.value is None else yaml.safe_load(args.value)
    except yaml.YAMLError:
        raise UserError(f'{args.fault}: {args.value!r} is not a YAML value') from None
    make_fault(args.fault, value, args.duration)  # what is wrong in itself needs no mock to say so
    mocks = running_nodes('mock_robot')
    if not mocks:
        raise UserError('no mock runs on this machine; start one with millirobot demo or the launch file sim')
    join_graph(one_graph(mocks, args.domain))
    from millirobot_adapt.ros.inject import inject_once

    done, answer = inject_once(args.namespace, args.fault, args.value, args.duration)
    print(answer if done else f'millirobot: {answer}', file=sys.stdout if done else sys.stderr)
    return OK if done else FAILED


def fault_list() -> list[dict[str, Any]]:
    """Return every fault: its name, its values, its default, what happens."""
    from millirobot_adapt.sim.fault_kinds import FAULT_KINDS, PROCESSES
    from millirobot_adapt.sim.leg_names import LEGS

    named = {PROCESSES: 'a node', LEGS: 'a leg'}
    return [
        {
            'fault': name,
            'values': named.get(kind.choices, kind.values),
            'choices': list(kind.choices),
            'default': kind.default,
            'what': kind.text,
        }
        for name, kind in FAULT_KINDS.items()
    ]


def fault_table() -> str:
    """Lay out every fault, its values and what happens."""
    from millirobot_adapt.sim.conditions import CIRCUMSTANCES
    from millirobot_adapt.sim.fault_kinds import PROCESSES
    from millirobot_adapt.sim.leg_names import LEGS

    rows = []
    for fault in fault_list():
        default = fault['default']
        number = default is not True and default is not None and not fault['choices']
        rows.append((fault['fault'], f'{fault["values"]} ({default:g})' if number else fault['values'], fault['what']))
    width, values_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f'{name:{width}}  {values:{values_width}}  {text}' for name, values, text in rows]
    lines += ['', f'A node is one of {", ".join(PROCESSES)}; a leg is one of {", ".join(LEGS)}.']
    lines.append(f'The keys of a condition can be injected as in its file: {", ".join(CIRCUMSTANCES)}.')
    return '\n'.join(lines)
