"""Judge what `link-test` has measured: every fault in one sentence, with what to change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from firmware_bridge.bridge_config import LinkConfig
from firmware_bridge.link_measurements import BRAKING, JOG_RATE, Jog, Trip, Watchdog
from firmware_bridge.packets import TelemetryReply
from firmware_bridge.receiver import Receiver
from firmware_bridge.replies import RefusalKind
from firmware_bridge.telemetry import clock_step
from millirobot_adapt.core.robot.description import RobotConfig

MOST_LOST = 0.01
"""A larger share of requests without an answer, or of replies that do not count, is a fault."""
MOST_LATE = 0.1
"""The same for replies that come later than the bridge waits, or out of time: a busy machine makes some."""
CLOCK_TOLERANCE = 0.1
"""The robot's clock may run this much faster or slower than the host's: what is left is noise of short spans."""
CLOCK_SPAN = 0.05
"""One rate of the clock is taken over at least this [s]: the robot's clock may count whole milliseconds. The median of
all such rates counts, among replies that came as quickly as is usual."""
STILL_GYRO = 1.0
"""A robot that stands shows less, offsets included [rad/s]."""
GRAVITY = 9.81
GRAVITY_SHARES = (0.5, 1.5)
"""A robot that stands shows an acceleration between these shares of gravity."""
SLOWEST_JOG, FASTEST_JOG = 0.5, 1.5
"""A jogged leg turns at between these shares of the rate asked for; a real one lags, at about 0.9."""
OTHER_SIDE = 0.25
"""The side that is commanded to stand turns less than this share."""
STANDING = 0.02
"""A leg that turns less between two looks stands [rev]."""


def judge_trips(
    trips: Sequence[Trip], restarts: int, receiver: Receiver, robot: RobotConfig, config: LinkConfig
) -> list[str]:
    """Return what is wrong with the round trips of a robot that stands with its motors off; empty when nothing is."""
    replies = [trip.reply for trip in trips if trip.reply is not None]
    if not replies:
        return [receiver.silence()]
    found = [oddity.text for oddity in receiver.oddities() if oddity.count > MOST_LOST * len(trips)]
    found += _losses(trips, config, '' if found else ': look at distance, antenna and channel')
    if restarts:
        found.append(f'the robot restarted {restarts} times: look at its battery')
    unreadable = _refused(trips, RefusalKind.READING)
    if unreadable:
        return [*found, unreadable + _byte_order(replies[-1], robot)]
    clock = _clock(trips, robot)
    if clock is not None:
        return [*found, clock]
    for kind in (RefusalKind.COMMAND, RefusalKind.ORDER, RefusalKind.STEP, RefusalKind.TIME):
        found += [text for text in [_refused(trips, kind)] if text]
    if not restarts:
        found += _others(trips)
    return found + _sensors(replies, robot)


def judge_jog(jog: Jog) -> list[str]:
    """Return what is wrong with the turn of one side; empty when nothing is."""
    if jog.unconfirmed is not None:
        return [f'nothing was turned: {jog.unconfirmed}']
    if jog.replies < 4:
        return [f'only {jog.replies} replies came while the leg turned']
    turned = f'the {jog.side} leg turned at {jog.rate:.3g} rev/s where {JOG_RATE:g} were asked for'
    if jog.rate > FASTEST_JOG * JOG_RATE:
        return [f"{turned}: set scales.clock, index_before_timestamp or scales.encoder_counts in the robot's file"]
    if jog.rate < -SLOWEST_JOG * JOG_RATE:
        return [f'{turned}: backward; swap the wires of the motor, or look at the encoder']
    if abs(jog.other) > OTHER_SIDE * JOG_RATE:
        return [f'the side that was commanded to stand turned at {jog.other:.3g} rev/s: are left and right swapped?']
    if jog.rate < SLOWEST_JOG * JOG_RATE:
        return [f'{turned}: look at battery, motor, encoder and pid_gains']
    return []


def judge_watchdog(watchdog: Watchdog) -> tuple[bool | None, str]:
    """Return whether the robot stopped by itself, None where that was not checked, and a sentence that says why."""
    if watchdog.unconfirmed is not None:
        return None, f'nothing was turned: {watchdog.unconfirmed}'
    if not SLOWEST_JOG * JOG_RATE < watchdog.rate_before < FASTEST_JOG * JOG_RATE:
        rate = watchdog.rate_before
        return None, f'the leg turned at {rate:.2f} rev/s before the silence, not {JOG_RATE:g}'
    if watchdog.restarted:
        return None, 'the robot restarted in the silence, and that is what stopped the leg'
    if watchdog.travel is None or watchdog.step is None:
        return None, 'the robot does not answer 0x84 (GET_AMS_POS), which shows whether the leg stands'
    allowed = JOG_RATE * FASTEST_JOG * (1e-3 * watchdog.timeout + BRAKING)
    if abs(watchdog.step) >= STANDING:
        return False, f'the leg still turned after {watchdog.travel:.2f} rev without a setpoint'
    if abs(watchdog.travel) >= allowed:
        return False, f'the leg stood only after {watchdog.travel:.2f} rev without a setpoint'
    return True, f'stopped by itself, {watchdog.travel:.2f} rev after the last setpoint'


def _losses(trips: Sequence[Trip], config: LinkConfig, remedy: str) -> list[str]:
    """Say how many requests got no answer, and how many got it too late."""
    found = []
    lost = sum(trip.reply is None for trip in trips)
    if lost > MOST_LOST * len(trips):
        share = 100 * lost / len(trips)
        found.append(f'{lost} of {len(trips)} requests ({share:.0f} %) got no answer{remedy}')
    late = sum(trip.round_trip is not None and trip.round_trip > config.reply_timeout for trip in trips)
    if late > MOST_LATE * len(trips):
        found.append(
            f'{late} of {len(trips)} replies took longer than the {1e3 * config.reply_timeout:.0f} ms that the bridge '
            'waits: look at the channel, at the latency of the USB port, or raise link.reply_timeout'
        )
    return found


def _refused(trips: Sequence[Trip], kind: RefusalKind) -> str:
    """Say how many replies do not count for one kind of reason, '' where they are few."""
    reasons = [trip.refusal.text for trip in trips if trip.refusal is not None and trip.refusal.kind is kind]
    if len(reasons) <= (MOST_LATE if kind is RefusalKind.TIME else MOST_LOST) * len(trips):
        return ''
    return f'{len(reasons)} of {len(trips)} replies do not count: {reasons[-1]}'


def _byte_order(reply: TelemetryReply, robot: RobotConfig) -> str:
    """Add that the numbers are big-endian where the battery reading is a likely one that way."""
    swapped = int.from_bytes(reply.battery.to_bytes(2, 'little', signed=True), 'big', signed=True)
    likely = _low_battery(robot) <= swapped <= 1023
    return f' (big-endian it would be {swapped}: the firmware must send little-endian)' if likely else ''


def _low_battery(robot: RobotConfig) -> float:
    """Return the reading below which the battery is low [counts]."""
    return 0.0 if robot.battery is None else robot.battery.low / robot.imageproc.scales.battery


def _clock(trips: Sequence[Trip], robot: RobotConfig) -> str | None:
    """Return what is wrong with the robot's clock, None when it runs as its file says."""
    heard = _quick_half(trips)
    times = np.array([arrived for _, arrived in heard])
    ends = np.searchsorted(times, times + CLOCK_SPAN)
    pairs = [(heard[begin][0], heard[end][0]) for begin, end in enumerate(ends) if end < len(heard)]
    if not pairs:
        return None
    elapsed = np.array([times[end] - times[begin] for begin, end in enumerate(ends) if end < len(heard)])
    counts = np.array([clock_step(earlier, later) for earlier, later in pairs])
    indices = np.array([(later.index - earlier.index) % 2**32 for earlier, later in pairs])
    scale = robot.imageproc.scales.clock
    rate = float(np.median(counts / elapsed)) * scale
    if abs(rate - 1.0) <= CLOCK_TOLERANCE:
        return None
    runs = f"the robot's clock runs {rate:.3g} s a second"
    if abs(float(np.median(indices / elapsed)) * scale - 1.0) <= CLOCK_TOLERANCE:
        other = str(not robot.imageproc.index_before_timestamp).lower()
        return f"{runs}, its index would fit: set index_before_timestamp to {other} in the robot's file"
    if rate == 0.0:
        return "the robot's clock stands still: look at scales.clock and index_before_timestamp in the robot's file"
    return f"{runs}: set scales.clock to about {scale / rate:.2g} (or index_before_timestamp) in the robot's file"


