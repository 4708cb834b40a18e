"""What headers promise, and what decoders would keep to themselves."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.audio.doubts import doubts
from sepcli.audio.headers import Promise, promise_of
from sepcli.audio.reader import blocks, probe
from sepcli.errors import ItemError

Recording = Callable[..., Path]

DATA_SIZE, BYTE_RATE, BITS = 40, 28, 34  # offsets in a 16-bit WAV


def doubts_of(path: Path, start: float = 0.0, duration: float | None = None) -> list[str]:
    info = probe(path)
    heard = sum(map(len, blocks(info, start, duration)))
    return list(doubts(info, start, duration, heard))


def patched(path: Path, at: int, kind: str, value: int) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into(kind, content, at, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("container", "subtype", "block"),
    [
        ("WAV", "PCM_16", 4),
        ("WAV", "FLOAT", 8),
        ("WAVEX", "PCM_24", 6),
        ("RF64", "PCM_16", 4),
        ("W64", "DOUBLE", 16),
        ("AIFF", "PCM_24", 6),
        ("AIFF", "FLOAT", 8),
    ],
)
def test_promises_of_whole_and_cut_files(
    noise: Callable[..., np.ndarray], container: str, subtype: str, block: int
) -> None:
    path = Path("a.bin")
    soundfile.write(path, noise(seconds=2), 8000, subtype, format=container)
    promise = promise_of(path)
    assert promise is not None
    assert (promise.size, promise.block) == (16_000 * block, block)
    assert path.read_bytes()[promise.start :][: 2 * block] != bytes(2 * block)
    assert doubts_of(path) == []
    path.write_bytes(path.read_bytes()[: promise.start + 4000 * block])
    (doubt,) = doubts_of(path)
    assert doubt == "it ends after 0.50 s, but its header promises 2.00 s"
    assert doubts_of(path, 0.125, 0.25) == []
    assert doubts_of(path, 0.125, 0.5) == [doubt]


def test_samples_are_where_the_promise_says(recording: Recording) -> None:
    path = recording(seconds=1)
    promise = promise_of(path)
    assert promise is not None
    wave = np.frombuffer(path.read_bytes()[promise.start :][: promise.size], "<f4")
    np.testing.assert_array_equal(wave.reshape(-1, 2), soundfile.read(path)[0])


def test_streams_leave_their_length_open(recording: Recording) -> None:
    path = patched(recording(subtype="PCM_16", seconds=1), DATA_SIZE, "<I", 0xFFFF_FFFF)
    assert promise_of(path) == Promise(44, None, 4, 32_000)
    assert doubts_of(path) == []


@pytest.mark.parametrize("size", [0x7FFF_FFFF, 0xFFFF_FFF0])
def test_gigabytes_that_are_not_there(recording: Recording, size: int) -> None:
    path = patched(recording(subtype="PCM_16", seconds=1), DATA_SIZE, "<I", size)
    (doubt,) = doubts_of(path)
    assert doubt.startswith("it ends after 1.00 s, but its header promises ")
    assert probe(path).samples == 8000


def test_a_header_that_promises_nothing_or_too_little(recording: Recording) -> None:
    path = patched(recording(subtype="PCM_16", seconds=1), DATA_SIZE, "<I", 0)
    assert doubts_of(path) == ["its header promises no samples: what follows was taken for sound"]
    assert doubts_of(patched(path, DATA_SIZE, "<I", 16_000)) == [
        "16000 bytes follow what its header promises, and were left out"
    ]


def test_chunks_after_the_samples_are_no_sound(recording: Recording) -> None:
    path = recording(subtype="PCM_16", seconds=1)
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 4000) + bytes(4000))
    assert doubts_of(path) == []


def test_a_rate_that_the_header_contradicts(recording: Recording) -> None:
    path = patched(recording(subtype="PCM_16", seconds=1), BYTE_RATE, "<I", 44_100)
    assert doubts_of(path) == ["its header contradicts itself: 8000 Hz, 44100 bytes a second"]


@pytest.mark.parametrize(("at", "value"), [(BITS, 7), (BITS, 0), (32, 3), (22, 33)])
def test_samples_of_no_length(recording: Recording, at: int, value: int) -> None:
    path = patched(recording(subtype="PCM_16", seconds=1), at, "<H", value)
    with pytest.raises(ItemError, match="contradicts itself on how long a sample is"):
        probe(path)


def test_compressed_wavs_promise_nothing(recording: Recording) -> None:
    path = recording(subtype="IMA_ADPCM")
    assert promise_of(path) is None
    assert doubts_of(path) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"RIFF\0\0\0\0WAVE",
        b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0data\4\0\0\0abcd",
        b"FORM\0\0\0\0AIFFCOMM\0\0\0\2\0\1SSND\0\0\0\4abcd",
        b"RIFF\0\0\0\0WAVE" + b"junk\xff\xff\xff\xff",
        b"riff" + bytes(100),
        b"fLaC" + bytes(100),
    ],
)
def test_headers_that_are_no_headers(content: bytes) -> None:
    Path("a.wav").write_bytes(content)
    assert promise_of(Path("a.wav")) is None


def test_big_endian_wavs(noise: Callable[..., np.ndarray]) -> None:
    soundfile.write("a.wav", noise(seconds=1), 8000, "PCM_16", endian="BIG")
    assert Path("a.wav").read_bytes().startswith(b"RIFX")
    assert promise_of(Path("a.wav")) == Promise(44, 32_000, 4, 32_000)
