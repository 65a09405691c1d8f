"""Writes an int8 copy of a Wav2Lip network with ONNX Runtime's tools.

    python quantize.py wav2lip.onnx wav2lip-int8.onnx [--faces FOLDER] [--sound FILE.wav] [--dynamic]

Static by default: convolutions take and give 8 bits (unsigned values, signed weights by channel), scaled to what they
see in calibration. Give pictures of faces, cut as the avatar's are, and speech to calibrate with; without, noise and
synthetic sound stand in, which is enough to measure speed and no more. The layer that paints the picture and the first
of the face encoder stay f32: they cost little and the eye sees their errors. ONNX Runtime has no int8 kernel for
transposed convolutions, so they are first written as plain ones. `--dynamic` scales at run time (many times slower,
see the README).
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType
from onnxruntime.quantization import quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

SIDE = 96


def faces(folder: str | None, count: int, random: np.random.Generator) -> list:
    if folder is None:
        coarse = [random.random((12, 12, 3)) for _ in range(count)]
        return [np.kron(face, np.ones((8, 8, 1))) for face in coarse]
    from PIL import Image

    files = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    if not files:
        sys.exit(f"{folder} holds no pictures")
    read = [np.asarray(Image.open(p).convert("RGB").resize((SIDE, SIDE)))[..., ::-1] / 255 for p in files]
    return [read[i % len(read)] for i in range(count)]


def mels(sound: str | None, count: int, random: np.random.Generator) -> list:
    if sound is None:
        shape = np.linspace(2, -2, 80)[:, None]
        return [np.clip(shape + random.normal(0, 1.5, (80, 16)) - random.random() * 4, -4, 4) for _ in range(count)]
    import librosa
    from make_mel_reference import mel

    wav, _ = librosa.load(sound, sr=16_000)
    whole = mel((wav * 32_767).astype("<i2"))
    return [whole[:, at : at + 16] for at in random.integers(0, whole.shape[1] - 16, count)]


def without_transposed(model: onnx.ModelProto) -> None:
    """Writes transposed convolutions of 3x3 as plain ones of the same result.

    With a stride of 2, an output pixel sees one or two inputs in each direction, by its place within a block of 2x2. One
    convolution of 2x2 gives the four places as channels, which are then laid beside each other.
    """
    tensors = {t.name: t for t in model.graph.initializer}
    readers = {name: node for node in model.graph.node for name in node.input}
    nodes = []
    for node in model.graph.node:
        options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        strides = tuple(options.get("strides", (1, 1)))
        plain = node.op_type == "ConvTranspose" and len(node.input) == 3 and options.get("group", 1) == 1
        kernel = numpy_helper.to_array(tensors[node.input[1]]) if plain else None
        if kernel is None or kernel.shape[2:] != (3, 3) or strides not in ((1, 1), (2, 2)):
            nodes.append(node)
            continue
        bias = numpy_helper.to_array(tensors[node.input[2]])
        pads, more = list(options.get("pads", [0] * 4)), list(options.get("output_padding", [0, 0]))
        given, name = node.output[0], node.name or node.output[0]
        if strides == (1, 1) and more == [0, 0]:
            kernel, pads, given_now = kernel[:, :, ::-1, ::-1].transpose(1, 0, 2, 3), [2 - p for p in pads], given
        elif strides == (2, 2) and pads == [1] * 4 and more == [1, 1]:
            # taps[place][input]: which row of the kernel an output row at that place takes of this and of the next input.
            taps = ((1, None), (2, 0))
            blocks = np.zeros((kernel.shape[1], 2, 2, kernel.shape[0], 2, 2), np.float32)
            for a, b, i, j in np.ndindex(2, 2, 2, 2):
                if taps[a][i] is not None and taps[b][j] is not None:
                    blocks[:, a, b, :, i, j] = kernel[:, :, taps[a][i], taps[b][j]].T
            kernel, bias, pads = blocks.reshape(-1, *blocks.shape[3:]), np.repeat(bias, 4), [0, 0, 1, 1]
            given_now = f"{name}.places"
        else:
            nodes.append(node)
            continue
        for part, values in (("kernel", kernel), ("bias", bias)):
            made = numpy_helper.from_array(np.ascontiguousarray(values, np.float32), f"{name}.plain.{part}")
            model.graph.initializer.append(made)
        inputs = [node.input[0], f"{name}.plain.kernel", f"{name}.plain.bias"]
        nodes.append(helper.make_node("Conv", inputs, [given_now], name, kernel_shape=kernel.shape[2:], pads=pads))
        if given_now != given:
            # A ReLU behind it moves before the laying out, where it costs nothing.
            relu = readers.get(given)
            if relu is not None and relu.op_type == "Relu":
                nodes.append(helper.make_node("Relu", [given_now], [f"{name}.kept"], f"{name}.relu"))
                given_now = f"{name}.kept"
                relu.op_type = "Identity"
            nodes.append(
                helper.make_node("DepthToSpace", [given_now], [given], f"{name}.beside", blocksize=2, mode="CRD")
            )
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [t for t in model.graph.initializer if t.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.checker.check_model(model)


class Reader(CalibrationDataReader):
    def __init__(self, model: onnx.ModelProto, pictures: list, sounds: list):
        self.inputs = [(i.name, i.type.tensor_type.shape.dim[1].dim_value) for i in model.graph.input]
        self.rows = iter(list(zip(pictures, sounds)))

    def get_next(self):
        row = next(self.rows, None)
        if row is None:
            return None
        face = np.transpose(row[0], (2, 0, 1)).astype(np.float32)
        masked = face.copy()
        masked[:, SIDE // 2 :] = 0
        both = np.concatenate([masked, face])[None]
        sound = row[1].astype(np.float32)[None, None]
        return {name: both if channels == 6 else sound for name, channels in self.inputs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--faces")
    parser.add_argument("--sound")
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--dynamic", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain, ready = str(Path(folder) / "plain.onnx"), str(Path(folder) / "ready.onnx")
        model = onnx.load(options.model)
        without_transposed(model)
        onnx.save(model, plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        if options.dynamic:
            quantize_dynamic(ready, options.out, weight_type=QuantType.QInt8, per_channel=True)
            return
        random = np.random.default_rng(3)
        model = onnx.load(ready)
        painted = {o.name for o in model.graph.output}
        convolutions = [n for n in model.graph.node if n.op_type == "Conv"]
        keep = {n.name for n in convolutions if model_input(model, n) or gives(model, n, painted)}
        reader = Reader(model, faces(options.faces, options.count, random), mels(options.sound, options.count, random))
        quantize_static(
            ready,
            options.out,
            reader,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add", "Relu", "Concat", "DepthToSpace"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=sorted(keep),
        )


def model_input(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    """Takes the faces themselves."""
    names = {i.name for i in model.graph.input if i.type.tensor_type.shape.dim[1].dim_value == 6}
    return node.input[0] in names


def gives(model: onnx.ModelProto, node: onnx.NodeProto, painted: set) -> bool:
    """Gives the picture, up to its sigmoid."""
    return any(o in painted for n in model.graph.node if node.output[0] in n.input for o in n.output)


if __name__ == "__main__":
    main()
