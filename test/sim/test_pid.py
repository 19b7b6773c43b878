from fractions import Fraction
from math import floor, trunc

from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.sim.pid import LARGEST_DUTY, Pid

GAINS = (1800, 200, 100, 0, 0)


def made(gains=GAINS, velocity=0, position=0) -> Pid:
    pid = Pid()
    pid.configure(gains)
    pid.aim(velocity, position)
    return pid


def test_the_output_is_the_firmware_formula_in_integers():
    pid = made(velocity=300, position=1000)
    # e_pos = 1300 - 900 = 400; sum = 25; e_vel = 300 - 250 = 50
    assert pid.update(900, 250) == (1800 * 400 >> 12) + ((200 * 25 >> 12) >> 4) + (100 * 50 >> 4) == 487


def test_shifts_of_negative_numbers_round_down():
    pid = made((1, 0, 0, 0, 0))
    assert pid.update(1, 0) == -1
    pid = made((0, 0, 1, 0, 0))
    assert pid.update(0, 1) == -1


def test_the_integral_sums_the_error_in_sixteenths():
    pid = made((0, 32000, 0, 0, 0))
    outputs = [pid.update(-1600, 0) for _ in range(3)]
    assert outputs == [(32000 * total >> 12) >> 4 for total in (100, 200, 300)]


def test_a_constant_feed_forward_is_added():
    assert made((0, 0, 0, 0, 123)).update(0, 0) == 123


def test_anti_windup_takes_back_what_the_limit_cut_off():
    winding, guarded = made((0, 32000, 0, 0, 0)), made((0, 32000, 0, 100, 0))
    for pid in (winding, guarded):
        assert [pid.update(-16000, 0) for _ in range(30)][-1] == LARGEST_DUTY
    reversed_for_five = [[pid.update(16000, 0) for _ in range(5)][-1] for pid in (winding, guarded)]
    assert reversed_for_five[0] == LARGEST_DUTY
    assert reversed_for_five[1] < LARGEST_DUTY


def test_the_position_setpoint_runs_at_the_commanded_velocity():
    pid = made((4096, 0, 0, 0, 0), velocity=10)
    assert [pid.update(0, 0) for _ in range(3)] == [10, 20, 30]


@given(
    gains=st.tuples(*[st.integers(-32768, 32767)] * 3, st.integers(0, 100), st.integers(-4000, 4000)),
    steps=st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(-32768, 32767)), min_size=1, max_size=20),
    velocity=st.integers(-32768, 32767),
)
def test_the_output_never_leaves_its_limits(gains, steps, velocity):
    pid = made(gains, velocity)
    for position, speed in steps:
        assert abs(pid.update(position, speed)) <= LARGEST_DUTY


def int32(value):
    """What is left of a number in 32 bits, two's complement."""
    return (value + 2**31) % 2**32 - 2**31


def by_the_formula(gains, velocity, start, measured):
    """Work the PID out in rational numbers, shifts as divisions rounded down; yield (wanted, limited) duty."""
    kp, ki, kd, kaw, kff = gains
    goal, total = start, 0
    for position, speed in measured:
        goal += velocity
        error = goal - position
        total += floor(Fraction(error, 16))
        proportional = floor(Fraction(int32(kp * error), 4096))
        integral = floor(Fraction(floor(Fraction(int32(ki * total), 4096)), 16))
        differential = floor(Fraction(int32(kd * (velocity - speed)), 16))
        wanted = kff + proportional + integral + differential
        limited = min(max(wanted, -3800), 3800)
        if limited != wanted:
            total += trunc(Fraction(kaw * (limited - wanted), 100))
        yield wanted, limited


INT16 = st.integers(-32768, 32767)


@given(
    gains=st.tuples(INT16, INT16, INT16, st.integers(0, 100), INT16),
    velocity=INT16,
    start=st.integers(-(2**31), 2**31 - 1),
    steps=st.lists(st.tuples(st.integers(-200_000, 200_000), INT16), min_size=1, max_size=30),
)
def test_any_gains_and_inputs_give_what_exact_arithmetic_gives(gains, velocity, start, steps):
    measured = [(start + offset, speed) for offset, speed in steps]
    pid = made(gains, velocity, start)
    assert [pid.update(*step) for step in measured] == [
        limited for _, limited in by_the_formula(gains, velocity, start, measured)
    ]


@given(
    velocity=st.integers(131, 590),
    share=st.floats(0.0, 1.2),
    kaw=st.sampled_from([0, 10, 100]),
    ticks=st.integers(50, 400),
)
def test_the_labs_gains_on_a_leg_that_lags_into_saturation_and_back_are_exact(velocity, share, kaw, ticks):
    gains = (*GAINS[:3], kaw, 0)
    speed = round(share * velocity)
    # The leg is blocked for the first half, then turns at its share of the command.
    measured = [(0, 0)] * ticks + [(speed * tick, speed) for tick in range(ticks)]
    wanted, limited = zip(*by_the_formula(gains, velocity, 0, measured), strict=True)
    pid = made(gains, velocity)
    assert tuple(pid.update(*step) for step in measured) == limited
    assert max(wanted) > LARGEST_DUTY or ticks * velocity * 1800 < 3800 * 4096
