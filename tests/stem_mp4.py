"""Songs as MUSDB18 has them: one file, five streams."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

TONES = (220.0, 440.0, 880.0, 1760.0, 3520.0)  # Hz, of the streams: mixture, then stems


def write_stem_mp4(path: Path, seconds: float = 1.0) -> None:
    """Five stereo AAC streams, each a tone of TONES."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(44_100 * seconds)) / 44_100
    with av.open(str(path), "w", format="mp4") as container:
        streams = [container.add_stream("aac", rate=44_100, layout="stereo") for _ in TONES]
        for stream, tone in zip(streams, TONES, strict=True):
            wave = np.tile(0.25 * np.sin(2 * np.pi * tone * time), (2, 1)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="stereo")
            frame.sample_rate = 44_100
            frame.pts = 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
