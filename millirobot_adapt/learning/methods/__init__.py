"""The methods that can be trained, one a file; core/dynamics/ holds what runs each of them on the robot."""

from __future__ import annotations

from millirobot_adapt.learning.methods.grbal import GrbalLearner
from millirobot_adapt.learning.methods.grbal_context import GrbalContextLearner
from millirobot_adapt.learning.methods.grbal_literal import GrbalLiteralLearner
from millirobot_adapt.learning.methods.mb import ModelBasedLearner
from millirobot_adapt.learning.methods.mb_aug import AugmentedModelBasedLearner
from millirobot_adapt.learning.methods.mb_de import DynamicEvaluationLearner
from millirobot_adapt.learning.methods.pearl import PearlLearner
from millirobot_adapt.learning.methods.rebal import RebalLearner
from millirobot_adapt.learning.methods.rls import RecursiveLeastSquaresLearner
from millirobot_adapt.learning.methods.snail import SnailLearner
from millirobot_adapt.learning.methods.training_interface import Model

METHODS: dict[str, type[Model]] = {
    'mb': ModelBasedLearner,
    'mb_aug': AugmentedModelBasedLearner,
    'mb_de': DynamicEvaluationLearner,
    'grbal': GrbalLearner,
    'grbal_literal': GrbalLiteralLearner,
    'rebal': RebalLearner,
    'snail': SnailLearner,
    'pearl': PearlLearner,
    'grbal_context': GrbalContextLearner,
    'rls': RecursiveLeastSquaresLearner,
}
