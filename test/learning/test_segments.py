from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from robots import LAYOUT  # noqa: E402

from millirobot_adapt.core.errors import UserError  # noqa: E402
from millirobot_adapt.learning.augment import augment  # noqa: E402
from millirobot_adapt.learning.persistence import persistence, tell_persistence  # noqa: E402
from millirobot_adapt.learning.rollout_file import load_rollouts, mark_valid  # noqa: E402
from millirobot_adapt.learning.segments import cut, make_data_set, split_rollouts  # noqa: E402
from millirobot_adapt.learning.train_config import AugmentConfig  # noqa: E402

pytestmark = pytest.mark.train

NOTHING = AugmentConfig(heading=0.0, forward=0.0, lateral=0.0, speed_gain=0.0, turn=0.0, side=0.0, leg_gain=0.0)


def test_segments_never_cross_a_bad_transition(toy_rollouts):
    rollouts = toy_rollouts(count=2, length=20)
    rollouts.valid[0, 7] = False
    segments = cut(rollouts, np.arange(2), 10)
    assert len(segments) == 3 + 11  # transitions 8..19 of the first rollout, all of the second
    torch.testing.assert_close(segments.actions[0], torch.from_numpy(rollouts.actions[0, 8:18]))


def test_split_is_by_rollout_and_normalisation_comes_from_the_training_part(toy_rollouts):
    rollouts = toy_rollouts(count=10, length=30)
    data = make_data_set(rollouts, 20, split_rollouts(10, np.random.default_rng(0)))
    assert (len(data.training), len(data.validation)) == (9 * 11, 11)
    singles = torch.cat([data.normalisation.features(s.body[:, :-1], s.actions) for s in (data.training,)])
    assert abs(float(singles.mean())) < 0.1
    assert float(data.normalisation.features(1e6 * torch.ones(5), torch.zeros(2)).max()) == 3.0


def test_too_short_rollouts_are_a_users_mistake(toy_rollouts):
    with pytest.raises(UserError, match='collect more, or longer'):
        make_data_set(toy_rollouts(count=10, length=20), 30, split_rollouts(10, np.random.default_rng(0)))


def test_a_single_rollout_cannot_be_divided_and_says_so(toy_rollouts):
    with pytest.raises(UserError, match='too few rollouts with 20 unbroken transitions to learn from some and valid'):
        make_data_set(toy_rollouts(count=1, length=40), 20, split_rollouts(1, np.random.default_rng(0)))


@pytest.mark.parametrize('count', [1, 4, 5, 30])
def test_what_was_learned_from_in_one_round_never_validates_the_next(count):
    rng = np.random.default_rng(0)
    first = split_rollouts(20, rng)
    second = first.extended(count, rng)
    assert set(first.training) <= set(second.training)
    assert set(first.validation) <= set(second.validation)
    assert sorted([*second.training, *second.validation]) == list(range(20 + count))
    assert len(second.validation) == 2 + round(0.1 * count)


def test_file_keeps_the_rollouts(toy_rollouts, tmp_path):
    rollouts = toy_rollouts(count=2, length=10)
    rollouts.save(tmp_path / 'data.npz')
    again = load_rollouts(tmp_path / 'data.npz')
    np.testing.assert_array_equal(again.states, rollouts.states)
    assert again.metadata == rollouts.metadata
    assert again.digest() == rollouts.digest()
    with pytest.raises(UserError, match='millirobot collect'):
        load_rollouts(tmp_path / 'none.npz')
    del rollouts.metadata['dt']
    rollouts.save(tmp_path / 'mute.npz')
    with pytest.raises(UserError, match='does not say its dt'):
        load_rollouts(tmp_path / 'mute.npz')
    replace(again, stamps=again.stamps[:1]).save(tmp_path / 'askew.npz')
    with pytest.raises(UserError, match='shapes of stamps and valid'):
        load_rollouts(tmp_path / 'askew.npz')
    (tmp_path / 'bad.npz').write_bytes(b'nothing')
    with pytest.raises(UserError, match='is not a file of rollouts'):
        load_rollouts(tmp_path / 'bad.npz')


def test_gaps_and_nan_are_not_valid():
    states = np.zeros((1, 5, 24))
    states[0, 1, 3] = np.nan
    stamps = np.array([[0.0, 0.1, 0.2, 0.5, 0.6]])
    assert mark_valid(states, stamps, 0.1).tolist() == [[False, False, False, True]]


