"""Recordings of many kinds, good and bad."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from sepcli.audio.reader import blocks, probe
from sepcli.errors import ItemError

Recording = Callable[..., Path]

ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def encode(source: Path, target: str, *options: str) -> Path:
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, target]
    subprocess.run(command, check=True)
    return Path(target)


def decode(path: Path, **part: float) -> np.ndarray:
    return np.concatenate(list(blocks(probe(path), **part)))


def test_libsndfile_formats(recording: Recording) -> None:
    path = recording(seconds=2.5, channels=3, rate=11025)
    info = probe(path)
    assert (info.rate, info.channels, info.samples) == (11025, 3, 27562)
    assert (info.encoding.container, info.encoding.subtype) == ("WAV", "FLOAT")
    np.testing.assert_array_equal(decode(path), soundfile.read(path)[0])


def test_parts(recording: Recording) -> None:
    path = recording(seconds=5)
    whole = decode(path)
    np.testing.assert_array_equal(decode(path, start=1.25, duration=2.5), whole[10000:30000])
    np.testing.assert_array_equal(decode(path, start=4.5, duration=9), whole[36000:])


@ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ("-c:a", "aac")),
        ("a.mka", ("-c:a", "ac3")),
        ("a.wma", ()),
    ],
)
def test_formats_only_ffmpeg_knows(
    recording: Recording, name: str, options: tuple[str, ...]
) -> None:
    path = encode(recording(rate=44100, seconds=3), name, *options)
    info = probe(path)
    assert (info.decoder, info.rate, info.channels) == ("pyav", 44100, 2)
    assert info.seconds == pytest.approx(3, abs=0.2)
    wave = decode(path)
    assert len(wave) / 44100 == pytest.approx(3, abs=0.1)
    assert 0.1 < np.abs(wave).mean() < 0.4
    part = decode(path, start=1, duration=1)
    np.testing.assert_array_equal(part, wave[44100:88200])


@ffmpeg
def test_the_sound_of_a_video(recording: Recording) -> None:
    source = recording(rate=48000, seconds=2)
    picture = ("-f", "lavfi", "-i", "color=black:s=64x64:d=2")
    path = encode(source, "film.mp4", *picture, "-c:a", "aac", "-shortest")
    assert probe(path).rate == 48000
    assert len(decode(path)) > 90_000


@ffmpeg
def test_a_video_without_sound_is_refused() -> None:
    command = "ffmpeg -v error -f lavfi -i color=black:s=64x64:d=1 silent.mp4"
    subprocess.run(command.split(), check=True)
    with pytest.raises(ItemError, match="no audio"):
        probe(Path("silent.mp4"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.wav", b"hello"),
        ("noise.mp3", bytes(range(256)) * 40),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"),
        ("list.wav", b"ffconcat version 1.0\nfile 'mix.wav'\n"),
        ("cut.flac", b"fLaC\x00\x00\x00\x22"),
        ("header.wav", b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\x00\x00\x00"),
    ],
)
def test_what_is_no_recording_is_refused(recording: Recording, name: str, content: bytes) -> None:
    recording()
    Path(name).write_bytes(content)
    with pytest.raises(ItemError) as caught:
        decode(Path(name))
    assert caught.value.remedy


def test_missing_and_empty_files() -> None:
    with pytest.raises(ItemError, match="no such file"):
        probe(Path("nowhere.wav"))
    Path("empty.wav").touch()
    with pytest.raises(ItemError, match="empty"):
        probe(Path("empty.wav"))


def test_urls_are_not_files() -> None:
    with pytest.raises(ItemError, match="no such file"):
        probe(Path("http://127.0.0.1:9/a.wav"))


def test_not_a_number_is_refused() -> None:
    wave = np.zeros((100, 1), np.float32)
    wave[50] = np.inf
    soundfile.write("inf.wav", wave, 8000, "FLOAT")
    with pytest.raises(ItemError, match="NaN or infinite"):
        decode(Path("inf.wav"))


def test_absurd_rates_are_refused(recording: Recording) -> None:
    with pytest.raises(ItemError, match="500 Hz"):
        probe(recording(rate=500))


def test_one_stream_of_several() -> None:
    waves = [np.full((2, 9000), level, np.int16) for level in (1000, -2000)]
    with av.open("two.mka", "w") as container:
        streams = [container.add_stream("flac", rate=8000, layout="stereo") for _ in waves]
        for stream, wave in zip(streams, waves, strict=True):
            frame = av.AudioFrame.from_ndarray(wave.T.reshape(1, -1), "s16", "stereo")
            frame.sample_rate, frame.pts = 8000, 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
    for index, wave in enumerate(waves):
        info = probe(Path("two.mka"), index)
        assert (info.stream, info.decoder, info.rate, info.channels) == (index, "pyav", 8000, 2)
        np.testing.assert_array_equal(np.concatenate(list(blocks(info))) * 2**15, wave.T)
    with pytest.raises(ItemError, match=r"no audio stream 2 in two\.mka"):
        probe(Path("two.mka"), 2)


def test_a_wave_file_has_one_stream(recording: Recording) -> None:
    with pytest.raises(ItemError, match=r"no audio stream 1 in mix\.wav"):
        probe(recording(), 1)
