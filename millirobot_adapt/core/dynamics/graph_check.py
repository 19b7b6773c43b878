"""Refuse a graph that is not what its file name promises: by its types and shapes, then by a trial run.

A graph that comes from elsewhere, or was damaged before it was hashed, may load and still fail at the first tick, or
predict nothing but NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from millirobot_adapt.core.errors import UserError

TYPES = {'float32': 'tensor(float)', 'int8': 'tensor(int8)'}
"""Type of an array -> what onnxruntime calls it."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class GraphTrial:
    """One run of a graph: every input, and the shape of every output that must come of it."""

    inputs: Mapping[str, NDArray[Any]]
    outputs: Sequence[Shape]


def check_graph(session: InferenceSession, trials: Sequence[GraphTrial]) -> None:
    """Check that a graph takes and gives what the trials say. A size that differs between trials must not be fixed.

    Raises:
        UserError: another input, type, shape or number of outputs; it cannot be run; it gives values that are not
            finite. The message names the input or output, what it is, and what it should be.
    """
    _check_inputs(session, trials)
    _check_outputs(session, [trial.outputs for trial in trials])
    for trial in trials:
        _run(session, trial)


def _check_inputs(session: InferenceSession, trials: Sequence[GraphTrial]) -> None:
    given = {value.name for value in session.get_inputs()}
    wanted = set(trials[0].inputs)
    if given != wanted:
        raise UserError(f'its inputs do not fit theta.npz ({", ".join(sorted(given ^ wanted))})')
    for value in session.get_inputs():
        arrays = [trial.inputs[value.name] for trial in trials]
        _compare(f'input {value.name}', value, TYPES[arrays[0].dtype.name], [array.shape for array in arrays])


def _check_outputs(session: InferenceSession, wanted: Sequence[Sequence[Shape]]) -> None:
    given = session.get_outputs()
    if len(given) != len(wanted[0]):
        raise UserError(f'it has {len(given)} outputs instead of {len(wanted[0])}')
    for number, value in enumerate(given):
        _compare(f'output {value.name}', value, TYPES['float32'], [shapes[number] for shapes in wanted])


def _compare(what: str, value: Any, kind: str, shapes: Sequence[Shape]) -> None:
    """Compare the declared type and shape of an input or output with the shapes that it has to take."""
    declared = value.shape
    fits = value.type == kind and len(declared) == len(shapes[0])
    fits = fits and all(
        not isinstance(size, int) or all(size == shape[axis] for shape in shapes) for axis, size in enumerate(declared)
    )
    if not fits:
        sizes = [{shape[axis] for shape in shapes} for axis in range(len(shapes[0]))]
        wanted = ', '.join('any' if len(each) > 1 else str(min(each)) for each in sizes)
        found = ', '.join(str(size) if isinstance(size, int) else 'any' for size in declared)
        raise UserError(f'its {what} is {value.type} of shape ({found}) instead of {kind} of shape ({wanted})')


def _run(session: InferenceSession, trial: GraphTrial) -> None:
    values = {name: OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array)) for name, array in trial.inputs.items()}
    try:
        results = [value.numpy() for value in session.run_with_ort_values(None, values)]
    except Exception as error:  # onnxruntime raises a dozen kinds, whose only common base is this
        raise UserError(f'it cannot be run: {" ".join(str(error).split())}') from None
    for value, result, shape in zip(session.get_outputs(), results, trial.outputs, strict=True):
        if result.shape != shape:
            raise UserError(f'its output {value.name} has the shape {result.shape} instead of {shape}')
        if not np.isfinite(result).all():
            raise UserError(f'its output {value.name} is not finite even for a robot that stands at the origin')
