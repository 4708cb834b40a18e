"""Clips in memory: decoded as they are, kept while there is room, never silence in disguise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from stem_mp4 import TONES, write_stem_mp4

from sepcli.errors import ItemError
from sepcli.training.corpora import sounds as module
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.sounds import GIB, SilentClip, Sound, Sounds, decode, load

AClip = Callable[..., Clip]


def tone(hertz: float, rate: int, seconds: float = 1.0) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def test_channels_are_averaged(tmp_path: Path, a_clip: AClip) -> None:
    wave = np.stack([0.5 * tone(300, 8000), 0.1 * tone(300, 8000)], axis=1)
    soundfile.write(tmp_path / "a.wav", wave, 8000, "DOUBLE")
    sound = load(a_clip(tmp_path / "a.wav"), 8000)
    np.testing.assert_allclose(sound.wave, 0.3 * tone(300, 8000), atol=2e-4)


def test_sounds_are_resampled(tmp_path: Path, a_clip: AClip) -> None:
    soundfile.write(tmp_path / "a.wav", 0.5 * tone(1000, 44_100), 44_100, "DOUBLE")
    sound = load(a_clip(tmp_path / "a.wav"), 16_000)
    assert (sound.rate, len(sound.wave)) == (16_000, 16_000)
    middle = slice(1000, -1000)
    np.testing.assert_allclose(sound.wave[middle], 0.5 * tone(1000, 16_000)[middle], atol=1e-3)


def test_a_clip_may_be_a_part_of_a_file(tmp_path: Path, a_clip: AClip) -> None:
    ramp = np.arange(1, 16_001) / 2**15
    soundfile.write(tmp_path / "a.wav", ramp, 16_000, "DOUBLE")
    wave, rate = decode(a_clip(tmp_path / "a.wav", start=0.5, duration=0.25))
    assert rate == 16_000
    np.testing.assert_allclose(wave, ramp[8000:12_000])
    wave, _ = decode(a_clip(tmp_path / "a.wav", start=0.9))
    np.testing.assert_allclose(wave, ramp[14_400:])


def test_streams_of_one_file_are_told_apart(tmp_path: Path, a_clip: AClip) -> None:
    write_stem_mp4(tmp_path / "song.stem.mp4")
    for stream in (0, 3):
        wave, rate = decode(a_clip(tmp_path / "song.stem.mp4", stream=stream))
        spectrum = np.abs(np.fft.rfft(wave))
        peak = spectrum.argmax() * rate / len(wave)
        assert peak == pytest.approx(TONES[stream], abs=2)


def test_active_frames_are_within_30_db_of_the_loudest(a_clip: AClip) -> None:
    rate, frame = 16_000, 320
    levels = [1.0, 10 ** (-29 / 20), 10 ** (-31 / 20), 0.0, 0.5]
    wave = np.repeat(levels, frame)[:-10].astype(np.float16)
    assert Sound(a_clip(), wave, rate).active.tolist() == [0, frame, 4 * frame]


def stored(tmp_path: Path, a_clip: AClip, names: str) -> dict[str, Clip]:
    """Clips of 1000 samples, which are 2000 bytes in memory."""
    for name in names:
        soundfile.write(tmp_path / f"{name}.wav", tone(440, 8000)[:1000], 8000)
    return {name: a_clip(tmp_path / f"{name}.wav") for name in names}


def test_the_sound_that_rested_longest_is_forgotten(
    tmp_path: Path, a_clip: AClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = stored(tmp_path, a_clip, "abc")
    decoded: list[str] = []

    def counting(clip: Clip, rate: int) -> Sound:
        decoded.append(clip.path.stem)
        return load(clip, rate)

    monkeypatch.setattr(module, "load", counting)
    sounds = Sounds(clips.values(), 8000, 4000 / GIB)
    for name in "abacab":
        assert sounds[clips[name]].clip == clips[name]
        assert sounds.held <= 4000
    assert "".join(decoded) == "abcb"
    assert sounds.clips == tuple(clips.values())


def test_one_sound_is_held_even_without_room(tmp_path: Path, a_clip: AClip) -> None:
    clips = stored(tmp_path, a_clip, "ab")
    sounds = Sounds(clips.values(), 8000, 1 / GIB)
    assert sounds[clips["a"]] is sounds[clips["a"]]
    assert len(sounds[clips["b"]].wave) == 1000
    assert sounds.held == 2000


def test_clips_that_cannot_be_heard_are_named(tmp_path: Path, a_clip: AClip) -> None:
    (tmp_path / "broken.wav").write_text("no audio")
    soundfile.write(tmp_path / "short.wav", np.ones(100) / 2, 8000)
    with pytest.raises(ItemError, match=r"no such file: .*absent\.wav"):
        load(a_clip(tmp_path / "absent.wav"))
    with pytest.raises(ItemError, match=r"broken\.wav"):
        load(a_clip(tmp_path / "broken.wav"))
    with pytest.raises(ItemError, match=r"no samples in .*short\.wav from 2 s on"):
        load(a_clip(tmp_path / "short.wav", start=2.0))


def test_a_step_of_16_bits_is_silence(tmp_path: Path, a_clip: AClip) -> None:
    for steps in (0, 1, 2):
        soundfile.write(tmp_path / f"{steps}.wav", np.tile([steps, -steps], 50) / 2**15, 8000)
    for steps in (0, 1):
        with pytest.raises(SilentClip, match=rf"silent training clip: .*{steps}\.wav"):
            load(a_clip(tmp_path / f"{steps}.wav"), 8000)
    assert np.abs(load(a_clip(tmp_path / "2.wav"), 8000).wave).max() == 2 / 2**15
