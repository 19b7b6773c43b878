import numpy as np
import pytest

torch = pytest.importorskip('torch')

from robots import LAYOUT  # noqa: E402

from millirobot_adapt.core.dynamics import targets  # noqa: E402
from millirobot_adapt.learning.kinematics import body_state, change_of_state, integrate  # noqa: E402
from millirobot_adapt.learning.loss import poses  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope='module')
def transitions(toy_rollouts):
    rollouts = toy_rollouts(count=3, length=40)
    states = rollouts.states.astype(float)
    return states[:, :-1].reshape(-1, 24), states[:, 1:].reshape(-1, 24)


def turned(states, angle):
    """The same states in a world turned by an angle and shifted."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    moved = states.copy()
    moved[:, 0:2] = states[:, 0:2] @ turn.T + [3.0, -1.0]
    moved[:, 3:5] = states[:, 3:5] @ turn.T
    moved[:, 10:12] = states[:, 10:12] @ turn.T
    return moved


def test_targets_equal_those_of_the_core(transitions):
    before, after = transitions
    ours = change_of_state(torch.from_numpy(before), torch.from_numpy(after), LAYOUT).numpy()
    np.testing.assert_allclose(ours, targets.change_of_state(LAYOUT, before, after), atol=1e-6)


def test_a_predicted_change_leads_to_the_state_it_came_from(transitions):
    before, after = (torch.from_numpy(states) for states in transitions)
    made = integrate(before, change_of_state(before, after, LAYOUT)[None], 0.1, LAYOUT)[1]
    moving, held = [0, 1, 3, 4, 10, 11, 14, 19, 20], [2, 5, 6, 7, 8, 9, 12, 13, 21, 22, 23]
    torch.testing.assert_close(made[:, moving], after[:, moving], atol=1e-6, rtol=0)
    torch.testing.assert_close(made[:, held], before[:, held])


def test_leg_phase_advances_with_the_new_leg_velocity(transitions):
    before = torch.from_numpy(transitions[0])
    change = torch.zeros(len(before), 8, dtype=torch.float64)
    change[:, 6:8] = torch.tensor([1.0, -2.0])
    made = integrate(before, change[None], 0.1, LAYOUT)[1]
    for side, phase in ((0, 15), (1, 17)):
        legs = before[:, 19 + side] + change[:, 6 + side]
        expected = torch.atan2(before[:, phase + 1], before[:, phase]) + 0.1 * legs
        torch.testing.assert_close(made[:, phase], torch.cos(expected))
        torch.testing.assert_close(made[:, phase + 1], torch.sin(expected))


def test_many_steps_at_once_are_the_steps_one_by_one(transitions):
    states, changes = torch.from_numpy(transitions[0][:6]), torch.randn(5, 6, 8, dtype=torch.float64)
    expected = [states]
    for change in changes:
        expected.append(integrate(expected[-1], change[None], 0.1, LAYOUT)[1])
    torch.testing.assert_close(integrate(states, changes, 0.1, LAYOUT), torch.stack(expected), atol=1e-6, rtol=1e-6)
    one_start = integrate(states[:1], changes, 0.1, LAYOUT)
    torch.testing.assert_close(one_start, integrate(states[:1].repeat(6, 1), changes, 0.1, LAYOUT))


def test_place_and_heading_do_not_matter(transitions):
    before, after = transitions
    for angle in (0.7, 3.0):
        seen, seen_turned = (body_state(torch.from_numpy(states), LAYOUT) for states in (before, turned(before, angle)))
        torch.testing.assert_close(seen, seen_turned, atol=1e-6, rtol=0)
        np.testing.assert_allclose(
            targets.change_of_state(LAYOUT, turned(before, angle), turned(after, angle)),
            targets.change_of_state(LAYOUT, before, after), atol=1e-6,
        )  # fmt: skip


def test_poses_add_displacements_in_the_turning_frame():
    quarter = torch.tensor([[[1.0, 0.0, torch.pi / 2]] * 4])
    expected = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    torch.testing.assert_close(poses(quarter)[0, :, :2], expected, atol=1e-6, rtol=0)
