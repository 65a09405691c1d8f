"""Writes the sound and the numbers that the test of src/face/wav2lip/mel.rs is held to.

Needs librosa (0.11.0 was used; any from 0.7 on gives the same) and scipy. The steps are those of `melspectrogram` in
Wav2Lip's audio.py. Wav2Lip names librosa 0.7.0, whose stft mirrors the sound at its ends; since 0.9 it pads with zeros
unless told otherwise, so the mode is given here.

    python make_mel_reference.py ../../tests/fixtures/wav2lip
"""

import sys
from pathlib import Path

import librosa
import numpy as np
from scipy.signal import lfilter

RATE, N_FFT, HOP = 16_000, 800, 200


def sound() -> np.ndarray:
    """0.8 s: a gliding voice, a hiss, digital silence, a very quiet tone, a click."""
    random = np.random.default_rng(5)
    t = np.arange(6_000) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 80 * t / t[-1]) / RATE
    voice = sum(np.sin(n * phase) / n * np.exp(-(((n * 150 - f) / 400) ** 2))
                for n in range(1, 40) for f in (600, 1_800, 3_000))
    voice *= 0.5 / np.abs(voice).max()
    hiss = lfilter([1, -0.9], [1], random.normal(0, 0.1, 2_400))
    quiet = 0.0004 * np.sin(2 * np.pi * 3_000 * np.arange(1_800) / RATE)
    quiet[900] = 0.8
    whole = np.concatenate([voice, hiss, np.zeros(2_600), quiet])
    return np.round(np.clip(whole, -1, 1) * 32_767).astype("<i2")


def mel(pcm: np.ndarray) -> np.ndarray:
    wav = pcm.astype(np.float32) / 32_768
    emphasised = lfilter([1, -0.97], [1], wav)
    spectrum = librosa.stft(y=emphasised, n_fft=N_FFT, hop_length=HOP, win_length=N_FFT, pad_mode="reflect")
    basis = librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=80, fmin=55, fmax=7_600)
    level = basis @ np.abs(spectrum)
    db = 20 * np.log10(np.maximum(10 ** (-100 / 20), level)) - 20
    return np.clip(8 * (db + 100) / 100 - 4, -4, 4)


if __name__ == "__main__":
    out = Path(sys.argv[1])
    pcm = sound()
    pcm.tofile(out / "mel-sound.i16")
    mel(pcm).T.astype("<f4").tofile(out / "mel-librosa.f32")
    print(len(pcm), "samples,", mel(pcm).shape[1], "steps")
