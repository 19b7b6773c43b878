"""Open-loop predictions of what a run then did, with a model whose errors a test knows."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
import synthetic_run
from robots import STATE_NAMES

from millirobot_adapt.analysis.predictions import predict, predict_with
from millirobot_adapt.analysis.report.path_figures import horizon_error
from millirobot_adapt.analysis.report.timeline import timeline_of
from millirobot_adapt.analysis.run_data import read_run_data
from millirobot_adapt.core.dynamics.method_interface import Adaptation
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording.provenance import Provenance
from millirobot_adapt.recording.reader import open_bag

STRIDE = 0.025
"""The robot of these tests goes this far in a tick along x [m]."""


@dataclass
class Walks:
    """Predict `stride` metres along x a tick, whatever the action."""

    stride: float

    def rollout(self, state, actions):
        states = np.repeat(state[None, None], len(actions) + 1, axis=0).repeat(actions.shape[1], axis=1)
        states[:, :, 0] += self.stride * np.arange(len(actions) + 1)[:, None]
        return states


class Learns:
    """Stand still before adaptation; after it, overrate every stride by a millimetre."""

    window_length = synthetic_run.T1
    prior = Walks(0.0)

    def reset(self):
        self.windows = []

    def adapt(self, window):
        self.windows.append(window)
        return Adaptation(Walks(STRIDE + 0.001), 1.0, 0.5, 1.0, 1.0)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """30 ticks straight ahead; the state of tick 20 never came."""
    run = read_run_data(open_bag(synthetic_run.write_run(tmp_path_factory.mktemp('walk') / 'run', ticks=30)))
    ticks = []
    for k, tick in enumerate(run.ticks):
        state = np.zeros(len(STATE_NAMES))
        state[0], state[STATE_NAMES.index('cos_yaw')] = STRIDE * k, 1.0
        ticks.append(replace(tick, state=state, state_stamp=float('nan') if k == 20 else tick.state_stamp))
    return replace(run, ticks=tuple(ticks))


def test_errors_grow_as_the_model_is_wrong(run):
    predictions = predict_with(Learns(), run, horizon=5, dt=0.1)
    assert predictions.position_error(predictions.before)[0] == pytest.approx(STRIDE * np.arange(6))
    assert predictions.position_error(predictions.after)[0] == pytest.approx(0.001 * np.arange(6))
    assert predictions.heading_error(predictions.after)[0] == pytest.approx(np.zeros(6))


def test_no_prediction_reaches_over_a_gap(run):
    predictions = predict_with(Learns(), run, horizon=5, dt=0.1)
    starts = np.round(predictions.actual[:, 0, 0] / STRIDE).astype(int)
    reach = np.isfinite(predictions.actual[:, :, 0]).sum(axis=1) - 1
    known = dict(zip(starts.tolist(), reach.tolist(), strict=True))
    assert known[14] == 5
    assert known[18] == 1
    assert not {19, 20, 29} & known.keys()
    assert known[24] == 5
    assert known[28] == 1


def test_a_run_shorter_than_the_horizon_is_drawn_as_far_as_it_went(run):
    short = replace(run, ticks=run.ticks[:8])
    predictions = predict_with(Learns(), short, horizon=12, dt=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        drawing = horizon_error(timeline_of(short, None, predictions, 0.1))
    first = np.flatnonzero([tick.window_mask.any() for tick in short.ticks])[0]
    assert predictions.reached == 7 - first
    assert f'Mean error {0.1 * (7 - first):.1f} s ahead' in drawing.says


def test_another_model_than_the_one_that_ran_is_refused(run):
    def provenance(digest):
        content = {'controller': {}, 'model': {'path': '/lab/velociroach_grbal', 'sha256': {'model.yaml': digest}}}
        return Provenance(content, 'test')

    with pytest.raises(UserError, match='velociroach_grbal: is not the model of this run'):
        predict(run, provenance('0' * 64))
    with pytest.raises(UserError, match='does not say which model ran'):
        predict(run, None)
