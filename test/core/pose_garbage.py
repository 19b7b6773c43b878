"""Walk a body under the gate's decisions, past a motion capture that does everything that one can do wrong.

The body stands while the gate sends zero and walks while it does not; its legs and its gyro tell the truth. Poses go
through generated faults of all kinds, several at a time, at random times, into estimator and gate.
"""

import dataclasses
import math
import sys
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from millirobot_adapt.core.estimation.assembly import answer
from millirobot_adapt.core.estimation.estimator_config import EstimatorConfig
from millirobot_adapt.core.estimation.estimator_factory import make_estimator
from millirobot_adapt.core.repeatability import generator
from millirobot_adapt.core.robot.description import RobotConfig
from millirobot_adapt.core.robot.samples import Arrival, PoseSample, Telemetry
from millirobot_adapt.core.safety.gate import Gate, GateConfig
from millirobot_adapt.core.safety.inputs import GateInputs, Seen

STEP, PERIOD, LATENCY = 0.01, 0.1, 0.004
FIRST_SEED = 1000
"""The thousand runs begin with it."""
BEGIN, CLEAN = 2.0, 5.0
"""Faults begin no earlier than this after the start, and the last of them ends so long before the end [s]."""
FALSE_DISTANCE, FALSE_TURN = 0.15, 0.9
"""A pose further than this from the truth is false [m, rad]."""
EPOCH = 1_700_000_000.0
SETPOINT = np.array([30.0, 34.0])


def _times(q):
    """Return the matrix that multiplies a quaternion xyzw by q from the left."""
    x, y, z, w = q
    return np.array([[w, -z, y, x], [z, w, -x, y], [-y, x, w, z], [-x, -y, -z, w]])


def _half(angle):
    return math.sin(angle / 2), math.cos(angle / 2)


def _turn(axis, angle):
    q = [0.0, 0.0, 0.0, 0.0]
    q[axis], q[3] = _half(angle)
    return _times(q)


def _rotation_vector(q):
    """Return the rotation vector of a quaternion [rad], its length at most pi."""
    sine = math.hypot(*q[:3])
    return 2.0 * np.array(q[:3]) if sine < 1e-9 else np.array(q[:3]) * (2.0 * math.atan2(sine, q[3]) / sine)


def _between(before, after):
    """Return the rotation from one orientation to the other [rad; body before], and never more than half a turn."""
    turn = _times(before * (-1, -1, -1, 1)) @ after
    return _rotation_vector(turn if turn[3] >= 0.0 else -turn)


@dataclass
class Body:
    """A body that walks a circle and swings while its legs turn."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    phase: float = 0.0
    gain: float = 0.0

    def step(self, walks: bool, dt: float = STEP) -> None:
        self.gain += ((1.0 if walks else 0.0) - self.gain) * min(1.0, dt / 0.04)
        self.phase += 2 * math.pi * 4.7 * self.gain * dt
        self.yaw += 0.4 * self.gain * dt
        self.x += 0.3 * self.gain * math.cos(self.yaw) * dt
        self.y += 0.3 * self.gain * math.sin(self.yaw) * dt

    def pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Return position [m] and orientation xyzw."""
        swing = 0.05 * self.gain
        yaw = self.yaw + swing * math.sin(self.phase)
        turn = _turn(2, yaw) @ _turn(1, swing * math.sin(2 * self.phase)) @ _turn(0, 1.3 * swing * math.cos(self.phase))
        return np.array([self.x, self.y, 0.03 + 0.003 * self.gain * math.sin(self.phase)]), turn[:, 3]


@dataclass
class Fault:
    """One kind of fault for some time."""

    kind: str
    begin: float
    end: float
    rng: np.random.Generator
    share: float = 1.0
    memory: dict = field(default_factory=dict)

    def spoil(self, time: float, sample: PoseSample) -> list[tuple[float, PoseSample]]:
        """Return what arrives instead of a pose, as (arrival, sample)."""
        return KINDS[self.kind](self, time, sample)


def _arriving(time, sample, latency=LATENCY):
    return [(time + latency, sample)]


