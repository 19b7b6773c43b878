"""Bags of older versions keep their parameters, under the names that those have today."""

from millirobot_adapt.core.control.wiring import ControllerConfig
from millirobot_adapt.recording.provenance import Provenance


def test_the_box_of_old_is_the_fence_without_a_margin():
    told = Provenance({'controller': {'objective': {'arena': [-1.0, 2.0, -3.0, 4.0], 'fence': 7.0}}}, 'bag')
    objective = told.config('controller', ControllerConfig).objective
    assert objective.fence_corners == (-1.0, -3.0, 2.0, 4.0)
    assert (objective.fence_margin, objective.fence) == (0.0, 7.0)


def test_present_names_stay():
    told = Provenance({'controller': {'objective': {'fence_margin': 0.3}}}, 'bag')
    assert told.config('controller', ControllerConfig).objective.fence_margin == 0.3


def test_a_chunk_of_old_is_a_batch():
    told = Provenance({'controller': {'planner': {'method': 'mppi', 'samples': 400, 'chunk': 80}}}, 'bag')
    planner = told.config('controller', ControllerConfig).planner
    assert (planner.samples, planner.batch, planner.iterations) == (400, 80, 0)
