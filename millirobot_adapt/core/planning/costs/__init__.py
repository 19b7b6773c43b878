"""Cost terms, one a file; the objective adds them up with the weights of its configuration."""

from __future__ import annotations

from millirobot_adapt.core.planning.costs.course import Course
from millirobot_adapt.core.planning.costs.fence import FenceMargin
from millirobot_adapt.core.planning.costs.path_distance import PathDistance
from millirobot_adapt.core.planning.costs.progress import Progress
from millirobot_adapt.core.planning.costs.slew import Slew
from millirobot_adapt.core.planning.costs.term import CostTerm

TERMS: dict[str, type[CostTerm]] = {
    'path_distance': PathDistance,
    'progress': Progress,
    'course': Course,
    'slew': Slew,
    'fence': FenceMargin,
}
"""Every term by the name of its weight in `ObjectiveConfig`."""

__all__ = ['TERMS', 'CostTerm']
