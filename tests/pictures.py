"""Images and videos in which it is known what is where."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FPS = 10
WIDE, HIGH = 64, 48  # pixels


def shade(frame: int) -> int:
    """Of grey, of a video's frame: 10, 30, 50, ..."""
    return 10 + 20 * frame


def write_video(path: Path, frames: int = 10, rotation: int = 0) -> Path:
    """Grey frames, `FPS` a second, with a key frame for every four."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDE, HIGH, "yuv420p", 4
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(frames):
            pixels = np.full((HIGH, WIDE, 3), shade(number), np.uint8)
            if rotation:
                pixels[:, : WIDE // 2] = 255  # white on the left, as it is stored
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def write_film(path: Path, wave: NDArray[np.float32], rate: int) -> Path:
    """A second of grey frames, and the sound (samples, 2) as AAC."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=FPS)
        picture.width, picture.height, picture.pix_fmt = WIDE, HIGH, "yuv420p"
        sound = container.add_stream("aac", rate=rate, layout="stereo")
        images = [
            av.VideoFrame.from_ndarray(np.full((HIGH, WIDE, 3), shade(n), np.uint8), format="rgb24")
            for n in range(FPS)
        ]
        samples = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave.T), "fltp", "stereo")
        samples.sample_rate, samples.pts = rate, 0
        for stream, frames in ((picture, images), (sound, [samples])):
            for frame in [*frames, None]:
                for packet in stream.encode(frame):
                    container.mux(packet)
    return path


def write_image(path: Path, seed: int = 0, wide: int = 90, high: int = 61) -> Path:
    """Coloured noise over a slope."""
    noise = np.random.default_rng(seed).uniform(0, 120, (high, wide, 3))
    pixels = (noise + np.linspace(0, 120, wide)[None, :, None]).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path
