"""The layout of the topic `state`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.contract.state_codec import decode_state, encode_state
from millirobot_adapt.core.estimation.quality import PoseFault, StateQuality, StateSample

SAMPLE = StateSample(7, 1.5, np.arange(24.0), StateQuality(0.02, 0.001, 0.01, False, PoseFault.JUMPED))


@given(
    index=st.integers(0, 2**40),
    stamp=st.floats(0, 2e9),
    age=st.floats(0, allow_infinity=True, allow_nan=False),
    coasting=st.booleans(),
    fault=st.sampled_from(PoseFault),
    nx=st.integers(0, 40),
)
def test_a_state_comes_back_as_it_was(index, stamp, age, coasting, fault, nx):
    sample = StateSample(index, stamp, np.linspace(-1, 1, nx), StateQuality(age, 0.1, 0.2, coasting, fault))
    again = decode_state(encode_state(sample))
    np.testing.assert_array_equal(again.state, sample.state)
    assert (again.index, again.stamp, again.quality) == (index, stamp, sample.quality)


@pytest.mark.parametrize('cut', range(len(encode_state(SAMPLE))))
def test_a_shortened_state_is_refused(cut):
    with pytest.raises(ValueError, match='not a state of version 1'):
        decode_state(encode_state(SAMPLE)[:cut])


@pytest.mark.parametrize(('place', 'value'), [(0, 2.0), (1, 23.0), (2, 0.0), (3, np.nan), (4, np.inf), (9, 99.0)])
def test_a_state_that_makes_no_sense_is_refused(place, value):
    data = encode_state(SAMPLE)
    data[place] = value
    with pytest.raises(ValueError, match=r'not a state|without number|is not a valid PoseFault'):
        decode_state(data)


def test_every_fault_has_words():
    assert len({fault.words for fault in PoseFault}) == len(PoseFault)
