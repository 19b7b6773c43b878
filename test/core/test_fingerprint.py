"""The fingerprint: the same twice, another with another engine, and the difference is named."""

import numpy as np

from millirobot_adapt.core.dynamics.engine import EngineConfig
from millirobot_adapt.core.repeatability import DECISIONS, decided_by, differences, fingerprint


def test_it_names_what_results_depend_on_and_repeats():
    found = fingerprint(EngineConfig(threads=2))
    assert found == fingerprint(EngineConfig(threads=2))
    assert f'numpy={np.__version__}; ' in found
    assert 'threads=2; ' in found


def test_differences_are_named():
    one, other = fingerprint(EngineConfig(threads=1)), fingerprint(EngineConfig(threads=3))
    assert differences(one, one) == []
    assert differences(one, other) == ['threads']
    assert 'cpu' in differences(one, '')


def test_the_version_of_the_decisions_is_in_it():
    assert decided_by(fingerprint(EngineConfig())) == DECISIONS
    assert decided_by('onnxruntime=1.20; cpu=x86_64') == 1, 'as recorded before there were versions'
    assert decided_by('') == DECISIONS, 'nothing is known: compare'
