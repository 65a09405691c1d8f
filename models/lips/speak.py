"""The same as speak.rs for the engines that the server does not hold: espeak-ng (its library, by ctypes) and flite.

    python speak.py RECIPE OUT [FLITE_ROOT]

espeak-ng tells phonemes and their times as events. flite (Debian's package; FLITE_ROOT is where it is unpacked, if it
is not installed) prints its segments with their ends. Standard library only.
"""

import ctypes
import os
import subprocess
import sys
import wave
from pathlib import Path

# ARPAbet, as flite's American voices have it, in IPA.
ARPABET = dict(
    pair.split("=")
    for pair in (
        "aa=ɑ ae=æ ah=ʌ ao=ɔ aw=aʊ ax=ə axr=ɚ ay=aɪ b=b ch=tʃ d=d dh=ð eh=ɛ er=ɝ ey=eɪ f=f g=ɡ hh=h ih=ɪ iy=i jh=dʒ "
        "k=k l=l m=m n=n ng=ŋ ow=oʊ oy=ɔɪ p=p r=ɹ s=s sh=ʃ t=t th=θ uh=ʊ uw=u v=v w=w y=j z=z zh=ʒ pau= brth= h#="
    ).split()
)

# Its sound comes this much before its events tell (aligned.py).
ESPEAK_EARLY_SECONDS = 0.012
PHONEME_EVENTS, PHONEME_IPA = 1, 2
SYNCHRONOUS, UTF8 = 2, 1
EVENT_PHONEME, EVENT_END = 7, 0


class Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h"""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", Id),
    ]


class Espeak:
    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS | PHONEME_IPA)
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))
        self.callback = callback(self.hear)
        self.library.espeak_SetSynthCallback(self.callback)
        self.pcm, self.marks = [], []

    def hear(self, pcm, count, events):
        if pcm and count > 0:
            self.pcm.append(ctypes.string_at(pcm, 2 * count))
        at = 0
        while events[at].type != EVENT_END:
            if events[at].type == EVENT_PHONEME:
                self.marks.append((events[at].sample, events[at].id.string.decode("utf-8", "ignore")))
            at += 1
        return 0

    def say(self, voice, text, speed):
        self.pcm, self.marks = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SystemExit(f"espeak-ng has no voice {voice}")
        self.library.espeak_SetParameter(1, int(165 * speed), 0)
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 1, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        pcm = b"".join(self.pcm)
        total = len(pcm) // 2
        ends = [sample for sample, _ in self.marks[1:]] + [total]
        phonemes = []
        early = round(ESPEAK_EARLY_SECONDS * self.rate)
        for (start, ipa), end in zip(self.marks, ends):
            start, end = max(start - early, 0), end if end == total else max(end - early, 0)
            ipa = "" if ipa.startswith("(") else ipa.strip()
            # A breath after a consonant is part of it.
            ipa = ipa[:-1] + "ʰ" if len(ipa) > 1 and ipa.endswith("h") else ipa
            phonemes.append((start, min(end, total), False, ipa))
        return self.rate, pcm, spoken_through(phonemes, self.rate)


def spoken_through(phonemes, rate):
    """Gaps of less than 0.12 s belong to the phoneme before them, as the server has it for its own voices."""
    out = []
    said = max((end for _, end, _, ipa in phonemes if ipa), default=0)
    for start, end, stressed, ipa in phonemes:
        if out and start < said and not ipa and end - start < 0.12 * rate:
            out[-1] = (out[-1][0], end, *out[-1][2:])
        elif end > start:
            out.append((start, end, stressed, ipa))
    return out


def flite(root, voice, text, to):
    binary = Path(root or "/") / "usr/bin/flite"
    libraries = Path(root or "/") / "usr/lib/x86_64-linux-gnu"
    env = dict(os.environ, LD_LIBRARY_PATH=str(libraries))
    said = subprocess.run(
        [binary, "-voice", voice, "-psdur", "-t", text, "-o", to], env=env, check=True, capture_output=True, text=True
    ).stdout
    with wave.open(str(to)) as file:
        rate, pcm = file.getframerate(), file.readframes(file.getnframes())
    # "name:end", in seconds.
    marks = [word.split(":") for word in said.replace("(", " ").replace(")", " ").split() if ":" in word]
    phonemes, start = [], 0
    for name, seconds in ((mark[0], float(mark[1])) for mark in marks):
        end = round(seconds * rate)
        phonemes.append((start, end, False, ARPABET[name]))
        start = end
    return rate, pcm, phonemes


def main():
    recipe, out = Path(sys.argv[1]), Path(sys.argv[2])
    root = sys.argv[3] if len(sys.argv) > 3 else None
    espeak = Espeak()
    rows = [line.split("\t") for line in (recipe / "voices.tsv").read_text().splitlines() if not line.startswith("#")]
    for row, (subset, engine, voice, language, count) in enumerate(rows):
        if engine not in ("espeak", "flite"):
            continue
        sentences = (recipe / "sentences" / f"{language}.txt").read_text().splitlines()
        own = [(i, text) for i, text in enumerate(sentences) if (i % 5 == 4) == (subset != "train")]
        (out / subset).mkdir(parents=True, exist_ok=True)
        for take in range(int(count)):
            index, text = own[(row * 7 + take) % len(own)]
            to = out / subset / f"{engine}-{voice}-{index:03}.wav"
            speed = (1.0, 0.85, 1.15, 1.0, 1.3)[take % 5] if subset == "train" else 1.0
            if engine == "espeak":
                rate, pcm, phonemes = espeak.say(voice, text, speed)
            else:
                rate, pcm, phonemes = flite(root, voice, text, to)
            with wave.open(str(to), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate)
                file.writeframes(pcm)
            lines = (f"{start}\t{end}\t{int(stressed)}\t{ipa}\n" for start, end, stressed, ipa in phonemes)
            to.with_suffix(".tsv").write_text("".join(lines))
        print(subset, voice)


if __name__ == "__main__":
    main()
