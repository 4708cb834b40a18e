"""Small real recordings in the formats that people have."""

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
import soundfile

from benchmarks.soak.mutants.case import Wave

CLIPS = Path(__file__).parents[3] / "tests/data/esc10"
CLIP = CLIPS / "3-144028-A.ogg"  # a dog
RATE = 44_100
SECONDS = 1.5
AAC_FRAME = 1024  # samples


@dataclass(frozen=True)
class Original:
    """A recording before anything happens to it.

    Attributes:
        extension: of its format.
        content: the file.
        truth: what it holds, (samples, channels).
    """

    extension: str
    content: bytes
    truth: Wave


def real_sound(seconds: float = SECONDS, channels: int = 2) -> Wave:
    """A real recording, (samples, channels), peak 0.5: its loudest part, or all over and over.

    Channels differ.
    """
    length = round(seconds * RATE)
    part = np.resize(clip(), length) if length >= len(clip()) else loudest(clip(), length)
    part = 0.5 * part / np.abs(part).max()
    return np.stack([np.roll(part, 37 * channel) for channel in range(channels)], axis=1)


def loudest(wave: Wave, length: int) -> Wave:
    """The part of a wave (samples,) with the most energy."""
    energy = np.cumsum(np.square(wave, dtype=np.float64))
    start = int((energy[length:] - energy[:-length]).argmax())
    return wave[start : start + length]


@cache
def clip() -> Wave:
    """The real recording, (samples,)."""
    wave: Wave = soundfile.read(CLIP, dtype="float32")[0]
    return wave


def encoded(wave: Wave, container: str, subtype: str, rate: int = RATE) -> bytes:
    """A file that libsndfile writes."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, wave.shape[1], subtype, format=container) as target:
        for start in range(0, len(wave), 4096):  # Vorbis cannot take a long block at once
            target.write(wave[start : start + 4096])
    return file.getvalue()


def aac(wave: Wave, container: str, rate: int = RATE, early_index: bool = False) -> bytes:
    """A file with AAC that FFmpeg writes; its index at the end, unless it is to come early."""
    options = {"movflags": "+faststart"} if early_index else {}
    with tempfile.TemporaryDirectory() as folder:  # an index is moved by reading the file again
        path = Path(folder) / "made"
        with av.open(str(path), "w", format=container, options=options) as target:
            layout = "mono" if wave.shape[1] == 1 else "stereo"
            stream = target.add_stream("aac", rate=rate, layout=layout)
            for start in range(0, len(wave), AAC_FRAME):
                part = np.ascontiguousarray(wave[start : start + AAC_FRAME].T)
                frame = av.AudioFrame.from_ndarray(part, "fltp", layout)
                frame.sample_rate, frame.pts = rate, start
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
        return path.read_bytes()


ENCODERS: dict[str, Callable[[Wave], bytes]] = {
    "wav": lambda wave: encoded(wave, "WAV", "PCM_16"),
    "float.wav": lambda wave: encoded(wave, "WAV", "FLOAT"),
    "flac": lambda wave: encoded(wave, "FLAC", "PCM_16"),
    "ogg": lambda wave: encoded(wave, "OGG", "VORBIS"),
    "mp3": lambda wave: encoded(wave, "MP3", "MPEG_LAYER_III"),
    "m4a": lambda wave: aac(wave, "ipod"),
    "mp4": lambda wave: aac(wave, "mp4", early_index=True),
    "aiff": lambda wave: encoded(wave, "AIFF", "PCM_24"),
}


def originals() -> list[Original]:
    """The recording in every format, with what a decoder makes of it."""
    wave = real_sound()
    contents = {extension: encode(wave) for extension, encode in ENCODERS.items()}
    return [Original(ext, content, decoded(content)) for ext, content in contents.items()]


def decoded(content: bytes) -> Wave:
    """What FFmpeg's decoders make of a file, (samples, channels)."""
    parts = []
    with av.open(io.BytesIO(content)) as file:
        packed = av.AudioResampler(format="flt")  # PyAV crashes with more than 8 planes
        for frame in [*file.decode(audio=0), None]:
            parts += [p.to_ndarray().reshape(p.samples, -1) for p in packed.resample(frame)]
    return np.concatenate(parts)
