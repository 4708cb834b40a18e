"""Recordings that something happened to: told of or refused, never quietly wrong."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from sepcli.audio.doubts import doubts
from sepcli.audio.flac import Checksum
from sepcli.audio.ogg import Survey, checksum, survey
from sepcli.audio.reader import blocks, probe
from sepcli.errors import ItemError

Noise = Callable[..., np.ndarray]
Recording = Callable[..., Path]


def written(noise: Noise, name: str, subtype: str | None = None, seconds: float = 3.0) -> Path:
    soundfile.write(name, noise(seconds), 8000, subtype)
    return Path(name)


def decode(path: Path) -> np.ndarray:
    return np.concatenate(list(blocks(probe(path))))


def pages(content: bytes) -> list[int]:
    return [at for at in range(len(content)) if content.startswith(b"OggS", at)]


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
def test_the_checksum_of_a_flac(noise: Noise, subtype: str) -> None:
    path = written(noise, "a.flac", subtype)
    wave = decode(path)
    good, bad, cut = Checksum(path), Checksum(path), Checksum(path)
    for part in np.array_split(wave, 3):
        good.add(part)
    assert good.agrees()
    wave[12_345, 1] += 2**-7
    bad.add(wave)
    cut.add(wave[:-1])
    assert not bad.agrees()
    assert not cut.agrees()


@pytest.mark.parametrize(
    ("at", "value"),
    [(26, b"\x55" * 16), (22, struct.pack(">I", 1000)), (22, struct.pack(">I", 90_000))],
    ids=["another sound", "fewer samples", "more samples"],
)
def test_a_flac_that_its_header_contradicts(noise: Noise, at: int, value: bytes) -> None:
    path = written(noise, "a.flac", "PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[:at] + value + content[at + len(value) :])
    with pytest.raises(ItemError, match=r"a\.flac is damaged"):
        decode(path)


def test_a_flac_without_checksum_or_length_is_whole(noise: Noise) -> None:
    path = written(noise, "a.flac", "PCM_16")
    wave, content = decode(path), path.read_bytes()
    path.write_bytes(content[:26] + bytes(16) + content[42:])
    np.testing.assert_array_equal(decode(path), wave)
    path.write_bytes(content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:])
    info = probe(path)
    assert (info.samples, info.encoding.container) == (0, "FLAC")
    np.testing.assert_array_equal(decode(path), wave)


def test_a_part_of_a_flac_is_not_compared_with_the_whole(noise: Noise) -> None:
    info = probe(written(noise, "a.flac", "PCM_16"))
    assert sum(map(len, blocks(info, 1.0))) == 16_000
    assert sum(map(len, blocks(info, 0.0, 1.0))) == 8_000


def test_more_than_a_file_can_hold_is_not_believed(noise: Noise) -> None:
    path = written(noise, "a.flac", "PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[:21] + bytes([content[21] | 0x0F]) + b"\xff" * 4 + content[26:])
    assert probe(path).samples == 0


def test_the_checksum_of_a_page() -> None:
    assert checksum(b"123456789") == 0x89A1897F  # known of this polynomial, from nought


def test_pages_of_an_ogg(noise: Noise) -> None:
    path = written(noise, "a.ogg", seconds=30)
    content = path.read_bytes()
    at = pages(content)
    assert len(at) > 4
    cases = {
        "whole": (content, Survey(True, True, False)),
        "junk behind": (content + bytes(500), Survey(True, True, False)),
        "cut in a page": (content[:-10], Survey(True, False, False)),
        "cut between pages": (content[: at[-1]], Survey(True, False, False)),
        "a page is missing": (content[: at[2]] + content[at[3] :], Survey(False, True, False)),
        "a byte is wrong": (
            content[: at[3] + 99] + bytes([content[at[3] + 99] ^ 1]) + content[at[3] + 100 :],
            Survey(False, True, False),
        ),
        "bytes are missing": (content[: at[3] + 50] + content[at[3] + 90 :], None),
        "two in a row": (content + content, Survey(True, True, True)),
        "nothing": (b"", Survey(True, False, False)),
    }
    for name, (changed, expected) in cases.items():
        path.write_bytes(changed)
        assert survey(path) == expected if expected else not survey(path).whole, name


def test_damaged_oggs_are_refused_and_cut_ones_told_of(noise: Noise) -> None:
    path = written(noise, "a.ogg", seconds=30)
    content = path.read_bytes()
    at = pages(content)
    path.write_bytes(content[: at[2]] + content[at[3] :])
    with pytest.raises(ItemError, match="pages are broken or missing"):
        decode(path)
    for changed, told in (
        (content[: at[-1]], "it breaks off after"),
        (content + content, "only its first recording was separated"),
    ):
        path.write_bytes(changed)
        (doubt,) = doubts(probe(path), 0.0, None, len(decode(path)))
        assert doubt.startswith(told)


def test_a_cut_mp3_is_told_of(noise: Noise) -> None:
    path = written(noise, "a.mp3", seconds=6)
    whole = decode(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    info, wave = probe(path), decode(path)
    assert len(wave) < len(whole)
    (doubt,) = doubts(info, 0.0, None, len(wave))
    assert doubt.endswith("but its header promises 6.00 s")


def test_nothing_but_events_on_standard_error(noise: Noise) -> None:
    path = written(noise, "a.mp3")
    path.write_bytes(b"ID3\x04\0\0" + bytes(4) + path.read_bytes()[:-2000])
    Path("zeros.mp3").write_bytes(bytes(5000))
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from sepcli.audio.reader import blocks, probe\nfrom sepcli.errors import ItemError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        list(blocks(probe(Path(name))))\n"
        "    except ItemError:\n        pass\n"
    )
    command = [sys.executable, "-c", script, "a.mp3", "zeros.mp3"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == ""


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.aiff", "a.mp3"])
def test_recordings_without_samples(name: str) -> None:
    soundfile.write(name, np.zeros((0, 2)), 8000)
    with pytest.raises(ItemError):
        decode(Path(name))


def test_eight_channels_and_more_through_ffmpeg(noise: Noise) -> None:
    wave = noise(seconds=1, channels=8)
    with av.open("a.mka", "w") as container:
        stream = container.add_stream("pcm_f32le", rate=8000, layout="7.1")
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), "flt", "7.1")
        frame.sample_rate, frame.pts = 8000, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    info = probe(Path("a.mka"))
    assert (info.decoder, info.channels) == ("pyav", 8)
    np.testing.assert_array_equal(decode(Path("a.mka")), wave)


def test_tags_in_no_known_alphabet(noise: Noise) -> None:
    path = written(noise, "a.mp3")
    path.write_bytes(path.read_bytes() + b"TAG" + b"\xff" * 125)
    assert len(decode(path)) == 24_000


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text(recording: Recording) -> None:
    wave = decode(recording())
    odd = Path(os.fsdecode(b"caf\xe9.wav"))
    Path("mix.wav").rename(odd)
    np.testing.assert_array_equal(decode(odd), wave)


def test_what_a_name_says_does_not_matter(noise: Noise) -> None:
    wave = noise()
    for container, name in (("WAV", "a.mp3"), ("FLAC", "b.wav"), ("AIFF", "c.mp4")):
        soundfile.write(name, wave, 8000, "PCM_16", format=container)
        info = probe(Path(name))
        assert (info.decoder, info.encoding.container) == ("soundfile", container)


def test_rare_formats_go_to_libsndfile(noise: Noise) -> None:
    soundfile.write("a.voc", noise()[:, :1], 8000, "PCM_16", format="VOC")
    assert probe(Path("a.voc")).encoding.container == "VOC"
    Path("b.voc").write_bytes(bytes(100))
    with pytest.raises(ItemError, match="no recording"):
        probe(Path("b.voc"))


def test_a_coding_without_a_decoder(recording: Recording) -> None:
    content = bytearray(recording(subtype="PCM_16").read_bytes())
    struct.pack_into("<H", content, 20, 0x4321)
    Path("odd.wav").write_bytes(content)
    with pytest.raises(ItemError, match="no decoder"):
        probe(Path("odd.wav"))


def test_half_a_megabyte_that_claims_terabytes_takes_no_memory(noise: Noise) -> None:
    file = io.BytesIO()
    soundfile.write(file, noise(), 8000, "PCM_16", format="AIFF")
    content = bytearray(file.getvalue())
    at = bytes(content).index(b"COMM") + 10
    struct.pack_into(">I", content, at, 0xFFFF_FFFF)
    Path("a.aiff").write_bytes(content)
    info = probe(Path("a.aiff"))
    assert max(map(len, blocks(info))) <= 8000
    (doubt,) = doubts(info, 0.0, None, 24_000)
    assert doubt.startswith("it ends after 3.00 s, but its header promises 536870.")
