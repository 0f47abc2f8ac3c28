"""From a PyTorch module to an ONNX file."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

OPSET = 17


def write_onnx(
    module: nn.Module,
    example: Tensor,
    path: Path,
    *,
    takes: tuple[str, dict[int, str]],
    gives: tuple[str, dict[int, str]],
) -> None:
    """Write a module of one input and one output, each with its name and its free axes."""
    # PyTorch warns that its newer exporter, which wants a package more, will take this one's place.
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            module.eval(),
            (example,),
            str(path),
            input_names=[takes[0]],
            output_names=[gives[0]],
            dynamic_axes=dict((takes, gives)),
            opset_version=OPSET,
            dynamo=False,
        )
