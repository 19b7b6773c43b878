"""The part of `millirobot link-test` that checks a robot with servos on a bus."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from millirobot_adapt.core.errors import UserError

if TYPE_CHECKING:
    from firmware_bridge.dynamixel.servo_check import BusTrip, ServoCheck
    from firmware_bridge.guarded_port import GuardedPort
    from millirobot_adapt.core.robot.description import RobotConfig
    from millirobot_adapt.core.robot.state import FloatArray

ROUND_TRIPS = 200


def check_servos(port: GuardedPort, robot: RobotConfig, args: argparse.Namespace) -> dict[str, Any]:
    """Run the checks over a port that is not open yet, and return what they found; the port is closed afterwards.

    Raises:
        UserError: the port cannot be opened, or was lost.
    """
    from firmware_bridge.bridge_config import LinkConfig
    from firmware_bridge.clock import SystemClock
    from firmware_bridge.dynamixel.servo_check import ServoCheck
    from firmware_bridge.transports import TransportLost

    try:
        port.open()
        return _check(ServoCheck(port, robot.dynamixel, LinkConfig(), SystemClock()), robot, args)
    except TransportLost as error:
        raise UserError(
            f'port {args.port}: lost during the test ({error}); switch the supply off if a leg turns, check the plug, '
            'and try again'
        ) from None
    finally:
        port.write_last_words()
        port.close()


def _check(check: ServoCheck, robot: RobotConfig, args: argparse.Namespace) -> dict[str, Any]:
    from tqdm import tqdm

    from firmware_bridge.dynamixel.servo_verdict import judge_bus, judge_servos

    config = robot.dynamixel
    servos = check.servos()
    found: dict[str, Any] = {'port': args.port, 'servos': [vars(servo) for servo in servos]}
    problems = judge_servos(servos, config, None if robot.battery is None else robot.battery.low)
    absent = [servo.servo for servo in servos if servo.model is None]
    there = [servo.servo for servo in servos if servo.model is not None]
    if there:
        with tqdm(total=ROUND_TRIPS, desc='reads of all servos', disable=None, leave=False) as bar:
            trips = check.round_trips(ROUND_TRIPS, bar.update)
        found['round_trips'] = _statistics(trips, check.bus.bad_packets, absent)
        problems += judge_bus(trips, check.bus.bad_packets, config, absent)
    found['live_samples'] = check.watch(args.seconds, _show) if there else 0
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if args.jog and not problems:
        problems += _turn(check, args.jog, config.servos, found)
    elif args.jog:
        found['jog_skipped'] = True
    return found | {'problems': problems, 'passed': not problems}


def _turn(check: ServoCheck, side: str, servos: Sequence[int], found: dict[str, Any]) -> list[str]:
    """Jog one side, let the bus fall silent; fill `found` and return the problems."""
    from firmware_bridge.dynamixel.servo_verdict import judge_servo_jog, judge_servo_watchdog

    jog = check.jog(side)
    problems = judge_servo_jog(jog)
    found['jog'] = {'side': side, 'rate_rev_s': jog.rate, 'other_rev_s': jog.other, 'passed': not problems}
    stopped, reason = (None, 'the jog did not pass') if problems else judge_servo_watchdog(jog, servos)
    found['watchdog'] = {
        'watchdog_ms': jog.watchdog, 'travel_rev': jog.travel, 'checked': stopped is not None,
        'passed': stopped is True, 'reason': reason,
    }  # fmt: skip
    if stopped is False:
        problems.append(f'the bus watchdog does not stop the servos: {reason}')
    found['motors_off'] = check.motors_off
    if not check.motors_off:
        problems.append('a servo did not confirm that its torque is off: switch the supply off')
    return problems


def _statistics(trips: Sequence[BusTrip], bad_packets: int, absent: Sequence[int]) -> dict[str, Any]:
    """Sum up the reads; a read counts as whole when every servo has answered that answers at all."""
    import numpy as np

    whole = [1e3 * trip.seconds for trip in trips if set(trip.missing) <= set(absent)]
    p50, p99, worst = np.percentile(whole, (50, 99, 100)).tolist() if whole else (None, None, None)
    return {
        'sent': len(trips), 'whole': len(whole), 'damaged_packets': bad_packets, 'p50_ms': p50, 'p99_ms': p99,
        'worst_ms': worst,
    }  # fmt: skip


def _show(angles: FloatArray) -> None:
    """Update one line of the terminal."""
    if sys.stderr.isatty():
        shown = ' '.join(f'{angle:+7.2f}' for angle in angles)
        print(f'\rlegs beyond home [rad] {shown} ', end='', file=sys.stderr)


def servo_text(found: dict[str, Any]) -> str:
    """Lay out what was found for a terminal."""
    lines = []
    for servo in found['servos']:
        name = f'servo {servo["servo"]:<8}{servo["leg"]:14}'
        if servo['model'] is None:
            lines.append(f'{name}no answer')
        else:
            voltage = '-' if servo['voltage'] is None else f'{servo["voltage"]:.1f} V'
            lines.append(f'{name}model {servo["model"]}, firmware {servo["firmware"]}, {voltage}')
    trips = found.get('round_trips')
    if trips:
        lines.append(
            f'reads         {trips["whole"]} of {trips["sent"]} whole, {trips["damaged_packets"]} packets damaged'
        )
        if trips['whole']:
            lines.append(
                f'              p50 {trips["p50_ms"]:.1f} ms, p99 {trips["p99_ms"]:.1f} ms, worst '
                f'{trips["worst_ms"]:.1f} ms'
            )
    lines.append(f'live          {found["live_samples"]} samples')
    if 'jog' in found:
        jog, watchdog = found['jog'], found['watchdog']
        outcome = watchdog['reason'] if watchdog['passed'] or not watchdog['checked'] else 'does not stop them'
        lines += [
            f'jog {jog["side"]:9} {jog["rate_rev_s"]:.2f} rev/s, the other side {jog["other_rev_s"]:.2f} rev/s',
            f'watchdog      {outcome}',
            f"{'write into' if watchdog['passed'] else 'leave in'} the robot's file: watchdog_verified: "
            f'{str(watchdog["passed"]).lower()}',
        ]
    elif found.get('jog_skipped'):
        lines.append('jog           not done, nothing was turned: fix the problems below first')
    lines += [f'PROBLEM       {problem}' for problem in found['problems']]
    return '\n'.join(lines)
