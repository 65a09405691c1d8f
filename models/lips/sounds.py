"""Sounds that are no speech, so that the network keeps the mouth shut: music, noise, knocks; and humming, which is an m.

    python sounds.py OUT SEED

Writes wav and tsv as speak.rs does, 16 kHz. Needs numpy.
"""

import sys
import wave
from pathlib import Path

import numpy as np

RATE, SECONDS = 16000, 8
COUNT = RATE * SECONDS


def tone(rng, hz, harmonics, slope):
    """A note with vibrato; `slope` in dB an octave."""
    t = np.arange(COUNT) / RATE
    phase = 2 * np.pi * hz * t + rng.uniform(0, 2) * np.sin(2 * np.pi * rng.uniform(3, 6) * t)
    parts = [k for k in range(1, harmonics + 1) if k * hz < 7500]
    return sum(10 ** (slope * np.log2(k) / 20) * np.sin(k * phase + rng.uniform(0, 6)) for k in parts)


def notes(rng, lengths):
    """An envelope of notes that are struck and decay."""
    out, at = np.zeros(COUNT), 0
    while at < COUNT:
        length = int(rng.choice(lengths) * RATE)
        t = np.arange(min(length, COUNT - at)) / RATE
        out[at : at + len(t)] = np.minimum(t / 0.01, 1) * np.exp(-t * rng.uniform(1, 6)) * rng.uniform(0.4, 1)
        at += length
    return out


def noise(rng):
    """Noise of any colour."""
    spectrum = np.fft.rfft(rng.normal(0, 1, COUNT))
    x = np.linspace(0, 1, len(spectrum))
    curve = sum(rng.normal(0, 12 / k) * np.cos(np.pi * k * x) for k in range(1, 6)) - rng.uniform(0, 20) * x
    return np.fft.irfft(spectrum * 10 ** (curve / 20), COUNT)


def music(rng):
    beat = rng.uniform(0.2, 0.6)
    out = np.zeros(COUNT)
    for _ in range(rng.integers(2, 6)):
        pitches = 55 * 2 ** (rng.integers(0, 40, 3) / 12)
        voice = sum(tone(rng, hz, int(rng.integers(1, 14)), rng.uniform(-15, -4)) for hz in pitches)
        out += voice * notes(rng, [beat, 2 * beat, 4 * beat])
    drums = noise(rng) * notes(rng, [beat]) ** 3
    return out / np.abs(out).max() + rng.uniform(0, 0.6) * drums / np.abs(drums).max()


def hum(rng):
    """A voice through closed lips: pulses, little above 500 Hz, in the melody of a tune."""
    t, steps = np.arange(COUNT) / RATE, int(SECONDS / 0.5)
    pitch = rng.uniform(95, 230) * 2 ** (np.repeat(rng.integers(-4, 8, steps), COUNT // steps) / 12)
    pitch = np.convolve(np.pad(pitch, 800, "edge"), np.ones(1601) / 1601, "valid")
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.005 * np.sin(2 * np.pi * 5 * t))) / RATE
    out, nose = np.zeros(COUNT), rng.uniform(230, 330)
    for k in range(1, 40):
        hz = k * pitch
        level = 1 / (1 + ((hz - nose) / 120) ** 2) + 0.05 / (1 + ((hz - rng.uniform(900, 1100)) / 200) ** 2) + 0.002
        out += np.where(hz < 7500, level, 0) * np.sin(k * phase)
    return out * np.clip(0.75 + 0.25 * np.sin(2 * np.pi * t / rng.uniform(1, 3)), 0, 1)


def main():
    out, rng = Path(sys.argv[1]), np.random.default_rng(int(sys.argv[2]))
    out.mkdir(parents=True, exist_ok=True)
    kinds = [("music", music, ""), ("noise", lambda r: noise(r) * notes(r, [0.1, 0.5, 8]), ""), ("hum", hum, "m")]
    for kind, make, ipa in kinds:
        for index in range({"music": 16, "noise": 8, "hum": 5}[kind]):
            pcm = make(rng)
            pcm = (pcm / np.abs(pcm).max() * 26000 * 10 ** (-rng.uniform(0, 12) / 20)).astype("<i2")
            to = out / f"{kind}-{index:03}.wav"
            with wave.open(str(to), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(pcm.tobytes())
            to.with_suffix(".tsv").write_text(f"0\t{COUNT}\t0\t{ipa}\n")


if __name__ == "__main__":
    main()
