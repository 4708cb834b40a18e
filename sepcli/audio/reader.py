"""Recordings in: any file that libsndfile or FFmpeg (through PyAV) can decode, in blocks.

Only local files are opened: FFmpeg may use no protocol but `file`, and no demuxer that
follows references, such as playlists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sepcli.audio.formats import Encoding
from sepcli.errors import ItemError

Wave = NDArray[np.float32]  # (samples, channels)

BLOCK_SECONDS = 1.0
MOST_CHANNELS = 64
MAX_RATE = 768_000  # Hz
DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,avi,caf,dts,eac3,flac,flv,m4a,matroska,webm,mov,mp4,mp3,mpeg,"
    "mpegts,ogg,opus,tta,wav,w64,wv,3gp,3g2,mj2,g722"
)


@dataclass(frozen=True)
class AudioInfo:
    """What is known of a recording before it is decoded.

    Attributes:
        rate: sample rate, Hz.
        channels: number of channels.
        samples: length per channel, exact for libsndfile's formats, else an estimate; 0 if unknown.
        encoding: how it is stored.
        decoder: "soundfile" or "pyav".
        stream: which of the file's audio streams, counted from 0.
    """

    path: Path
    rate: int
    channels: int
    samples: int
    encoding: Encoding
    decoder: str
    stream: int = 0

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.samples / self.rate


def probe(path: Path, stream: int = 0) -> AudioInfo:
    """Read a recording's header.

    Args:
        path: of the recording.
        stream: which of its audio streams, counted from 0; only FFmpeg's containers have more
            than one.

    Raises:
        ItemError: if it is missing, empty, not audio, of absurd dimensions, or has no such stream.
    """
    if not path.is_file():
        raise ItemError(f"no such file: {path}", "check the path")
    if path.stat().st_size == 0:
        raise ItemError(f"empty file: {path}", "record or download it again")
    try:
        info = _probe_soundfile(path) if stream == 0 else _probe_av(path, stream)
    except soundfile.LibsndfileError:
        info = _probe_av(path, stream)
    if not (0 < info.channels <= MOST_CHANNELS and 1000 <= info.rate <= MAX_RATE):
        message = f"{path}: {info.channels} channels at {info.rate} Hz"
        raise ItemError(message, f"sepcli takes 1 to {MOST_CHANNELS} channels, 1 to 768 kHz")
    return info


def blocks(info: AudioInfo, start: float = 0.0, duration: float | None = None) -> Iterator[Wave]:
    """Decode a recording, or a part of it, in blocks of about a second.

    Args:
        info: from `probe`.
        start: seconds to leave out at the beginning.
        duration: seconds to decode, None for all.

    Yields:
        (samples, channels), float32, full scale at 1.

    Raises:
        ItemError: if the file turns out damaged, or holds values that are not numbers.
    """
    first = round(start * info.rate)
    left = None if duration is None else round(duration * info.rate)
    decode = _decode_soundfile if info.decoder == "soundfile" else _decode_av
    for block in decode(info, first):
        part = block if left is None else block[:left]
        if not np.isfinite(part).all():
            raise ItemError(
                f"{info.path} holds NaN or infinite samples", "repair it with a clean export"
            )
        if len(part):
            yield part
        if left is not None:
            left -= len(part)
            if left <= 0:
                return


def _probe_soundfile(path: Path) -> AudioInfo:
    with soundfile.SoundFile(path) as file:
        encoding = Encoding(file.format, file.subtype, path.suffix.lstrip(".").lower() or "wav")
        return AudioInfo(path, file.samplerate, file.channels, file.frames, encoding, "soundfile")


def _decode_soundfile(info: AudioInfo, first: int) -> Iterator[Wave]:
    size = max(1, round(BLOCK_SECONDS * info.rate))
    try:
        with soundfile.SoundFile(info.path) as file:
            file.seek(min(first, file.frames))
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                yield block
    except (soundfile.LibsndfileError, OSError) as error:
        raise ItemError(f"cannot decode {info.path}: {error}", "the file may be damaged") from error


def _probe_av(path: Path, index: int) -> AudioInfo:
    import av

    try:
        with av.open(str(path), options=local_only()) as container:
            if not container.streams.audio:
                raise ItemError(f"no audio in {path}", "give a file with an audio stream")
            if index >= len(container.streams.audio):
                raise ItemError(
                    f"no audio stream {index} in {path}", "give the file it was cut from"
                )
            stream = container.streams.audio[index]
            seconds = (container.duration or 0) / 1e6
            if stream.duration and stream.time_base:
                seconds = float(stream.duration * stream.time_base)
            samples = round(seconds * stream.rate)
            encoding = Encoding("FFMPEG", stream.codec_context.name, path.suffix.lstrip("."))
            return AudioInfo(path, stream.rate, stream.channels, samples, encoding, "pyav", index)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise ItemError(
            f"cannot read {path} as audio: {error}", "convert it to WAV or FLAC first"
        ) from error


def _decode_av(info: AudioInfo, first: int) -> Iterator[Wave]:
    import av

    skip = first
    try:
        with av.open(str(info.path), options=local_only()) as container:
            planar = av.AudioResampler(format="fltp", rate=info.rate)
            for frame in container.decode(container.streams.audio[info.stream]):
                for part in planar.resample(frame):
                    wave = part.to_ndarray().T
                    if wave.shape[1] != info.channels:
                        raise ItemError(
                            f"{info.path} changes from {info.channels} to {wave.shape[1]} channels",
                            "convert it to WAV first",
                        )
                    block = np.ascontiguousarray(wave[skip:], dtype=np.float32)
                    skip = max(0, skip - len(wave))
                    yield block
    except (av.FFmpegError, ValueError, OSError) as error:
        raise ItemError(f"cannot decode {info.path}: {error}", "the file may be damaged") from error


def local_only() -> dict[str, str]:
    """Options of FFmpeg with which a file can make it open nothing but itself."""
    return {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
