"""The methods that can be trained, one a file; core/dynamics/ holds what runs each of them on the robot."""

from __future__ import annotations

from millirobot_adapt.learning.methods.grbal import Grbal
from millirobot_adapt.learning.methods.grbal_literal import GrbalLiteral
from millirobot_adapt.learning.methods.interface import Model
from millirobot_adapt.learning.methods.mb import ModelBased
from millirobot_adapt.learning.methods.mb_de import DynamicEvaluation
from millirobot_adapt.learning.methods.rebal import Rebal
from millirobot_adapt.learning.methods.rls import RecursiveLeastSquares

METHODS: dict[str, type[Model]] = {
    'mb': ModelBased,
    'mb_de': DynamicEvaluation,
    'grbal': Grbal,
    'grbal_literal': GrbalLiteral,
    'rebal': Rebal,
    'rls': RecursiveLeastSquares,
}
