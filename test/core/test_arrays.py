"""What host and device share: numpy's own bits on the host."""

import platform

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from millirobot_adapt.core.arrays import beside, namespace, on_host, quantile, stable_order
from millirobot_adapt.core.freed_memory import keep_freed_memory


@given(
    arrays(float, st.integers(1, 60), elements=st.floats(-1e6, 1e6)),
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.77, 1.0]),
)
def test_a_quantile_is_numpys_to_the_last_bit(values, share):
    assert quantile(np.sort(values), share) == np.quantile(values, share)


def test_of_equal_values_the_earlier_one_stays_first():
    values = np.tile([2.0, 1.0], 40)
    assert stable_order(values).tolist() == [*range(1, 80, 2), *range(0, 80, 2)]


def test_arrays_of_numpy_stay_as_they_are():
    array = np.arange(3.0)
    assert namespace(array) is np
    assert namespace(1.0) is np
    assert on_host(array) is array
    assert beside(array, array) is array


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='another C library')
def test_glibc_keeps_freed_memory():
    assert keep_freed_memory()
