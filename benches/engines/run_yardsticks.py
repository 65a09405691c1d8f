"""piper-tts, kokoro-onnx and llama-cpp-python as a process: the yardsticks of `make bench-engines`.

    python3 benches/engines/run_yardsticks.py FOLDER

FOLDER gets a virtual environment (llama-cpp-python is compiled for this machine, which takes some minutes). Then each
line on the input, {"engine", "threads", "files", "text", ...}, gives a line on the output, {"first", "all", "made"}:
seconds to the first sound or token, to the last, and seconds of sound or the number of tokens. A first line {"names"}
says that it is ready. The weights are those of models/manifest.toml, everything else is each package's default.
"""

import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

PACKAGES = ["piper-tts==1.8.0", "kokoro-onnx==0.6.1", "llama-cpp-python==0.3.36"]


def set_up(folder):
    python = folder / "bin" / "python"
    done = folder / "installed.txt"
    wanted = "\n".join(PACKAGES)
    if not done.is_file() or done.read_text() != wanted:
        print(f"setting up the yardsticks in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        environment = {**os.environ, "CMAKE_ARGS": "-DGGML_NATIVE=ON"}
        subprocess.run([*pip, *PACKAGES], check=True, stdout=sys.stderr, env=environment)
        done.write_text(wanted)
    return python


def session(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, sess_options=options, providers=["CPUExecutionProvider"])


def piper(threads, files):
    from piper import PiperVoice

    model, config = files
    voice = PiperVoice.load(model, config_path=config)
    voice.session = session(model, threads)

    def run(order):
        begun = time.perf_counter()
        first, seconds = None, 0.0
        for chunk in voice.synthesize(order["text"]):
            first = first or time.perf_counter() - begun
            seconds += len(chunk.audio_int16_bytes) / 2 / chunk.sample_rate
        return first, time.perf_counter() - begun, seconds

    return run


def kokoro(threads, files):
    import numpy
    from kokoro_onnx import Kokoro

    model, style = files
    voices = Path(sys.prefix) / "kokoro-voices.npz"
    with open(voices, "wb") as file:
        numpy.savez(file, voice=numpy.fromfile(style, dtype=numpy.float32).reshape(510, 1, 256))
    engine = Kokoro.from_session(session(model, threads), str(voices))

    def run(order):
        begun = time.perf_counter()
        sound, rate = engine.create(order["text"], voice="voice", speed=1.0, lang="en-us")
        whole = time.perf_counter() - begun
        return whole, whole, len(sound) / rate

    return run


def llm(threads, files):
    from llama_cpp import Llama

    model = Llama(files[0], n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)

    def run(order):
        # What another question left is no help here, as it is none on the other side.
        model.reset()
        begun = time.perf_counter()
        first, tokens = None, 0
        messages = [{"role": "user", "content": order["text"]}]
        for chunk in model.create_chat_completion(messages, max_tokens=order["tokens"], temperature=0, stream=True):
            if chunk["choices"][0]["delta"].get("content"):
                first = first or time.perf_counter() - begun
                tokens += 1
        return first, time.perf_counter() - begun, tokens

    return run


ENGINES = {"piper": piper, "kokoro": kokoro, "llm": llm}


def serve():
    names = {"piper": "piper-tts", "kokoro": "kokoro-onnx", "llm": "llama-cpp-python"}
    print(json.dumps({"names": {engine: f"{name} {version(name)}" for engine, name in names.items()}}), flush=True)
    loaded = {}
    for line in sys.stdin:
        order = json.loads(line)
        key = (order["engine"], order["threads"])
        if key not in loaded:
            loaded[key] = ENGINES[order["engine"]](order["threads"], order["files"])
        first, whole, made = loaded[key](order)
        print(json.dumps({"first": first, "all": whole, "made": made}), flush=True)


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    if Path(sys.prefix) == target:
        serve()
    else:
        os.execv(set_up(target), [str(target / "bin" / "python"), __file__, str(target)])