def _moved(sample, position=None, rotation=None):
    turn = sample.quaternion if rotation is None else rotation
    return dataclasses.replace(sample, position=sample.position if position is None else position, quaternion=turn)


def _elsewhere(fault, walks):
    """Another body: at rest, or on a circle of its own."""

    def pose(sample):
        start = fault.memory.setdefault(
            'start', (sample.stamp, fault.rng.uniform(0.4, 1.2, 2) * fault.rng.choice([-1, 1], 2))
        )
        along = (sample.stamp - start[0]) * (0.5 if walks else 0.0)
        noise = fault.rng.normal(0, 5e-5, 3)
        place = np.array([start[1][0] + math.sin(along), start[1][1] + math.cos(along), 0.05]) + noise
        return _moved(sample, place, Rotation.from_rotvec([*fault.rng.normal(0, 1e-3, 2), 0.7 * along]).as_quat())

    return pose


def _other_body(walks, instead):
    def spoil(fault, time, sample):
        other = _elsewhere(fault, walks)(dataclasses.replace(sample, stamp=sample.stamp - 0.004))
        own = [] if instead else _arriving(time, sample)
        return [*_arriving(time - 0.004, other), *own]

    return spoil


def _frozen(fault, time, sample):
    held = fault.memory.setdefault('held', sample)
    return _arriving(time, dataclasses.replace(held, stamp=sample.stamp))


def _stamp(low, high):
    def spoil(fault, time, sample):
        by = fault.memory.setdefault('by', fault.rng.uniform(low, high) * fault.rng.choice([-1.0, 1.0]))
        return _arriving(time, dataclasses.replace(sample, stamp=sample.stamp + by))

    return spoil


def _single_stamps(fault, time, sample):
    by = fault.rng.uniform(0.05, 2.0) * fault.rng.choice([-1.0, 1.0]) if fault.rng.random() < 0.1 else 0.0
    return _arriving(time, dataclasses.replace(sample, stamp=sample.stamp + by))


def _bursts(fault, time, sample):
    burst = fault.memory.setdefault('burst', fault.rng.choice([0.02, 0.05]))
    arrival = math.ceil((time + LATENCY - EPOCH) / burst) * burst + EPOCH
    arrival = max(arrival, fault.memory.get('last', 0.0) + 2.5e-5)
    fault.memory['last'] = arrival
    return [(arrival, dataclasses.replace(sample, stamp=arrival))]


def _late(fault, time, sample):
    return _arriving(time, sample, fault.memory.setdefault('late', fault.rng.uniform(0.02, 0.15)))


def _shuffled(fault, time, sample):
    return _arriving(time, sample, LATENCY + (0.03 if fault.rng.random() < 0.3 else 0.0))


def _stray(fault, time, sample):
    if fault.rng.random() > fault.share:
        return _arriving(time, sample)
    aside = fault.rng.normal(0, 1, 3)
    return _arriving(
        time, _moved(sample, sample.position + fault.rng.uniform(0.2, 2.0) * aside / np.linalg.norm(aside))
    )


def _swapped(fault, time, sample):
    angle = fault.memory.setdefault('angle', fault.rng.choice([-1, 1]) * fault.rng.choice([1.6, 2.1, 3.1]))
    return _arriving(time, _moved(sample, rotation=_times(sample.quaternion) @ [0, 0, *_half(angle)]))


def _y_up(fault, time, sample):
    x, y, z = sample.position
    a, b, c, w = sample.quaternion
    return _arriving(time, _moved(sample, np.array([x, z, -y]), np.array([a, c, -b, w])))


def _mirrored(fault, time, sample):
    x, y, z = sample.position
    a, b, c, w = sample.quaternion
    return _arriving(time, _moved(sample, np.array([x, -y, z]), np.array([-a, b, -c, w])))


def _world_on_its_side(fault, time, sample):
    x, y, z = sample.position
    half = math.sqrt(0.5)
    return _arriving(time, _moved(sample, np.array([x, -z, y]), _times([half, 0.0, 0.0, half]) @ sample.quaternion))