def test_augmentation_of_each_kind(toy_rollouts):
    segments = cut(toy_rollouts(count=4, length=30), np.arange(4), 20)

    def made(**scales):
        config = AugmentConfig(**{**vars(NOTHING), **scales})
        return augment(segments, config, 0.1, torch.Generator().manual_seed(0))

    same = made()
    torch.testing.assert_close(same.change, segments.change)
    for name in vars(NOTHING).keys() - {'change'}:
        assert not torch.allclose(made(**{name: 0.3}).change, segments.change), name
    turned = made(turn=1.0)
    extra = turned.displacement[..., 2] - segments.displacement[..., 2]
    torch.testing.assert_close(extra, extra[:, :1].expand_as(extra), atol=1e-6, rtol=0)
    torch.testing.assert_close(turned.body[:, 1:, 2] - segments.body[:, 1:, 2], 10 * extra, atol=1e-4, rtol=0)


@pytest.mark.parametrize('name', ['heading', 'forward', 'speed_gain', 'turn', 'side', 'leg_gain'])
def test_a_disturbance_that_changes_is_one_before_and_another_after(toy_rollouts, name):
    past, future = 8, 12
    segments = cut(toy_rollouts(count=4, length=30), np.arange(4), past + future)

    def made(change):
        config = AugmentConfig(**{**vars(NOTHING), name: 0.3, 'change': change})
        return augment(segments, config, 0.1, torch.Generator().manual_seed(0), past)

    constant, changed = made(0.0), made(1.0)
    torch.testing.assert_close(changed.change[..., 3:], changed.body.diff(dim=1))  # still one robot's motion
    same = (changed.body == constant.body).all(-1)
    first = (~same).int().argmax(dim=1)  # the first state of the second disturbance
    assert first.min() >= 1
    assert first.max() <= past
    assert first.unique().numel() > 1
    ticks = torch.arange(same.shape[1])
    assert same[ticks < first[:, None]].all()
    assert not same[ticks >= first[:, None]].any()
    some = made(0.5)
    kept = (some.body == constant.body).all(-1).all(-1)
    assert 0.2 < kept.float().mean() < 0.8


def test_a_heading_that_jumps_shows_as_a_turn_of_that_tick_alone(toy_rollouts):
    segments = cut(toy_rollouts(count=2, length=30), np.arange(2), 20)
    config = AugmentConfig(**{**vars(NOTHING), 'heading': 0.3, 'change': 1.0})
    jumped = augment(segments, config, 0.1, torch.Generator().manual_seed(1), 8)
    extra = (jumped.displacement - segments.displacement)[..., 2].abs()
    assert ((extra > 1e-6).sum(dim=1) == 1).all()
    # The path that the measured headings lay out is the true one, turned: its length stays.
    lengths = [part.displacement[..., :2].norm(dim=-1) for part in (jumped, segments)]
    torch.testing.assert_close(*lengths, atol=1e-6, rtol=1e-5)


def test_persistence_tells_bias_from_noise(toy_rollouts):
    segments = cut(toy_rollouts(count=100, length=60), np.arange(100), 47).part(slice(0, None, 14))
    noise = 0.5 * torch.randn(len(segments), 47, 3, generator=torch.Generator().manual_seed(0))
    bias = noise[:, :1]
    white = replace(segments, displacement=segments.displacement + noise)
    biased = replace(segments, displacement=segments.displacement + bias)
    assert abs(persistence(white, LAYOUT)['yaw_change']) < 0.3
    assert persistence(biased, LAYOUT)['yaw_change'] > 0.9


def test_what_never_varies_is_no_bias_that_stays(toy_rollouts):
    segments = cut(toy_rollouts(count=10, length=60), np.arange(10), 47)
    standing = replace(segments, displacement=torch.zeros_like(segments.displacement))
    assert persistence(standing, LAYOUT)['yaw_change'] == pytest.approx(0.0, abs=1e-6)


def test_advice_is_given_where_there_is_only_noise(toy_rollouts):
    found, advice = tell_persistence(toy_rollouts(count=60, length=60))  # whose lateral motion is noise alone
    assert 'yaw_change 0.' in found
    assert 'lateral_displacement: below 0.2' in advice
    assert 'yaw_change' not in advice
    assert tell_persistence(toy_rollouts(count=3, length=20)) == [
        'persistence of the residuals: not known, no rollout has 47 unbroken transitions'
    ]
