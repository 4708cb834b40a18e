"""Recordings in: any file that libsndfile or FFmpeg (through PyAV) can decode, in blocks.

Only local files are opened: FFmpeg may use no protocol but `file`, and no demuxer that
follows references, such as playlists.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from numpy.typing import NDArray

from sepcli.audio.flac import Checksum
from sepcli.audio.formats import Encoding, for_libsndfile
from sepcli.audio.headers import promise_of
from sepcli.audio.ogg import survey
from sepcli.errors import ItemError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Wave = NDArray[np.float32]  # (samples, channels)

BLOCK_SECONDS = 1.0
MOST_CHANNELS = 64
MIN_RATE, MAX_RATE = 1000, 768_000  # Hz
DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,avi,caf,dts,eac3,flac,flv,m4a,matroska,webm,mov,mp4,mp3,mpeg,"
    "mpegts,ogg,opus,tta,wav,w64,wv,3gp,3g2,mj2,g722"
)
MOST_PER_BYTE = 6554  # samples that a byte can stand for: FLAC's longest frame of silence
ENDLESS = 2**63 - 1  # samples that libsndfile gives a stream, whose end it then takes for damage
# libsndfile is only given what begins so, and formats that FFmpeg does not know: it takes much
# else for MP3, and its decoder for that prints what it thinks of it.
LIBSNDFILE = {b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"caff", b"riff", b".snd"}
RARE = {".voc", ".paf", ".svx", ".nist", ".sph", ".ircam", ".sf", ".pvf", ".htk", ".avr", ".sds"}
ID3, ID3_HEAD = b"ID3", 10  # a tag before the sound, and bytes that say how long it is
NO_RECORDING = "check that it is a whole recording, or convert it to WAV or FLAC first"
DAMAGED = "fetch or export it again"


@dataclass(frozen=True)
class AudioInfo:
    """What is known of a recording before it is decoded.

    Attributes:
        rate: sample rate, Hz.
        channels: number of channels.
        samples: length per channel, exact for libsndfile's formats, else an estimate; 0 if unknown,
            or more than the file can hold.
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
    try:
        if path.stat().st_size == 0:
            raise ItemError(f"empty file: {path}", "record or download it again")
        info = _probe(path, stream)
    except OSError as error:
        raise ItemError(f"cannot read {path}: {error.strerror}", "check the file") from error
    if not (0 < info.channels <= MOST_CHANNELS and MIN_RATE <= info.rate <= MAX_RATE):
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
        ItemError: if the file turns out damaged, or holds no samples, or values that are not
            numbers.
    """
    first = round(start * info.rate)
    left = None if duration is None else round(duration * info.rate)
    decode = _decode_soundfile if info.decoder == "soundfile" else _decode_av
    heard = 0
    for block in decode(info, first):
        part = block if left is None else block[:left]
        heard += len(part)
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
    if not heard and not first:
        raise ItemError(f"{info.path} holds no samples", DAMAGED)


def _probe(path: Path, stream: int) -> AudioInfo:
    promise = promise_of(path)
    if promise and not promise.block:
        message = f"{path}: its header contradicts itself on how long a sample is"
        raise ItemError(message, NO_RECORDING)
    if stream == 0 and _beginning(path) in LIBSNDFILE:
        with suppress(soundfile.LibsndfileError):  # FFmpeg knows more codings
            return _probe_soundfile(path)
    try:
        return _probe_av(path, stream)
    except ItemError:
        if path.suffix.lower() not in RARE:
            raise
    try:
        return _probe_soundfile(path)
    except soundfile.LibsndfileError as error:
        raise _no_recording(path) from error


def _beginning(path: Path) -> bytes:
    """The first four bytes of a file, or of what follows its ID3 tag."""
    with path.open("rb") as file:
        head = file.read(ID3_HEAD)
        if not head.startswith(ID3) or len(head) < ID3_HEAD:
            return head[:4]
        size = sum((byte & 0x7F) << 7 * power for power, byte in enumerate(head[:5:-1]))
        file.seek(ID3_HEAD + size)
        return file.read(4)


def _probe_soundfile(path: Path) -> AudioInfo:
    with soundfile.SoundFile(for_libsndfile(path)) as file:
        encoding = Encoding(file.format, file.subtype, path.suffix.lstrip(".").lower())
        decoder = "pyav" if file.frames == ENDLESS or _was_left_open(path) else "soundfile"
        samples = _believed(file.frames, path)
        return AudioInfo(path, file.samplerate, file.channels, samples, encoding, decoder)


def _was_left_open(path: Path) -> bool:
    """Whether a header promises no samples, but something follows: its recorder was cut off."""
    promise = promise_of(path)
    return promise is not None and promise.size == 0 and promise.more > 0


def _believed(samples: int, path: Path) -> int:
    """A number of samples, 0 if it is unknown or more than a file of that size can hold."""
    return samples if 0 <= samples <= MOST_PER_BYTE * path.stat().st_size else 0


def _decode_soundfile(info: AudioInfo, first: int) -> Iterator[Wave]:
    size, heard = max(1, round(BLOCK_SECONDS * info.rate)), min(first, info.samples or first)
    try:
        with soundfile.SoundFile(for_libsndfile(info.path)) as file:
            checksum = Checksum(info.path) if file.format == "FLAC" and not first else None
            if file.format == "OGG" and not survey(info.path).whole:
                raise ItemError(f"{info.path} is damaged: pages are broken or missing", DAMAGED)
            file.seek(heard)
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                heard += len(block)
                if checksum:
                    checksum.add(block)
                yield block
    except (soundfile.LibsndfileError, OSError) as error:
        raise _damaged(info, heard) from error
    if heard < info.samples or (checksum and not checksum.agrees()):
        raise _damaged(info, heard)


def _probe_av(path: Path, index: int) -> AudioInfo:
    with _opened(path) as container:
        if not container.streams.audio:
            raise ItemError(f"no audio in {path}", "give a file with an audio stream")
        if index >= len(container.streams.audio):
            raise ItemError(f"no audio stream {index} in {path}", "give the file it was cut from")
        stream = container.streams.audio[index]
        if stream.codec_context is None:
            raise ItemError(f"{path}: no decoder for its sound", NO_RECORDING)
        rate, channels = stream.rate or 0, stream.channels
        seconds = (container.duration or 0) / 1e6
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        samples = _believed(round(seconds * rate), path)
        encoding = Encoding("FFMPEG", stream.codec_context.name, path.suffix.lstrip("."))
        return AudioInfo(path, rate, channels, samples, encoding, "pyav", index)


def _decode_av(info: AudioInfo, first: int) -> Iterator[Wave]:
    import av

    heard = 0
    with _opened(info.path) as container:
        try:
            for wave in _waves(container, container.streams.audio[info.stream], info):
                block = wave[max(0, first - heard) :]
                heard += len(wave)
                yield block
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError, OSError) as error:
            raise _damaged(info, heard) from error


def _waves(container: InputContainer, stream: AudioStream, info: AudioInfo) -> Iterator[Wave]:
    import av

    # Packed, since PyAV reads beyond the planes of more than 7 channels.
    packed = av.AudioResampler(format="flt", rate=info.rate)
    for frame in container.decode(stream):
        for part in packed.resample(frame):
            channels = part.layout.nb_channels
            if channels != info.channels:
                raise ItemError(
                    f"{info.path} changes from {info.channels} to {channels} channels",
                    "convert it to WAV first",
                )
            yield part.to_ndarray().reshape(-1, channels).astype(np.float32, copy=False)


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """A file opened by FFmpeg; tags may be in any alphabet.

    Raises:
        ItemError: if it is no recording.
    """
    import av

    try:
        container = av.open(str(path), options=local_only(), metadata_errors="ignore")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise _no_recording(path) from error
    with container:
        yield container


def _no_recording(path: Path) -> ItemError:
    message = f"cannot read {path} as audio: it is damaged, or no recording"
    return ItemError(message, NO_RECORDING)


def _damaged(info: AudioInfo, heard: int) -> ItemError:
    message = f"{info.path} is damaged: it can be decoded up to {heard / info.rate:.2f} s"
    return ItemError(message, DAMAGED)


def local_only() -> dict[str, str]:
    """Options of FFmpeg with which a file can make it open nothing but itself."""
    return {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
