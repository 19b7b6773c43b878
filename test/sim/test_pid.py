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
