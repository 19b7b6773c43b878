"""Numbers on the command line: the ends of the range belong to it, and what lies beyond is named."""

import argparse

import pytest

from millirobot_adapt.app.commands.shared import between


@pytest.mark.parametrize('text', ['1', '7', '1000'])
def test_a_number_in_the_range_is_taken(text):
    assert between(int, 1, 1000)(text) == int(text)


@pytest.mark.parametrize('text', ['0', '1001'])
def test_one_outside_is_refused_with_the_range(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f'^{text} is not between 1 and 1000$'):
        between(int, 1, 1000)(text)


@pytest.mark.parametrize('text', ['nan', 'inf', '-0.1'])
def test_no_number_is_outside_too_and_the_unit_is_named(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r'is not between 0 and 3600 seconds$'):
        between(float, 0.0, 3600.0, 'seconds')(text)
