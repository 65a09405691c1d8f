"""Writes the network of the tests: Wav2Lip's inputs and outputs, 60 kB, and a mouth that anybody can see.

It gives the reference face back through a pair of convolutions that nearly undo each other, and where the mouth is
darkens a lens that opens with the loudness of the sixteen mel steps, the middle ones counting most. It has learned
nothing.

    python make_small.py small.onnx
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, CHANNELS = 96, 8
# Of the lens, in shares of the picture; a Wav2Lip crop has the mouth about here.
MIDDLE, HALF_WIDTH, MOST_OPEN = (0.5, 0.77), 0.17, 0.11
DARK_BGR = (0.10, 0.08, 0.22)


def lens() -> np.ndarray:
    """How far the mouth must be open (0 to 1) for a pixel to be inside; beyond 1 where it never is."""
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    across = np.clip(1 - ((x - MIDDLE[0]) / HALF_WIDTH) ** 2, 1e-3, None)
    return (np.abs(y - MIDDLE[1]) / (MOST_OPEN * across)).astype(np.float32)


def main(path: str) -> None:
    random = np.random.default_rng(7)
    # 3x3 in, 1x1 out; the second takes the middle of the first back.
    mix = random.normal(0, 0.5, (CHANNELS, 3)).astype(np.float32)
    first = random.normal(0, 0.002, (CHANNELS, 6, 3, 3)).astype(np.float32)
    first[:, 3:, 1, 1] += mix
    second = np.linalg.pinv(mix).astype(np.float32)[:, :, None, None]
    # Steps 5 to 10 lie about the frame that is shown.
    steps = np.exp(-(((np.arange(16) - 3.0) / 4.0) ** 2))
    mels = np.exp(-(((np.arange(80) - 18.0) / 22.0) ** 2))
    weights = np.outer(mels / mels.sum(), steps / steps.sum()).astype(np.float32)

    values = {
        "first": first,
        "second": second,
        "loudness": weights[None, None],
        "lens": lens()[None, None],
        "dark": np.array(DARK_BGR, np.float32).reshape(1, 3, 1, 1),
        # Mean mel of -3 is shut, 1 wide open.
        "shut": np.array(3.0, np.float32),
        "share": np.array(0.25, np.float32),
        "zero": np.array(0.0, np.float32),
        "one": np.array(1.0, np.float32),
        "edge": np.array(14.0, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["audio_in", "loudness"], ["level"], kernel_shape=[80, 16]),
        node("Add", ["level", "shut"], ["above"]),
        node("Mul", ["above", "share"], ["unbound"]),
        node("Clip", ["unbound", "zero", "one"], ["open"]),
        node("Sub", ["open", "lens"], ["inside"]),
        node("Mul", ["inside", "edge"], ["sharp"]),
        node("Sigmoid", ["sharp"], ["soft"]),
        # Shut is shut, soft edge or not.
        node("Mul", ["soft", "open"], ["faint"]),
        node("Add", ["faint", "faint"], ["twice"]),
        node("Clip", ["twice", "zero", "one"], ["hole"]),
        node("Conv", ["video_in", "first"], ["mixed"], pads=[1, 1, 1, 1]),
        node("Conv", ["mixed", "second"], ["face"]),
        node("Sub", ["dark", "face"], ["darker"]),
        node("Mul", ["darker", "hole"], ["change"]),
        node("Add", ["face", "change"], ["painted"]),
        node("Clip", ["painted", "zero", "one"], ["video_out"]),
    ]

    def value(name: str, *shape: int):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    # Other names and another order than the published export has: inputs are known by their shapes.
    inputs = [value("video_in", 6, SIDE, SIDE), value("audio_in", 1, 80, 16)]
    tensors = [numpy_helper.from_array(v, k) for k, v in values.items()]
    graph = helper.make_graph(nodes, "small", inputs, [value("video_out", 3, SIDE, SIDE)], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="visavis")
    made.ir_version = 8
    onnx.checker.check_model(made)
    onnx.save(made, path)


if __name__ == "__main__":
    main(sys.argv[1])
