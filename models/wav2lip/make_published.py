"""Writes the published architecture with random weights, f32 and int8: as fast and as large as the real one, and as blind.

    python3 make_published.py FOLDER

FOLDER gets a virtual environment, published.onnx and published-int8.onnx, unless they are there.
"""

import subprocess
import sys
from pathlib import Path

PACKAGES = ["numpy==2.3.5", "onnx==1.20.0", "onnxruntime==1.23.2"]


def set_up(folder: Path) -> Path:
    python, done = folder / "venv" / "bin" / "python", folder / "installed.txt"
    if not done.is_file() or done.read_text() != "\n".join(PACKAGES):
        print(f"setting up {', '.join(PACKAGES)} in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True, stdout=sys.stderr)
        done.write_text("\n".join(PACKAGES))
    return python


def write(path: str) -> None:
    import numpy as np
    import onnx
    from architecture import layers, model, shape

    random = np.random.default_rng(1)
    weights = {}
    for name, layer in layers():
        # Keeps the size of the signal from layer to layer, so that int8 has something to be measured on.
        fan_in = layer.inputs * layer.kernel**2 / (layer.stride[0] * layer.stride[1] if layer.transposed else 1)
        scale = np.sqrt((1.0 if layer.residual else 2.0) / fan_in) * (0.5 if layer.residual else 1.0)
        kernel = random.normal(0, scale, shape(layer)).astype(np.float32)
        weights[name] = (kernel, random.normal(0, 0.02, layer.outputs).astype(np.float32))
    onnx.save(model(weights), path)


def main(folder: Path) -> None:
    here, f32, int8 = Path(__file__).resolve(), folder / "published.onnx", folder / "published-int8.onnx"
    if f32.is_file() and int8.is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    python = set_up(folder)
    # Under another name until it is whole.
    partial = folder / "partial.onnx"
    subprocess.run([python, here, "--write", partial], check=True)
    partial.rename(f32)
    subprocess.run([python, here.with_name("quantize.py"), f32, partial], check=True)
    partial.rename(int8)


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        write(sys.argv[2])
    else:
        main(Path(sys.argv[1]))