def _twice(fault, time, sample):
    return [*_arriving(time, sample), *_arriving(time + 1e-4, dataclasses.replace(sample, stamp=sample.stamp + 1e-4))]


def _wild(fault, time, sample):
    values = fault.rng.choice([np.nan, np.inf, -np.inf, 1e300, -1e9, 0.0], 7)
    return _arriving(time, _moved(sample, values[:3], values[3:]))


KINDS = {
    'silence': lambda fault, time, sample: [],
    'frozen': _frozen,
    'zeros': lambda fault, time, sample: _arriving(time, _moved(sample, np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))),
    'zero quaternion': lambda fault, time, sample: _arriving(time, _moved(sample, rotation=np.zeros(4))),
    'nan': lambda fault, time, sample: _arriving(time, _moved(sample, np.full(3, np.nan))),
    'wild numbers': _wild,
    'negated quaternion': lambda fault, time, sample: _arriving(time, _moved(sample, rotation=-sample.quaternion)),
    'another frame': lambda fault, time, sample: _arriving(time, dataclasses.replace(sample, in_world=False)),
    'stamps ahead or behind': _single_stamps,
    'clock steps a little': _stamp(0.03, 0.5),
    'clock steps far': _stamp(0.6, 1e4),
    'other body at rest besides': _other_body(walks=False, instead=False),
    'other body walks besides': _other_body(walks=True, instead=False),
    'other body at rest instead': _other_body(walks=False, instead=True),
    'other body walks instead': _other_body(walks=True, instead=True),
    'stray points': _stray,
    'twice': _twice,
    'bursts': _bursts,
    'late': _late,
    'shuffled': _shuffled,
    'markers swapped': _swapped,
    'y up': _y_up,
    'mirrored': _mirrored,
    'world on its side': _world_on_its_side,
}


@dataclass
class Outcome:
    """What a run showed."""

    faults: list[Fault]
    latest_motion: float = 0.0
    """Longest time from the arrival of the last accepted pose to a nonzero setpoint [s]."""
    false_accepted: float = 0.0
    """Longest time over which false poses were accepted while setpoints were not zero [s]."""
    recovered: float = math.inf
    """From the end of the last fault to the last zero setpoint, or inf when the robot never walks again [s]."""
    walked_during_faults: float = 0.0
    """How long setpoints were not zero from the beginning of the first fault to the end of the last [s]."""
    reasons: set[str] = field(default_factory=set)


def faults_of(seed: int, seconds: float, kinds=tuple(KINDS)) -> list[Fault]:
    """Draw up to three faults at a time."""
    rng = generator(seed, 0)
    faults = []
    for number in range(rng.integers(1, 4)):
        begin = BEGIN + rng.uniform(0.0, seconds - BEGIN - CLEAN - 0.1)
        end = min(begin + rng.choice([0.05, 0.2, 0.5, 1.5, 3.0]), seconds - CLEAN)
        kind = kinds[rng.integers(len(kinds))]
        faults.append(Fault(kind, EPOCH + begin, EPOCH + end, generator(seed, 1 + number), rng.uniform(0.05, 0.9)))
    return faults


