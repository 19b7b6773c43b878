import numpy as np
from robots import LAYOUT, NX

from millirobot_adapt.core.control.history import TransitionHistory


def state(value: float) -> np.ndarray:
    return np.full(NX, value)


def action(value: float) -> np.ndarray:
    return np.array([value, -value])


def test_the_action_stands_between_the_states_it_led_from_and_to():
    history = TransitionHistory(4, 0.1, LAYOUT)
    assert history.add(0.0, state(0), action(99)) is None
    transition = history.add(0.1, state(1), action(10))
    assert transition is not None
    np.testing.assert_array_equal(transition.state, state(0))
    np.testing.assert_array_equal(transition.action, action(10))
    np.testing.assert_array_equal(transition.next_state, state(1))


def test_the_window_holds_the_newest_transitions_oldest_first_and_masks_the_rest():
    history = TransitionHistory(3, 0.1, LAYOUT)
    history.add(0.0, state(0), action(0))
    history.add(0.1, state(1), action(1))
    window = history.window()
    np.testing.assert_array_equal(window.mask, [0, 0, 1])
    np.testing.assert_array_equal(window.next_states[2], state(1))
    for tick in range(2, 6):
        history.add(0.1 * tick, state(tick), action(tick))
    window = history.window()
    np.testing.assert_array_equal(window.mask, [1, 1, 1])
    np.testing.assert_array_equal(window.actions, [action(3), action(4), action(5)])


def test_a_gap_makes_no_transition():
    history = TransitionHistory(3, 0.1, LAYOUT)
    history.add(0.0, state(0), action(0))
    assert history.add(0.2, state(2), action(2)) is None
    assert history.add(0.2, state(2), action(2)) is None  # the same stamp twice
    assert history.add(0.3, state(3), action(3)) is not None
    history.restart()
    assert history.window().mask.sum() == 0
    assert history.add(0.4, state(4), action(4)) is None


def test_an_unknown_action_makes_no_transition_but_keeps_the_state():
    history = TransitionHistory(3, 0.1, LAYOUT)
    history.add(0.0, state(0), action(0))
    assert history.add(0.1, state(1), None) is None
    transition = history.add(0.2, state(2), action(2))
    assert transition is not None
    np.testing.assert_array_equal(transition.state, state(1))
