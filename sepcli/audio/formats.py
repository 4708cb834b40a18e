"""Which containers and encodings a stem may be written in, and what an input maps to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import soundfile

from sepcli.errors import UsageError

EXTENSIONS = {
    "wav": "WAV",
    "flac": "FLAC",
    "aiff": "AIFF",
    "w64": "W64",
    "caf": "CAF",
    "ogg": "OGG",
    "mp3": "MP3",
}
BITS = {"16": "PCM_16", "24": "PCM_24", "32": "PCM_32", "float": "FLOAT"}
STEP = {
    "PCM_S8": 2.0**-7,
    "PCM_U8": 2.0**-7,
    "PCM_16": 2.0**-15,
    "PCM_24": 2.0**-23,
    "PCM_32": 2.0**-31,
}
WIDTH = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
}  # bytes
ENDINGS = {
    "WAV": ("wav", "wave", "bwf"),
    "WAVEX": ("wav", "wave", "bwf"),
    "RF64": ("wav", "wave", "bwf", "rf64"),
    "FLAC": ("flac",),
    "AIFF": ("aiff", "aif", "aifc"),
    "W64": ("w64",),
    "CAF": ("caf",),
    "AU": ("au", "snd"),
}  # what files of a container are called
LARGEST_WAV = 2**32 - 2**16  # bytes; larger ones are written as RF64


@dataclass(frozen=True)
class Encoding:
    """How a stem is stored.

    Attributes:
        container: libsndfile's major format, such as WAV.
        subtype: libsndfile's sample encoding, such as PCM_16.
        extension: of the file name, without the dot.
    """

    container: str
    subtype: str
    extension: str

    @property
    def step(self) -> float | None:
        """Distance of two neighbouring sample values, None if samples are floats or lossy."""
        return STEP.get(self.subtype)

    @property
    def width(self) -> int:
        """Bytes a sample takes at most."""
        return WIDTH.get(self.subtype, 4)


def choose(source: Encoding, container: str | None, bits: str | None) -> Encoding:
    """The encoding of the stems of a recording.

    A lossless input keeps its container and bit depth, and its extension unless that means
    another format; a lossy or video input becomes float WAV, since encoding it again would lose
    more. Options override all.

    Args:
        source: the input's encoding.
        container: one of EXTENSIONS' keys, or None.
        bits: one of BITS' keys, or None.

    Raises:
        UsageError: if the container cannot hold the bit depth.
    """
    chosen = Encoding("WAV", "FLOAT", "wav")
    if (endings := ENDINGS.get(source.container)) is not None:
        own = source.extension if source.extension in endings else endings[0]
        chosen = Encoding(source.container, source.subtype, own)
    if container:
        chosen = Encoding(EXTENSIONS[container], chosen.subtype, container)
    if bits:
        chosen = Encoding(chosen.container, BITS[bits], chosen.extension)
    elif not soundfile.check_format(chosen.container, chosen.subtype):
        chosen = Encoding(chosen.container, nearest_subtype(chosen), chosen.extension)
    if not soundfile.check_format(chosen.container, chosen.subtype):
        message = f"{chosen.extension} files cannot hold {bits}-bit samples"
        raise UsageError(message, "choose another --bits, or --format wav")
    return chosen


def nearest_subtype(encoding: Encoding) -> str:
    """What a container holds that is closest to the samples wanted."""
    for subtype in ("PCM_24", "PCM_16"):
        if encoding.width > 1 and soundfile.check_format(encoding.container, subtype):
            return subtype
    return str(soundfile.default_subtype(encoding.container))


def for_libsndfile(path: Path) -> Path | bytes:
    """A path as soundfile takes it, also where it is no text, as names may be on Unix."""
    return path if os.name == "nt" else os.fsencode(path)