def run(faults: list[Fault], seed: int = 0, seconds: float = 12.0) -> Outcome:
    """Walk past the faults; the operator arms again whenever the gate lets him and no fault is there."""
    robot = RobotConfig()
    gate = Gate(GateConfig(fence=(-50.0, -50.0, 50.0, 50.0)), robot)
    estimator = make_estimator(EstimatorConfig(), robot)
    body, rng, found = Body(), generator(seed, 9), Outcome(faults)
    waiting: list[tuple[float, PoseSample, bool]] = []
    state = state_seen = reply_seen = None
    accepted_at, false_since, moving = -math.inf, None, False
    last_end = max(fault.end for fault in faults)
    turn = body.pose()[1]
    for number in range(round(seconds / STEP)):
        time = EPOCH + number * STEP
        before = turn
        body.step(moving)
        position, turn = body.pose()
        gyro = _between(before, turn) / STEP
        noise = np.array([*rng.normal(0, 0.75e-3, 3), 1.0])
        sample = PoseSample(time, position + rng.normal(0, 5e-5, 3), _times(turn) @ noise)
        arriving = [(time + LATENCY, sample)]
        for fault in faults:
            if fault.begin <= time < fault.end:
                arriving = [each for at, one in arriving for each in fault.spoil(at - LATENCY, one)]
        for at, one in arriving:
            waiting.append((at, one, _is_false(one, position, turn)))
        waiting.sort(key=lambda each: each[0])
        while waiting and waiting[0][0] <= time + STEP:
            at, one, false = waiting.pop(0)
            counts = estimator.counters()
            estimator.on_pose(dataclasses.replace(one, arrival=Arrival(at, at - EPOCH)))
            now = estimator.counters()
            if now['accepted'] + now['started'] > counts['accepted'] + counts['started']:
                accepted_at = at
                if not false or not moving:
                    false_since = None
                else:
                    false_since = at if false_since is None else false_since
                    found.false_accepted = max(found.false_accepted, at - false_since)
        if number % 10 == 5:
            legs = SETPOINT * body.gain
            reply = Telemetry(
                time - STEP / 2, np.zeros(2), legs, gyro + rng.normal(0, 0.02, 3), _force(turn), np.zeros(2), 4.0,
                number // 10, Arrival(time + 0.008, time + 0.008 - EPOCH),
            )  # fmt: skip
            _, state = answer(estimator, reply)
            state_seen = reply_seen = Seen(time + 0.008, 0.013)
        now = time + STEP
        if state is None:
            continue
        inputs = GateInputs(
            steady=now, link_up=True, setpoint=SETPOINT, setpoint_seen=Seen(now, 0.0), state=state,
            state_seen=state_seen, telemetry_seen=reply_seen, battery=4.05 if number % 10 == 5 else None,
        )  # fmt: skip
        if not gate.armed and not any(fault.begin <= now < fault.end for fault in faults):
            gate.arm(inputs)
        decision = gate.decide(inputs)
        moving = bool(decision.setpoint.any())
        if moving and min(fault.begin for fault in faults) <= now < last_end:
            found.walked_during_faults += STEP
        if moving:
            found.latest_motion = max(found.latest_motion, now - accepted_at)
        else:
            found.reasons.add(decision.reason)
        if now > last_end and not moving:
            found.recovered = now - last_end
    found.recovered = 0.0 if math.isinf(found.recovered) else found.recovered if moving else math.inf
    return found


def _force(turn):
    """Return what an accelerometer reads [m/s^2; body]."""
    x, y, z, w = turn
    return 9.81 * np.array([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)])


def _is_false(sample: PoseSample, position: np.ndarray, turn: np.ndarray) -> bool:
    numbers = np.concatenate([sample.position, sample.quaternion])
    if not np.isfinite(numbers).all() or abs(numbers).max() > 1e3 or np.linalg.norm(sample.quaternion) <= 1e-3:
        return True
    turned = math.hypot(*_between(turn, sample.quaternion / np.linalg.norm(sample.quaternion)))
    return bool(np.linalg.norm(sample.position - position) > FALSE_DISTANCE or turned > FALSE_TURN)


def main() -> None:
    """Print the worst of so many runs: python test/core/pose_garbage.py RUNS."""
    count = int(sys.argv[1])
    worst = {'latest motion': 0.0, 'false poses accepted': 0.0, 'recovered after': 0.0}
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        found = run(faults_of(seed, 12.0), seed)
        figures = (found.latest_motion, found.false_accepted, found.recovered)
        worst = {name: max(was, now) for (name, was), now in zip(worst.items(), figures, strict=True)}
        if (seed - FIRST_SEED) % 20 == 19 or seed == FIRST_SEED + count - 1:
            told = ', '.join(f'{name} {value:.3f} s' for name, value in worst.items())
            print(f'{seed - FIRST_SEED + 1} runs, worst: {told}', flush=True)


if __name__ == '__main__':
    main()
