"""MB on augmented data: mb trained on the disturbed segments that grbal is trained on, and never adapted.

It tells augmentation from adaptation: mb_aug and grbal learn from the same segments, and only grbal moves at run time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from millirobot_adapt.learning.methods.mb import ModelBasedLearner


@dataclass
class AugmentedModelBasedLearner(ModelBasedLearner):
    """A network's parameters theta."""

    disturbed: ClassVar[bool] = True
