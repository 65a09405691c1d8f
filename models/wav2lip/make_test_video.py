"""Writes the videos of the tests: 12 flat pictures, each brighter than the one before, as a telephone would encode them
(high profile, CABAC, B frames, 30 a second), and the same in HEVC, which is to be refused.

Needs PyAV (`pip install av`).

    python make_test_video.py ../../tests/fixtures/wav2lip
"""

import sys
from pathlib import Path

import av
import numpy as np

COUNT, WIDTH, HEIGHT = 12, 96, 64


def write(path: Path, codec: str, options: dict) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for n in range(COUNT):
            pixels = np.full((HEIGHT, WIDTH, 3), 40 + 15 * n, np.uint8)
            # A bright left half tells how the picture is turned.
            pixels[:, : WIDTH // 2] += 20
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    telephone = {"profile": "high", "bf": "2", "b_strategy": "0", "preset": "slow", "crf": "18", "g": "6"}
    write(folder / "telephone.mp4", "libx264", telephone)
    write(folder / "hevc.mp4", "libx265", {"crf": "30", "x265-params": "log-level=error"})
