"""The layout of the topic `reply`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millirobot_adapt.contract.reply_codec import decode_reply, encode_reply
from millirobot_adapt.core.robot.samples import Telemetry

numbers = st.floats(allow_nan=False, width=32)
REPLY = Telemetry(1.5, *(np.ones(n) for n in (2, 2, 3, 3, 2)), 4.0, index=7)


@given(
    index=st.integers(0, 2**32 - 1),
    microseconds=st.integers(0, 2 * 10**15),
    values=st.lists(numbers, min_size=13, max_size=13),
)
def test_a_reply_comes_back_as_it_was(index, microseconds, values):
    parts = np.split(np.array(values), [2, 4, 7, 10, 12])
    sample = Telemetry(microseconds / 1e6, *parts[:5], float(values[12]), index)
    again = decode_reply(encode_reply(sample).tolist())
    assert (again.index, again.stamp, again.battery) == (index, sample.stamp, sample.battery)
    for name in ('joint_angle', 'joint_velocity', 'angular_velocity', 'acceleration', 'joint_effort'):
        np.testing.assert_array_equal(getattr(again, name), getattr(sample, name))


@pytest.mark.parametrize('cut', range(len(encode_reply(REPLY))))
def test_a_shortened_reply_is_refused(cut):
    with pytest.raises(ValueError, match='not a reply of version 1'):
        decode_reply(encode_reply(REPLY)[:cut])


@pytest.mark.parametrize(('place', 'value'), [(0, 2.0), (1, 16.0), (2, np.nan), (3, np.inf)])
def test_a_reply_that_makes_no_sense_is_refused(place, value):
    data = encode_reply(REPLY)
    data[place] = value
    with pytest.raises(ValueError, match=r'not a reply|without index'):
        decode_reply(data)