def _quick_half(trips: Sequence[Trip]) -> list[tuple[TelemetryReply, float]]:
    """Return replies and arrivals of the quicker trips: one held up tells little of a clock."""
    heard = [
        (trip.arrived - trip.sent, trip.reply, trip.arrived)
        for trip in trips
        if trip.reply is not None and trip.arrived is not None
    ]
    if not heard:
        return []
    usual = np.median([taken for taken, _, _ in heard])
    return [(reply, arrived) for taken, reply, arrived in heard if taken <= usual]


def _others(trips: Sequence[Trip]) -> list[str]:
    """Say that somebody else commands the robot when its index counts more requests than ours."""
    true = [
        (number, trip.reply) for number, trip in enumerate(trips) if trip.refusal is None and trip.reply is not None
    ]
    if len(true) < 2:
        return []
    (first_number, first), (last_number, last) = true[0], true[-1]
    foreign = (last.index - first.index) % 2**32 - (last_number - first_number)
    if foreign <= MOST_LOST * len(trips):
        return []
    return [
        f'the robot answered {foreign} requests that are not ours: stop the other program that commands it, or '
        'see why the radio sends requests twice'
    ]


def _sensors(replies: Sequence[TelemetryReply], robot: RobotConfig) -> list[str]:
    """Return which readings of a robot that stands are not possible."""
    found = []
    scales = robot.imageproc.scales
    acceleration = float(np.median(np.linalg.norm([reply.accel for reply in replies], axis=1))) * scales.accelerometer
    low, high = (share * GRAVITY for share in GRAVITY_SHARES)
    if not low <= acceleration <= high:
        found.append(
            f'the robot stands and shows {acceleration:.1f} m/s^2, not {GRAVITY}: look at scales.accelerometer'
        )
    turning = float(np.median(np.linalg.norm([reply.gyro for reply in replies], axis=1))) * scales.gyro
    if turning > STILL_GYRO:
        found.append(f'the robot stands and its gyro shows {turning:.1f} rad/s: keep it still, or look at scales.gyro')
    battery = int(np.median([reply.battery for reply in replies]))
    if battery < _low_battery(robot):
        found.append(f'the battery reads {battery} counts, below {_low_battery(robot):.0f}: charge it')
    return found
