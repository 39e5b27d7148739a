"""A torch module as ONNX."""

import io

import onnx
import torch

from .graph import OPSETS, STATE, finish


def export_torch_module(module, columns, output, source=STATE):
    """Answers what the module makes of `source`, float32 [rows, columns], under the name `output`, float32 [rows, n].

    module: takes and answers one tensor; it must treat rows apart from each other. It is put into evaluation mode.
    """
    module.eval()
    file = io.BytesIO()
    # Two rows, so that nothing is taken for a constant that only happens to be 1.
    with torch.no_grad():
        torch.onnx.export(module, torch.zeros(2, columns), file, input_names=[source], output_names=[output],
                          dynamic_axes={source: {0: "rows"}, output: {0: "rows"}}, opset_version=OPSETS[""])
    return finish(onnx.load_from_string(file.getvalue()))
