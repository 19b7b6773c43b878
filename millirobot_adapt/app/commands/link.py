"""The command `millirobot link-test`: check a robot on the bench, without ROS."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from millirobot_adapt.app.commands.shared import add_command, add_common, between, plain
from millirobot_adapt.core.errors import UserError

if TYPE_CHECKING:
    from firmware_bridge.link_check import LinkCheck
    from firmware_bridge.link_measurements import Live, Trip
    from millirobot_adapt.core.robot.description import RobotConfig

OK, FAILED = 0, 1
ROUND_TRIPS = 200
HISTOGRAM_EDGES = (0, 1, 2, 5, 10, 15, 20, 30, 50, 100, 300)
"""Of the round trips [ms]."""
GUARDIAN_SILENCE = 0.5
"""The guardian of a robot on a stand tolerates more than the bridge's [s]: a busy machine must not end the test."""
BAR = 50
"""Length of the longest bar of the histogram [characters]."""


def add(subparsers: Any) -> None:
    """Add the commands of this group."""
    test = add_command(subparsers, 'link-test', _link_test)
    test.add_argument(
        'port', metavar='PORT', help='serial port of the XBee or the bus, best a /dev/serial/by-id/... name'
    )
    add_common(test, '--robot')
    test.add_argument(
        '--seconds',
        type=between(float, 0.0, 3600.0, 'seconds'),
        default=3.0,
        help='of encoders and gyro, live [s] (default: 3)',
    )
    test.add_argument('--jog', choices=('left', 'right'), help='turn this side; the robot has to be on a stand')
    test.add_argument('--yes', action='store_true', help='do not ask whether the robot is on a stand')
    add_common(test, '--json')


def _link_test(args: argparse.Namespace) -> int:
    """Check a robot on the bench: radio or bus, sensors, and whether it stops by itself.

    Ask the robot its name, have its PID gains echoed, exchange 200 packets, and show encoders and gyro while you turn
    legs by hand: all with the motors off. Only with --jog a leg turns: 2 rev/s for a second, and once more to see
    whether the robot stops by itself when setpoints stop. A robot with servos on a bus: ask every servo who it is, read
    all of them 200 times, show where the legs stand; with --jog the legs of a side turn, 1 rev/s, then the bus falls
    silent, to see whether the watchdogs stop them. Ctrl-C stops the motors.

    Exit codes: 0 every check passed, 1 one did not, 2 bad input, 130 interrupted.
    """
    from firmware_bridge.bridge_config import LinkConfig
    from firmware_bridge.channel import serial_channel
    from firmware_bridge.clock import SystemClock
    from firmware_bridge.link_check import LinkCheck
    from firmware_bridge.transports import TransportLost
    from millirobot_adapt.core.robot.description import load_robot
    from millirobot_adapt.core.robot.dynamixel import DynamixelConfig

    robot = load_robot(args.robot)
    if robot.baud is None:
        raise UserError(
            f'robot {robot.name} has no serial port to test; `millirobot doctor` says who listens to its commands'
        )
    if isinstance(robot.driver, DynamixelConfig):
        return _servo_test(robot, args)
    if args.jog:
        if not robot.imageproc.timeout:
            raise UserError(f'--jog: the robot {args.robot} has no timeout to check; set `timeout` [ms] in its file')
        _confirm(args.yes)
    clock = SystemClock()
    channel = serial_channel(args.port, robot, GUARDIAN_SILENCE, clock)
    with _one_interrupt():
        try:
            channel.open()
            found = _check(LinkCheck(channel, robot, LinkConfig(), clock), robot, args)
        except TransportLost as error:
            raise UserError(
                f'port {args.port}: lost during the test ({error}); switch the robot off if a leg turns, check the '
                'plug, and try again'
            ) from None
        finally:
            channel.write_stop()
            channel.close()
    print(json.dumps(found, indent=2, allow_nan=False) if args.json else _text(found))
    return OK if found['passed'] else FAILED


def _servo_test(robot: RobotConfig, args: argparse.Namespace) -> int:
    """Check a robot with servos on a bus."""
    from firmware_bridge.dynamixel.servo_check import servo_port
    from millirobot_adapt.app.commands.link_servos import check_servos, servo_text

    if args.jog:
        _confirm(args.yes)
    with _one_interrupt():
        found = check_servos(servo_port(args.port, robot.dynamixel, GUARDIAN_SILENCE), robot, args)
    print(json.dumps(plain(found), indent=2) if args.json else servo_text(found))
    return OK if found['passed'] else FAILED


