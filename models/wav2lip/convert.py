"""Turns a Wav2Lip checkpoint (.pth) into an ONNX model. Needs numpy and onnx; not PyTorch.

    python convert.py wav2lip_gan.pth wav2lip.onnx

The tensors are read straight from the file, in the format of PyTorch 1.6 and later (a zip archive) or the older one
that the published checkpoints have (pickles, one after the other). Only tensors and plain containers are unpickled:
a checkpoint cannot run code here. Batch normalisation is folded into the convolutions.
"""

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import onnx
from architecture import layers, model, shape

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
TYPES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}
# torch.nn.BatchNorm2d's default.
EPSILON = 1e-5


class Storage:
    """The numbers of a tensor, which may stand after the pickle that names them."""

    def __init__(self, kind: str, count: int):
        self.kind, self.count, self.values = kind, count, None


class Tensor:
    def __init__(self, storage, offset, size, stride, *_):
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self) -> np.ndarray:
        values = self.storage.values[self.offset :]
        strides = [step * values.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(values, self.size, strides).astype(np.float32)


class Unpickler(pickle.Unpickler):
    """Knows tensors, storages and ordered dictionaries; refuses everything else."""

    def __init__(self, file, storages: dict):
        super().__init__(file)
        self.storages = storages

    def find_class(self, module, name):
        if module == "torch" and name in TYPES:
            return name
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return Tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        raise pickle.UnpicklingError(f"the checkpoint holds a {module}.{name}, which is no tensor; it is not read")

    def persistent_load(self, saved):
        kind, key, count = saved[1], saved[2], saved[4]
        return self.storages.setdefault(key, Storage(kind, count))


def read_zip(path: Path):
    storages = {}
    with zipfile.ZipFile(path) as archive:
        pickled = next(n for n in archive.namelist() if n.endswith("data.pkl"))
        loaded = Unpickler(io.BytesIO(archive.read(pickled)), storages).load()
        for key, storage in storages.items():
            storage.values = np.frombuffer(archive.read(pickled[: -len("data.pkl")] + f"data/{key}"), TYPES[storage.kind])
    return loaded


def read_legacy(path: Path):
    storages = {}
    with open(path, "rb") as file:
        if Unpickler(file, {}).load() != LEGACY_MAGIC:
            sys.exit(f"{path} is no PyTorch checkpoint")
        for _ in ("version", "machine"):
            Unpickler(file, {}).load()
        loaded = Unpickler(file, storages).load()
        for key in Unpickler(file, {}).load():
            storage = storages[key]
            count = int(np.frombuffer(file.read(8), "<i8")[0])
            kind = np.dtype(TYPES[storage.kind])
            storage.values = np.frombuffer(file.read(count * kind.itemsize), kind)
    return loaded


def tensors(path: Path) -> dict:
    """The tensors of a checkpoint by name."""
    loaded = read_zip(path) if zipfile.is_zipfile(path) else read_legacy(path)
    state = loaded.get("state_dict", loaded)
    found = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    # Trained on several GPUs, all names begin with this.
    return {name.removeprefix("module."): value.array() for name, value in found.items()}


def folded(state: dict) -> dict:
    """Kernel and bias of each layer, with its batch norm."""
    weights = {}
    for name, layer in layers():
        prefix = name if name == "output_block.1" else f"{name}.0"
        wanted, kernel = shape(layer), state.get(f"{prefix}.weight")
        if kernel is None or kernel.shape != wanted:
            found = "missing" if kernel is None else f"of shape {kernel.shape}"
            sys.exit(f"{prefix}.weight is {found}, not {wanted}: this is not the published 96x96 architecture")
        bias = state[f"{prefix}.bias"]
        if name != "output_block.1":
            norm = {k: state[f"{name}.1.{k}"] for k in ("weight", "bias", "running_mean", "running_var")}
            gain = norm["weight"] / np.sqrt(norm["running_var"] + EPSILON)
            kernel = kernel * (gain[None, :, None, None] if layer.transposed else gain[:, None, None, None])
            bias = (bias - norm["running_mean"]) * gain + norm["bias"]
        weights[name] = (kernel, bias)
    return weights


if __name__ == "__main__":
    onnx.save(model(folded(tensors(Path(sys.argv[1])))), sys.argv[2])
