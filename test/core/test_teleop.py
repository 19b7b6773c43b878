"""What a joystick makes of the legs, and when it may."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.core.control.steering import Steering
from millirobot_adapt.core.control.teleop import Teleop, TeleopConfig, read_sticks
from millirobot_adapt.core.robot.description import RobotConfig

ROBOT = RobotConfig()
LOW, HIGH = ROBOT.action_low, ROBOT.action_high
CONFIG = TeleopConfig()
STICK = st.floats(-1.0, 1.0)


def drive(speed, turn):
    return Steering(ROBOT.layout).by_stick(speed, turn)


@given(STICK, STICK)
def test_both_legs_stand_or_both_are_in_the_robots_range(speed, turn):
    legs = drive(speed, turn)
    assert (legs == 0).all() or ((legs >= LOW) & (legs <= HIGH)).all()


@given(STICK, STICK)
def test_left_is_the_mirror_image_of_right(speed, turn):
    assert drive(speed, turn) == pytest.approx(drive(speed, -turn)[::-1])


@given(STICK, st.floats(0.0, 1.0))
def test_turning_left_is_a_faster_right_side_by_the_share_asked_for(speed, turn):
    left, right = drive(speed, turn)
    if left:
        assert right - left == pytest.approx(turn * (HIGH - LOW)[0])


@given(STICK, STICK, STICK)
def test_more_speed_is_never_slower(one, other, turn):
    slow, fast = sorted((one, other))
    assert (drive(slow, turn) <= drive(fast, turn) + 1e-9).all()


def test_the_ends_of_the_sticks_are_the_ends_of_the_range():
    assert drive(1.0, 0.0) == pytest.approx(HIGH)
    assert drive(1e-9, 0.0) == pytest.approx(LOW)
    assert drive(0.0, 1.0) == pytest.approx([LOW[0], HIGH[1]])
    assert drive(-1.0, 0.0) == pytest.approx([0.0, 0.0])
    assert drive(0.0, 0.0) == pytest.approx([0.0, 0.0])


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_an_axis_is_read_within_minus_one_and_one_without_the_dead_zone(value):
    axes, buttons = [0.0, value], [0] * 5
    if not np.isfinite(value):
        with pytest.raises(ValueError, match='not finite'):
            read_sticks(CONFIG, axes, buttons)
        return
    speed = read_sticks(CONFIG, axes, buttons).speed
    assert -1.0 <= speed <= 1.0
    assert speed * value >= 0.0
    assert (speed == 0.0) == (abs(value) <= CONFIG.dead_zone) or abs(speed) < 1e-12


@pytest.mark.parametrize(('axes', 'buttons', 'says'), [([0.0], [0] * 5, '1 axes'), ([0.0] * 2, [0] * 4, '4 buttons')])
def test_a_joystick_with_too_little_on_it_is_refused(axes, buttons, says):
    with pytest.raises(ValueError, match=says):
        read_sticks(CONFIG, axes, buttons)


class Pad:
    """A joystick and the time."""

    def __init__(self):
        self.teleop = Teleop(CONFIG, ROBOT)
        self.now = 100.0

    def say(self, held=False, stop=False, speed=1.0):
        buttons = [0] * 5
        buttons[CONFIG.dead_man], buttons[CONFIG.emergency_stop] = int(held), int(stop)
        self.teleop.on_joy([0.0, speed], buttons, self.now)
        return self.hear()

    def hear(self, after=0.0):
        self.now += after
        setpoint = self.teleop.setpoint(self.now)
        return None if setpoint is None else setpoint.tolist()


DRIVING, STANDING = HIGH.tolist(), [0.0, 0.0]


@pytest.fixture
def pad():
    return Pad()


@pytest.fixture
def driving(pad):
    pad.say()
    assert pad.say(held=True) == DRIVING
    return pad


def test_without_a_joystick_nothing_is_said(pad):
    assert pad.hear(1.0) is None
    assert pad.teleop.status == 'waiting: no joystick has been heard'


def test_the_robot_moves_while_the_button_is_held_and_gets_one_zero_when_it_is_let_go(pad):
    assert pad.say() is None
    assert pad.say(held=True) == DRIVING
    assert pad.say(held=False) == STANDING
    assert pad.say(held=False) is None
    assert pad.teleop.status == 'released'


def test_one_setpoint_a_control_period(driving):
    said = []
    for _ in range(100):
        driving.now += 0.02
        said.append(driving.say(held=True))
    assert said.count(DRIVING) == pytest.approx(2.0 / ROBOT.dt, abs=1)
    assert said.count(None) == 100 - said.count(DRIVING)


def test_letting_go_is_said_at_once_between_two_setpoints(driving):
    driving.now += 0.01
    assert driving.say(held=False) == STANDING


def test_a_button_that_was_held_from_the_start_does_not_count(pad):
    assert pad.say(held=True) is None
    pad.say(held=False)
    assert pad.say(held=True) == DRIVING


def test_a_silent_joystick_counts_as_released_and_needs_a_new_press(driving):
    assert driving.hear(CONFIG.stale_after + 0.01) == STANDING
    assert driving.hear(0.1) is None
    assert driving.say(held=True) is None
    assert 'press it again' in driving.teleop.status
    driving.say(held=False)
    assert driving.say(held=True) == DRIVING


def test_a_joystick_that_says_nonsense_counts_as_released(driving):
    with pytest.raises(ValueError, match='axes'):
        driving.teleop.on_joy([], [], driving.now)
    assert driving.hear() == STANDING


def test_the_emergency_stop_is_asked_for_once_a_press_and_stands_whatever_else_is_held(driving):
    assert driving.say(held=True, stop=True) == STANDING
    assert driving.teleop.take_stop()
    assert driving.say(held=True, stop=True) is None
    assert not driving.teleop.take_stop()
    assert driving.say(held=True) is None
    driving.say(held=False)
    assert driving.say(held=True) == DRIVING
    driving.say(stop=True)
    assert driving.teleop.take_stop()


@pytest.mark.parametrize(
    ('config', 'axes', 'buttons'),
    [
        (CONFIG, [float('nan'), 0.0], [0, 1, 0, 0, 0]),
        (CONFIG, [0.0, float('inf')], [0, 1, 0, 0, 1]),
        (CONFIG, [0.0], [0, 1, 0, 0, 0]),
        (CONFIG, [], [0, 1]),
        (TeleopConfig(dead_man=10), [0.0, 0.0], [0, 1, 0, 0, 0]),
        (TeleopConfig(speed_axis=7), [0.0, 0.0], [0, 1, 0, 0, 0]),
    ],
)
def test_the_emergency_stop_counts_beside_anything_that_is_wrong(config, axes, buttons):
    teleop = Teleop(config, ROBOT)
    with pytest.raises(ValueError, match=r'axes|axis|buttons'):
        teleop.on_joy(axes, buttons, 0.0)
    assert teleop.take_stop()
    with pytest.raises(ValueError, match=r'axes|axis|buttons'):
        teleop.on_joy(axes, buttons, 0.1)
    assert not teleop.take_stop(), 'the same press is one stop'


def test_a_press_that_is_released_in_the_same_moment_counts(driving):
    driving.teleop.on_joy([0.0, 1.0], [0, 1, 0, 0, 1], driving.now)
    driving.teleop.on_joy([0.0, 1.0], [0, 0, 0, 0, 1], driving.now)
    assert driving.teleop.take_stop()
    assert driving.hear() == STANDING, 'holding on does not drive after a stop'


def test_a_backlog_that_comes_after_a_silence_does_not_drive(driving):
    driving.now += CONFIG.stale_after + 0.01  # the node was held up; what was queued meanwhile comes at once
    assert driving.say(held=True) == STANDING
    assert driving.say(held=True) is None
    driving.say(held=False)
    assert driving.say(held=True) == DRIVING


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.0, 0.5)), max_size=30))
def test_whatever_is_pressed_when_the_robot_only_moves_while_the_button_is_held_and_heard(events):
    pad = Pad()
    for held, stop, silence in events:
        said = pad.say(held=held, stop=stop)
        assert said in (None, STANDING) or (held and not stop)
        assert pad.hear(silence) in (None, STANDING) or (held and not stop and silence <= CONFIG.stale_after)
