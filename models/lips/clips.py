"""Makes the clips of tests/lips: python clips.py FOLDER OUT NAME...

FOLDER holds wav and tsv of the set `test`. A clip is the first 3 s or less, cut in a pause or between two phonemes,
16 kHz, mu-law (G.711) to be small. Needs numpy.
"""

import struct
import sys
import wave
from pathlib import Path

import numpy as np

RATE, LONGEST = 16000, 3.0


def to_rate(pcm, rate):
    """By the spectrum of the whole: exact for what lies below both limits."""
    spectrum = np.fft.rfft(pcm)
    count = int(len(pcm) * RATE / rate)
    kept = np.zeros(count // 2 + 1, complex)
    n = min(len(kept), len(spectrum))
    kept[:n] = spectrum[:n]
    return np.fft.irfft(kept, count) * count / len(pcm)


def mulaw(pcm):
    value = np.minimum(np.abs(pcm).astype(int), 32635) + 0x84
    exponent = np.floor(np.log2(value)).astype(int) - 7
    mantissa = (value >> (exponent + 3)) & 15
    sign = np.where(pcm < 0, 0x80, 0)
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes()


def main():
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[3:]:
        with wave.open(str(folder / f"{name}.wav")) as file:
            rate, pcm = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
        rows = [line.split("\t") for line in (folder / f"{name}.tsv").read_text().splitlines()]
        rows = [row for row in rows if int(row[1]) <= LONGEST * rate]
        scale = RATE / rate
        data = mulaw(to_rate(pcm, rate)[: int(int(rows[-1][1]) * scale)])
        header = struct.pack("<4sI4s4sIHHIIHHH4sI", b"RIFF", 38 + len(data), b"WAVE", b"fmt ", 18, 7, 1, RATE, RATE, 1, 8, 0,
                             b"data", len(data))
        (out / f"{name}.wav").write_bytes(header + data)
        lines = (f"{int(int(a) * scale)}\t{int(int(b) * scale)}\t{stressed}\t{ipa}\n" for a, b, stressed, ipa in rows)
        (out / f"{name}.tsv").write_text("".join(lines))


if __name__ == "__main__":
    main()
