"""What all launch files do: declare their arguments, and start one process that conducts the run.

That process, `millirobot_adapt.app.launched`, checks everything, starts the nodes, watches them, ends them in order and
leaves the report: the same code as `millirobot demo`. It notices when `ros2 launch` dies, however that happens, and it
has a guardian for its own death. Started by launch one by one, the nodes would outlive a launch that is killed, and
nobody would end them in order.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessStart, OnShutdown
from launch.events import matches_action
from launch.events.process import ProcessExited, SignalProcess

from millirobot_adapt.bringup.arguments import Argument, arguments_of, refuse_unknown
from millirobot_adapt.bringup.interpreter import find_interpreter
from millirobot_adapt.core.errors import UserError

PATIENCE = '45'
"""The run is given this long to end [s]: the robot first, then the nodes, the bag, the report."""


def describe(launch: str) -> LaunchDescription:
    """Return the description of a launch file: what can be chosen, and what starts then."""
    declared = [_declare(argument) for argument in arguments_of(launch)]

    def start(context: LaunchContext) -> list[Action]:
        refuse_unknown(launch, sys.argv)
        return _start(launch, context.launch_configurations)

    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def _declare(argument: Argument) -> DeclareLaunchArgument:
    choices = list(argument.choices) or None
    if choices and argument.default not in choices:
        choices.insert(0, argument.default)
    if argument.required:
        return DeclareLaunchArgument(argument.name, description=argument.doc)
    doc = (
        argument.doc
        if argument.default or 'empty:' in argument.doc
        else f'{argument.doc}; empty: as the parameter files say'
    )
    return DeclareLaunchArgument(argument.name, default_value=argument.default, choices=choices, description=doc)


def _start(launch: str, chosen: Mapping[str, str]) -> list[Action]:
    """Return what starts the run, and ends with it.

    Raises:
        UserError: no Python has what the run needs.
    """
    arguments = [argument for argument in arguments_of(launch) if chosen[argument.name] != argument.default]
    words = [f'{argument.name}:={chosen[argument.name]}' for argument in arguments]
    run = ExecuteProcess(
        # `env` starts it with these signals waiting, so that a Ctrl-C during the imports ends it without a traceback.
        cmd=[
            'env', '--block-signal=HUP,INT,TERM', str(find_interpreter()), '-m', 'millirobot_adapt.app.launched',
            launch, f'--launcher={os.getpid()}', *words,
        ],
        name='millirobot',
        additional_env={'PYTHONUNBUFFERED': '1', 'PYTHONSAFEPATH': '1'},
        output='screen',
        sigterm_timeout=PATIENCE,
        sigkill_timeout=PATIENCE,
        on_exit=_on_exit,
    )  # fmt: skip
    ask = EmitEvent(event=SignalProcess(signal_number=signal.SIGINT, process_matcher=matches_action(run)))
    started = False

    def on_start(_: object, context: LaunchContext) -> list[Action]:
        # A Ctrl-C just before came too early for the run, and launch can signal it only from here on.
        nonlocal started
        started = True
        return [ask] if context.is_shutdown else []

    def on_shutdown(_: object, context: LaunchContext) -> list[Action]:
        # On a terminal, launch leaves Ctrl-C to it, which knows nothing of a SIGINT that is sent to launch alone.
        return [ask] if started and not context.noninteractive else []

    return [
        RegisterEventHandler(OnProcessStart(target_action=run, on_start=on_start)),
        RegisterEventHandler(OnShutdown(on_shutdown=on_shutdown)),
        run,
    ]


def _on_exit(event: ProcessExited, context: LaunchContext) -> list[Action]:
    """End the launch with the run; it fails if the run has.

    Raises:
        UserError: that is how a launch fails.
    """
    if context.is_shutdown:
        return []
    if event.returncode:
        raise UserError(f'the run ended with exit code {event.returncode}; its own lines above say why')
    return [Shutdown(reason='the run has ended')]