@contextlib.contextmanager
def _one_interrupt() -> Iterator[None]:
    """Let the first signal interrupt; ignore further ones, so that none cuts the stop of the motors short."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _confirm(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError('--jog: turns legs; put the robot on a stand and add --yes')
    if input('Legs are going to turn. Is the robot on a stand, its legs in the air? [y/N] ').strip().lower() != 'y':
        raise UserError('--jog: the robot is not on a stand; put it there first')


def _check(check: LinkCheck, robot: RobotConfig, args: argparse.Namespace) -> dict[str, Any]:
    """Run the checks in their order and return what they found."""
    from tqdm import tqdm

    from firmware_bridge.bridge_config import LinkConfig
    from firmware_bridge.link_verdict import judge_trips

    found: dict[str, Any] = {'port': args.port, 'who_am_i': check.name(), 'gains_echoed': check.gains_echoed()}
    with tqdm(total=ROUND_TRIPS, desc='round trips', disable=None, leave=False) as bar:
        trips = check.round_trips(ROUND_TRIPS, bar.update)
    found['round_trips'] = _statistics(trips)
    problems = judge_trips(trips, check.restarts, check.receiver, robot, LinkConfig())
    if any(trip.reply is not None for trip in trips):
        if found['who_am_i'] is None:
            problems.append('the robot does not answer 0x8E (WHO_AM_I)')
        if not found['gains_echoed']:
            problems.append('the robot does not echo its PID gains (0x82): restart the robot')
    found['live_samples'] = check.watch(args.seconds, _show)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if args.seconds > 0 and not found['live_samples'] and not problems:
        problems.append('no telemetry came during the live view')
    if args.jog and not problems:
        problems += _turn(check, args.jog, found)
    elif args.jog:
        found['jog_skipped'] = True
    return found | {'problems': problems, 'passed': not problems}


def _turn(check: LinkCheck, side: str, found: dict[str, Any]) -> list[str]:
    """Jog one side, then see whether the robot stops by itself; fill `found` and return the problems."""
    from firmware_bridge.link_verdict import judge_jog, judge_watchdog

    jog = check.jog(side)
    problems = judge_jog(jog)
    found['jog'] = {'side': side, 'rate_rev_s': jog.rate, 'other_rev_s': jog.other, 'passed': not problems}
    watchdog = None if problems else check.watchdog(side)
    stopped, reason = (None, 'the jog did not pass') if watchdog is None else judge_watchdog(watchdog)
    found['timeout'] = {
        'timeout_ms': watchdog.timeout if watchdog else None,
        'travel_rev': watchdog.travel if watchdog else None,
        'checked': stopped is not None,
        'passed': stopped is True,
        'reason': reason,
    }
    if stopped is False:
        problems.append(f'the timeout is not honoured: {reason}')
    elif stopped is None and watchdog is not None:
        problems.append(f'the timeout was not checked: {reason}')
    found['motors_off'] = check.motors_off
    if not check.motors_off:
        problems.append('the robot did not confirm that its motors are off: switch it off by hand')
    return problems


def _statistics(trips: Sequence[Trip]) -> dict[str, Any]:
    import numpy as np

    answered = 1e3 * np.array([trip.round_trip for trip in trips if trip.round_trip is not None])
    p50, p99, worst = np.percentile(answered, (50, 99, 100)) if len(answered) else (None, None, None)
    counts, _ = np.histogram(answered, HISTOGRAM_EDGES)
    return {
        'sent': len(trips),
        'replies': len(answered),
        'refused': sum(trip.refusal is not None for trip in trips),
        'lost': sum(trip.reply is None for trip in trips),
        'p50_ms': p50,
        'p99_ms': p99,
        'worst_ms': worst,
        'histogram_ms': {
            f'{low}-{high}': int(count)
            for low, high, count in zip(HISTOGRAM_EDGES, HISTOGRAM_EDGES[1:], counts, strict=False)
        },
    }


def _show(live: Live) -> None:
    """Update one line of the terminal."""
    if sys.stderr.isatty():
        legs = ' '.join(f'{turned:+7.3f}' for turned in live.legs)
        gyro = ' '.join(f'{rate:+7.2f}' for rate in live.gyro)
        print(f'\rlegs [rev] {legs}   gyro [rad/s] {gyro}   battery {live.battery:4d} ', end='', file=sys.stderr)


def _text(found: dict[str, Any]) -> str:
    trips = found['round_trips']
    lost, refused = trips['lost'], trips['refused']
    lines = [
        f'who am I      {found["who_am_i"] or "no answer"}',
        f'gains         {"echoed" if found["gains_echoed"] else "not echoed"}',
        f'round trips   {trips["replies"]} of {trips["sent"]} answered, {100 * lost / trips["sent"]:.1f} % lost'
        + (f', {refused} refused' if refused else ''),
    ]
    if trips['replies']:
        p50, p99, worst = trips['p50_ms'], trips['p99_ms'], trips['worst_ms']
        lines.append(f'              p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.1f} ms')
        longest = max(1, *trips['histogram_ms'].values())
        for name, count in trips['histogram_ms'].items():
            lines.append(f'  {name:>8} ms {count:4d} {"#" * round(BAR * count / longest)}'.rstrip())
    lines.append(f'live          {found["live_samples"]} samples')
    if 'jog' in found:
        lines += _jog_lines(found['jog'], found['timeout'])
    elif found.get('jog_skipped'):
        lines.append('jog           not done, nothing was turned: fix the problems below first')
    lines += [f'PROBLEM       {problem}' for problem in found['problems']]
    return '\n'.join(lines)


def _jog_lines(jog: dict[str, Any], timeout: dict[str, Any]) -> list[str]:
    verdict = str(timeout['passed']).lower()
    outcome = timeout['reason'] if timeout['passed'] else 'not honoured' if timeout['checked'] else 'not checked'
    return [
        f'jog {jog["side"]:9} {jog["rate_rev_s"]:.2f} rev/s, the other side {jog["other_rev_s"]:.2f} rev/s',
        f'timeout       {outcome}',
        f"{'write into' if timeout['passed'] else 'leave in'} the robot's file: timeout_verified: {verdict}",
    ]
