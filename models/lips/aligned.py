"""How far phoneme times lie from the sound: the shift at which vowels are where it is loud, stops and pauses where it is
not, and hisses where it hisses.

    python aligned.py FOLDER VOICE...

FOLDER holds wav and tsv as speak.rs writes them. Prints milliseconds: below zero, the sound comes before its phoneme.
Needs numpy.
"""

import sys
import wave
from pathlib import Path

import numpy as np

VOWELS, STOPS, HISSES, SONORANTS = set("aɑɔoɛeæʌɐ"), set("ptkbdɡ"), set("szʃ"), set("mnl")
REACH = 20  # steps of 5 ms


def bands(path):
    """Level of vowels and of hisses against it, every 5 ms, and samples a step."""
    with wave.open(str(path)) as file:
        rate, pcm = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    hop = rate // 200
    window, hz = np.hanning(4 * hop), np.fft.rfftfreq(4 * hop, 1 / rate)
    power = np.array([np.abs(np.fft.rfft(pcm[i : i + 4 * hop] * window)) ** 2 for i in range(0, len(pcm) - 4 * hop, hop)])
    level = lambda low, high: 10 * np.log10(power[:, (hz > low) & (hz < high)].sum(1) + 1e3)
    voice = level(250, 2500)
    return voice - voice.mean(), level(4500, 7600) - voice, hop


def main():
    for voice in sys.argv[2:]:
        fits = np.zeros(2 * REACH + 1)
        for path in sorted(Path(sys.argv[1]).glob(f"{voice}-*.wav")):
            loud, hiss, hop = bands(path)
            hiss = hiss - hiss.mean()
            wanted, hissing = np.zeros(len(loud)), np.zeros(len(loud))
            for line in path.with_suffix(".tsv").read_text().splitlines():
                start, end, _, ipa = line.split("\t")
                # The middle of the first window is two steps in.
                steps = slice(max(round(int(start) / hop) - 2, 0), max(round(int(end) / hop) - 2, 0))
                first = ipa[:1]
                wanted[steps] = 1 if first in VOWELS else -1 if not first or first in STOPS else 0
                hissing[steps] = 1 if first in HISSES else -1 if first in VOWELS | SONORANTS else 0
            shifts = range(-REACH, REACH + 1)
            fits += [(np.roll(wanted, k) * loud + np.roll(hissing, k) * hiss).sum() for k in shifts]
        best = int(np.clip(fits.argmax(), 1, 2 * REACH - 1))
        left, top, right = fits[best - 1 : best + 2]
        # The top of the parabola through the three.
        print(f"{voice}: {5 * (best - REACH + 0.5 * (left - right) / (left - 2 * top + right)):.0f} ms")


if __name__ == "__main__":
    main()
