"""Trace PyTorch modules to ONNX.

The graphs use operator set 17 and IR 8, so that onnxruntime from 1.17 on loads them. PyTorch's tracing exporter writes
exactly that; its successor would write operator set 18 and rely on a conversion back.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import Tensor, nn

OPSET = 17


def trace(
    module: nn.Module,
    arguments: Sequence[Tensor],
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: dict[str, dict[int, str]],
) -> onnx.ModelProto:
    """Trace a module to an ONNX model whose constants are all inside; `dynamic` names dimensions of inputs."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the tracing exporter announces its successor on every call
        torch.onnx.export(
            module, tuple(arguments), stream,
            input_names=list(inputs), output_names=list(outputs),
            dynamic_axes=dynamic, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    model = onnx.load_from_string(stream.getvalue())
    onnx.checker.check_model(model)
    return model
