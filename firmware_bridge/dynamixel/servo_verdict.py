"""Judge what `link-test` has measured on a bus of servos: every fault in one sentence, with what to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from firmware_bridge.dynamixel import registers
from firmware_bridge.dynamixel.servo_check import JOG_RATE, BusTrip, ServoFound, ServoJog
from firmware_bridge.dynamixel.servo_setup import hardware_error
from millirobot_adapt.core.robot.dynamixel import DynamixelConfig

MOST_LOST = 0.01
"""A servo that leaves a larger share of requests without an answer is a fault; so is this share of damaged packets."""
MOST_SLOW = 0.1
"""A larger share of requests that take longer than a cycle of the leg clock is a fault."""
JOG_SHARES = (0.8, 1.2)
"""A jogged side turns at between these shares of the rate asked for: its loop keeps the phase."""
OTHER_SIDE = 0.1
"""The side that is told to stand turns less than this share."""
STANDING = 0.01
"""Legs that turn less between two looks stand [rev]."""


def judge_servos(found: Sequence[ServoFound], config: DynamixelConfig, low: float | None) -> list[str]:
    """Return what is wrong with the servos; `low` is the voltage below which the robot is stopped [V]."""
    if all(servo.model is None for servo in found):
        return [f'no servo answers at {config.baud} bit/s: look at power and cable, and at the baud rate of the servos']
    problems = []
    expected = registers.MODELS[config.model]
    for servo in found:
        who = f'servo {servo.servo} ({servo.leg})'
        if servo.model is None:
            problems.append(f'{who} does not answer: look at its cable, id and baud rate')
        elif servo.model != expected:
            problems.append(f'{who} is of model {servo.model}, not {expected} ({config.model}): set model in the file')
        elif servo.error:
            problems.append(f'{who} reports {hardware_error(servo.error)}: restart it')
        elif low is not None and servo.voltage is not None and servo.voltage < low:
            problems.append(f'{who} is supplied with {servo.voltage:.1f} V, below {low:g} V: charge or thicker cables')
    return problems


def judge_bus(trips: Sequence[BusTrip], bad_packets: int, config: DynamixelConfig, absent: Sequence[int]) -> list[str]:
    """Return what is wrong with the answers of all servos but those that are known to be `absent`."""
    problems = []
    missing = Counter(servo for trip in trips for servo in trip.missing if servo not in absent)
    for servo, count in sorted(missing.items()):
        if count > MOST_LOST * len(trips):
            problems.append(f'servo {servo} left {count} of {len(trips)} requests unanswered: look at its cable')
    if bad_packets > MOST_LOST * len(trips):
        problems.append(f'{bad_packets} packets were damaged on the bus: look at cable length, ground and supply')
    slow = sum(trip.seconds > 1.0 / config.rate for trip in trips if not trip.missing)
    if slow > MOST_SLOW * len(trips):
        problems.append(
            f'{slow} of {len(trips)} reads of all servos took longer than the {1e3 / config.rate:.0f} ms of a cycle: '
            'raise baud, set the latency timer of the adapter to 1 ms, or lower rate'
        )
    return problems


def judge_servo_jog(jog: ServoJog) -> list[str]:
    """Return what is wrong with the turn of one side; empty when nothing is."""
    if jog.failed:
        return [f'the jog was broken off: {jog.failed}']
    turned = f'the {jog.side} legs turned at {jog.rate:.2f} rev/s where {JOG_RATE:g} were asked for'
    if abs(jog.other) > OTHER_SIDE * JOG_RATE:
        return [f'the side that was told to stand turned at {jog.other:.2f} rev/s: are left and right swapped?']
    low, high = (share * JOG_RATE for share in JOG_SHARES)
    return [] if low <= jog.rate <= high else [f'{turned}: look at supply, gain and whether the legs turn freely']


def judge_servo_watchdog(jog: ServoJog, servos: Sequence[int]) -> tuple[bool, str]:
    """Return whether the servos stopped by themselves when the bus fell silent, and a sentence that says so or not."""
    alive = [servo for servo in servos if servo not in jog.expired]
    if alive:
        names = ', '.join(map(str, alive))
        return False, f'the bus watchdog of servo {names} has not expired, {jog.watchdog} ms after the last packet'
    if not np.isfinite(jog.step) or jog.step >= STANDING:
        return False, f'legs still turned after {jog.travel:.2f} rev without a packet'
    return True, f'stopped by themselves, {jog.travel:.2f} rev after the last packet'
