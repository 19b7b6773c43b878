"""Whose setpoints drive: one owner at a time, the hand first, and nobody walks on by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.core.safety.arbiter import PRIORITY, REMEMBERED, ActionSource, Arbiter, Sender

CONTROLLER = Sender(ActionSource.CONTROLLER, 'one')
COLLECTOR = Sender(ActionSource.COLLECTOR, 'two')
TELEOP = Sender(ActionSource.TELEOP, 'pad')
TIMEOUT = 0.2


class Lab:
    """An arbiter whose clock moves when it is told to."""

    def __init__(self):
        self.now, self.arbiter = 0.0, Arbiter()

    def say(self, sender, moves=True):
        return self.arbiter.offer(sender, moves, self.now, TIMEOUT)

    @property
    def owner(self):
        return self.arbiter.owner(self.now, TIMEOUT)

    def wait(self, seconds):
        self.now += seconds


@pytest.fixture
def lab():
    return Lab()


def test_nobody_drives_before_somebody_speaks(lab):
    assert lab.owner is None


@pytest.mark.parametrize('sender', [CONTROLLER, COLLECTOR, TELEOP])
def test_who_speaks_alone_drives_until_it_has_been_silent(lab, sender):
    assert lab.say(sender) == ''
    assert lab.owner == sender
    lab.wait(TIMEOUT)
    assert lab.owner == sender
    lab.wait(0.01)
    assert lab.owner is None


def test_among_equals_the_one_that_drives_goes_on(lab):
    for _ in range(10):
        assert lab.say(CONTROLLER) == ''
        assert 'controller drives' in lab.say(COLLECTOR)
        assert 'controller drives' in lab.say(Sender(ActionSource.CONTROLLER, 'another'))
        assert lab.owner == CONTROLLER
        lab.wait(0.1)


def test_one_that_was_refused_does_not_drive_as_soon_as_the_other_falls_silent(lab):
    for _ in range(10):
        lab.say(CONTROLLER)
        lab.say(COLLECTOR)
        lab.wait(0.1)
    for _ in range(10):
        assert lab.say(COLLECTOR) != ''
        lab.wait(0.1)
    assert lab.say(COLLECTOR, moves=False) == ''
    assert lab.say(COLLECTOR) == ''


def test_the_hand_overrides_and_even_held_still_keeps_the_action(lab):
    lab.say(CONTROLLER)
    assert lab.say(TELEOP, moves=False) == ''
    for _ in range(5):
        assert 'teleop drives' in lab.say(CONTROLLER)
        assert lab.say(TELEOP, moves=False) == ''
        lab.wait(0.1)


def test_the_overridden_drives_again_after_it_has_stood(lab):
    lab.say(CONTROLLER)
    lab.say(TELEOP)
    for _ in range(5):
        lab.wait(0.15)
        refusal = lab.say(CONTROLLER)
    assert 'has not stood' in refusal
    assert lab.owner is None
    assert lab.say(CONTROLLER, moves=False) == ''
    assert lab.say(CONTROLLER) == ''


def test_a_stand_that_was_asked_for_while_the_hand_drove_counts(lab):
    lab.say(CONTROLLER)
    lab.say(TELEOP)
    assert lab.say(CONTROLLER, moves=False) != '', 'a paused controller does not fight the hand'
    lab.wait(TIMEOUT + 0.01)
    assert lab.say(CONTROLLER) == ''


def test_the_overridden_drives_again_after_it_has_been_silent(lab):
    lab.say(CONTROLLER)
    lab.say(TELEOP)
    lab.wait(TIMEOUT + 0.01)
    assert lab.say(CONTROLLER) == '', 'it has been silent for as long'


def test_a_refused_hand_does_not_bar_the_owner(lab):
    other = Sender(ActionSource.TELEOP, 'second pad')
    lab.say(TELEOP)
    lab.say(other)  # refused: it has to let go first
    for _ in range(3):
        lab.wait(0.1)
        lab.say(other)
    assert lab.owner is None
    lab.say(CONTROLLER)
    assert lab.say(other) != ''
    assert lab.say(CONTROLLER) == '', 'a refusal changes nothing for who drives'


def test_it_remembers_no_more_than_a_robot_ever_has(lab):
    for number in range(1000):
        lab.say(Sender(ActionSource.CONTROLLER, f'{number}'))
    assert [sender.instance for sender in lab.arbiter.remembered] == [f'{n}' for n in range(1000 - REMEMBERED, 1000)]


STEPS = st.tuples(
    st.sampled_from([CONTROLLER, COLLECTOR, TELEOP]), st.booleans(), st.sampled_from([0.0, 0.05, 0.1, 0.3])
)


@given(st.lists(STEPS, max_size=60))
def test_whatever_is_said_only_the_owner_counts_and_only_a_higher_one_takes_it_over(steps):
    lab = Lab()
    for sender, moves, seconds in steps:
        lab.wait(seconds)
        before = lab.owner
        counted = lab.say(sender, moves) == ''
        assert (lab.owner == sender) if counted else (lab.owner == before)
        if counted and before not in (None, sender):
            assert PRIORITY[sender.source] > PRIORITY[before.source]


@pytest.mark.parametrize('text', ['', 'teleop', 'world', 'robot/1', 'teleop/', '/1', 'teleop/1/2', 'Teleop/1'])
def test_an_unknown_sender_is_no_sender(text):
    with pytest.raises(ValueError, match='names no source'):
        Sender.parse(text)


@pytest.mark.parametrize('sender', [CONTROLLER, COLLECTOR, TELEOP])
def test_a_sender_is_read_as_it_was_written(sender):
    assert Sender.parse(sender.text) == sender
