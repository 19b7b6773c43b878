"""The register of cost terms: a new term is one file and one line of YAML."""

import subprocess
import sys
from pathlib import Path

import pytest

from millirobot_adapt.core.planning.costs.term import TERMS, cost_term
from millirobot_adapt.core.planning.objective import ObjectiveConfig
from millirobot_adapt.core.share import share_dir

TERM = """
import numpy as np
from millirobot_adapt.core.planning.costs.term import cost_term

@cost_term('left_of_the_origin', weight=0.0, unit='1/m', doc='Weight of x below zero, summed.')
class LeftOfTheOrigin:
    @staticmethod
    def score(candidates):
        return np.maximum(-candidates.x[1:], 0.0).sum(axis=0)
"""

USE = """
import sys
import numpy as np
from millirobot_adapt.core.planning import costs
costs.__path__.append(sys.argv[1])  # as if the file lay beside the others
from pathlib import Path
from millirobot_adapt.core.config import flatten, read_params
from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.core.live_rules import live_parameters
from millirobot_adapt.core.planning.objective import TrackingObjective
from millirobot_adapt.core.planning.paths import make_path
from millirobot_adapt.core.planning.projection import AT_START
config = read_params(Path(sys.argv[2]), 'controller', ControllerConfig)
states = np.zeros((3, 1, 24))
states[:, :, [6, 8, 10]] = 1.0
states[1:, 0, 0] = -0.5
objective = TrackingObjective(config.objective, make_path('straight'), AT_START, 0.1)
name = 'objective.left_of_the_origin'
print(flatten(config)[name], live_parameters(ControllerConfig)[name])
print(objective(states, np.zeros((2, 1, 2)))[0])
"""


def test_a_new_term_is_a_file_and_a_line_of_yaml(tmp_path):
    (tmp_path / 'terms').mkdir()
    (tmp_path / 'terms' / 'left_of_the_origin.py').write_text(TERM)
    shipped = (share_dir() / 'params' / 'controller.yaml').read_text()
    head, weights = shipped.split('    objective:')
    for name in TERMS:
        weights = weights.replace(f'      {name}: ', f'      {name}: 0.0  # ')
    added = '    objective:\n      left_of_the_origin: 7.0'
    (tmp_path / 'controller.yaml').write_text(head + added + weights)
    command = [sys.executable, '-c', USE, str(tmp_path / 'terms'), str(tmp_path / 'controller.yaml')]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.splitlines() == ['7.0 any', '7.0']


def test_two_terms_of_one_name_are_refused():
    with pytest.raises(ValueError, match='two cost terms are named slew'):
        cost_term('slew', weight=1.0, unit='', doc='Again.')(object)
    assert TERMS['slew'].term is not object


def test_a_term_that_comes_too_late_is_refused_instead_of_being_ignored():
    with pytest.raises(ValueError, match='late: register it before the first controller'):
        cost_term('late', weight=1.0, unit='', doc='Too late.')(object)
    assert 'late' not in TERMS


def test_every_term_has_a_weight_of_its_name():
    config = ObjectiveConfig()
    assert set(TERMS) == {'course', 'fence', 'path_distance', 'progress', 'slew'}
    assert config.weight('path_distance') == 50.0
