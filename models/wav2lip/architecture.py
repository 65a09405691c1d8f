"""The published Wav2Lip generator (Prajwal et al., ACM Multimedia 2020) as a list of layers, and as an ONNX model.

Batch normalisation is folded into the convolutions, as every exporter does it. The names are those of the published
checkpoint's tensors, so that real weights can be put in their places.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


@dataclass(frozen=True)
class Layer:
    """A convolution with batch norm and ReLU; `residual` adds its input before the ReLU."""

    inputs: int
    outputs: int
    kernel: int = 3
    stride: tuple = (1, 1)
    padding: int = 1
    residual: bool = False
    transposed: bool = False
    output_padding: int = 0


def residual(channels: int, count: int) -> list:
    return [Layer(channels, channels, residual=True)] * count


def down(inputs: int, outputs: int, count: int) -> list:
    return [Layer(inputs, outputs, stride=(2, 2)), *residual(outputs, count)]


def up(inputs: int, outputs: int) -> list:
    first = Layer(inputs, outputs, stride=(2, 2), transposed=True, output_padding=1)
    return [first, *residual(outputs, 2)]


# 96, 48, 24, 12, 6, 3 and 1 pixels a side.
FACE_ENCODER = [
    [Layer(6, 16, kernel=7, padding=3)],
    down(16, 32, 2),
    down(32, 64, 3),
    down(64, 128, 2),
    down(128, 256, 2),
    down(256, 512, 1),
    [Layer(512, 512, padding=0), Layer(512, 512, kernel=1, padding=0)],
]

AUDIO_ENCODER = [
    Layer(1, 32),
    *residual(32, 2),
    Layer(32, 64, stride=(3, 1)),
    *residual(64, 2),
    Layer(64, 128, stride=(3, 3)),
    *residual(128, 2),
    Layer(128, 256, stride=(3, 2)),
    *residual(256, 1),
    Layer(256, 512, padding=0),
    Layer(512, 512, kernel=1, padding=0),
]

# After each block what the face encoder had at that size is put beside it.
FACE_DECODER = [
    [Layer(512, 512, kernel=1, padding=0)],
    [Layer(1024, 512, padding=0, transposed=True), *residual(512, 1)],
    up(1024, 512),
    up(768, 384),
    up(512, 256),
    up(320, 128),
    up(160, 64),
]

OUTPUT = [Layer(80, 32), Layer(32, 3, kernel=1, padding=0)]


def layers():
    """Every layer with the name that its tensors have in the checkpoint."""
    for i, block in enumerate(FACE_ENCODER):
        for j, layer in enumerate(block):
            yield f"face_encoder_blocks.{i}.{j}.conv_block", layer
    for i, layer in enumerate(AUDIO_ENCODER):
        yield f"audio_encoder.{i}.conv_block", layer
    for i, block in enumerate(FACE_DECODER):
        for j, layer in enumerate(block):
            yield f"face_decoder_blocks.{i}.{j}.conv_block", layer
    yield "output_block.0.conv_block", OUTPUT[0]
    # The last convolution has neither batch norm nor ReLU.
    yield "output_block.1", OUTPUT[1]


def model(weights: dict) -> onnx.ModelProto:
    """`weights[name]` is a kernel (as torch keeps it) and a bias, the batch norm folded in."""
    nodes, tensors = [], []

    def convolve(name: str, layer: Layer, taken: str, last: bool = False) -> str:
        kernel, bias = weights[name]
        for part, values in (("weight", kernel), ("bias", bias)):
            tensors.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), f"{name}.{part}"))
        given = f"{name}.out"
        options = {"kernel_shape": [layer.kernel] * 2, "strides": list(layer.stride), "pads": [layer.padding] * 4}
        if layer.transposed:
            options["output_padding"] = [layer.output_padding] * 2
        kind = "ConvTranspose" if layer.transposed else "Conv"
        nodes.append(helper.make_node(kind, [taken, f"{name}.weight", f"{name}.bias"], [given], name, **options))
        if layer.residual:
            nodes.append(helper.make_node("Add", [given, taken], [f"{name}.sum"]))
            given = f"{name}.sum"
        if last:
            return given
        nodes.append(helper.make_node("Relu", [given], [f"{name}.relu"]))
        return f"{name}.relu"

    x, seen = "face", []
    for i, block in enumerate(FACE_ENCODER):
        for j, layer in enumerate(block):
            x = convolve(f"face_encoder_blocks.{i}.{j}.conv_block", layer, x)
        seen.append(x)
    x = "mel"
    for i, layer in enumerate(AUDIO_ENCODER):
        x = convolve(f"audio_encoder.{i}.conv_block", layer, x)
    for i, block in enumerate(FACE_DECODER):
        for j, layer in enumerate(block):
            x = convolve(f"face_decoder_blocks.{i}.{j}.conv_block", layer, x)
        nodes.append(helper.make_node("Concat", [x, seen.pop()], [f"beside.{i}"], axis=1))
        x = f"beside.{i}"
    x = convolve("output_block.0.conv_block", OUTPUT[0], x)
    x = convolve("output_block.1", OUTPUT[1], x, last=True)
    nodes.append(helper.make_node("Sigmoid", [x], ["picture"]))

    def value(name: str, *shape: int):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    inputs = [value("mel", 1, 80, 16), value("face", 6, 96, 96)]
    graph = helper.make_graph(nodes, "wav2lip", inputs, [value("picture", 3, 96, 96)], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="visavis")
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made


def shape(layer: Layer) -> tuple:
    """Of a kernel as torch keeps it: transposed convolutions have their inputs first."""
    channels = (layer.inputs, layer.outputs) if layer.transposed else (layer.outputs, layer.inputs)
    return (*channels, layer.kernel, layer.kernel)
