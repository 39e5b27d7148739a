"""One network out of parts: what every part has in common, and how parts are joined."""

import onnx
from onnx import TensorProto, compose, helper

OPSETS = {"": 13, "ai.onnx.ml": 3}
IR_VERSION = 8
# Every part but the first takes the state that the first makes of the features.
STATE = "state"


def make_part(nodes, constants, columns, outputs):
    """A part with the input `state`, float32 [rows, columns].

    outputs: the width of each output by name; each is float32 [rows, width].
    """
    graph = helper.make_graph(
        nodes, "part",
        [helper.make_tensor_value_info(STATE, TensorProto.FLOAT, ["rows", columns])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width]) for name, width in outputs.items()],
        constants)
    return finish(helper.make_model(graph, opset_imports=[helper.make_opsetid(*each) for each in OPSETS.items()]))


def finish(model):
    """Writes one version and one maker into a network, so that parts fit together, and checks it."""
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "presage", ""
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(*each) for each in OPSETS.items())
    onnx.checker.check_model(model, full_check=True)
    return model


def join_parts(name, first, parts):
    """The network that gives what `first` makes of the features to every part, and answers what the parts answer.

    first: input `features`, output `state`.
    parts: each with the input `state`; no output may be called as another part's.
    """
    joined, answered = first, []
    for place, part in enumerate(parts):
        outputs = [output.name for output in part.graph.output]
        if clash := set(outputs) & set(answered):
            raise ValueError(f"two parts answer {sorted(clash)}: give one of them another output name")
        # Everything inside a part gets its own names; what it is joined by keeps its name.
        prefix = f"part_{place}_"
        part = compose.add_prefix(part, prefix, inplace=False)
        for node in part.graph.node:
            for position, output in enumerate(node.output):
                if output.removeprefix(prefix) in outputs:
                    node.output[position] = output.removeprefix(prefix)
            for position, each in enumerate(node.input):
                if each.removeprefix(prefix) in outputs:
                    node.input[position] = each.removeprefix(prefix)
        for output in part.graph.output:
            output.name = output.name.removeprefix(prefix)
        joined = compose.merge_models(joined, part, io_map=[(STATE, f"{prefix}{STATE}")],
                                      outputs=[*answered, *outputs, STATE])
        answered.extend(outputs)
    kept = [output for output in joined.graph.output if output.name != STATE]
    del joined.graph.output[:]
    joined.graph.output.extend(kept)
    joined.graph.name = name
    return finish(joined)
