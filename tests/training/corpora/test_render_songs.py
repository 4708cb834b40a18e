"""Stems from MIDI: exact sums, one gain, and what is written where.

Most tests play the songs with a stand-in for FluidSynth whose sound is known: every note is a step
of 0.2 s, as high as its velocity.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets.folder import items
from sepcli.training import synthesis
from sepcli.training.corpora import music
from sepcli.training.corpora.manifest import read_manifest
from sepcli.training.corpora.music import find_songs, render_song, render_songs
from sepcli.training.corpora.readers.folders import read_stems

RATE = 8000
NOTE = 1600  # samples of a note of the stand-in
Note = tuple[int, float, int]  # channel, beat, velocity
PROGRAMS = {0: 0, 1: 33, 2: 73}  # piano, bass, flute


def play_steps(
    song: Path, target: Path, _font: Path, rate: int, container: str, samples: str
) -> None:
    """What FluidSynth is asked for, with another sound."""
    now, notes = 0.0, []
    for message in mido.MidiFile(song):
        now += message.time
        if message.type == "note_on":
            notes.append((round(now * rate), message.velocity / 100))
    wave = np.zeros((max(start for start, _ in notes) + NOTE, 2))
    for start, level in notes:
        wave[start : start + NOTE] += (level, -level / 2)
    soundfile.write(target, wave, rate, samples, format=container)


@pytest.fixture
def soundfont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound font's first bytes, and the stand-in."""
    program = tmp_path / "bin" / "fluidsynth"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" > said\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(music, "play", play_steps)
    path = tmp_path / "some.sf2"
    path.write_bytes(b"RIFF\x04\0\0\0sfbk")
    return path


def test_fluidsynth_is_told_what_to_play(soundfont: Path) -> None:
    synthesis.play(Path("a.mid"), Path("a.wav"), soundfont, RATE, "wav", "float")
    said = Path("said").read_text().split()
    assert said == [
        *["-ni", "-q", "-g", "0.5", "-r", "8000", "-T", "wav", "-O", "float", "-F", "a.wav"],
        str(soundfont),
        "a.mid",
    ]


def write_song(path: Path, notes: Sequence[Note]) -> Path:
    """A song at 120 beats a minute: half a second a beat."""
    track = mido.MidiTrack()
    for channel, program in PROGRAMS.items():
        track.append(mido.Message("program_change", channel=channel, program=program))
    now = 0
    for channel, beat, velocity in sorted(notes, key=lambda note: note[1]):
        at = round(beat * 480)
        message = mido.Message("note_on", channel=channel, note=60, velocity=velocity)
        track.append(message.copy(time=at - now))
        now = at
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(tracks=[track]).save(path)
    return path


def read(path: Path) -> NDArray[np.float32]:
    wave, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    return wave


def step(starts: Sequence[int], level: float, samples: int) -> NDArray[np.float64]:
    """The left channel of what the stand-in plays."""
    wave = np.zeros(samples)
    for start in starts:
        wave[start : start + NOTE] += level
    return wave


LOUD: tuple[Note, ...] = ((0, 0, 90), (1, 0, 77), (2, 0.1, 33), (9, 2, 50), (0, 2, 64))


def test_stems_sum_exactly_and_share_one_gain(tmp_path: Path, soundfont: Path) -> None:
    song = write_song(tmp_path / "song.mid", LOUD)
    done = render_songs([song], tmp_path / "out", soundfont, RATE)
    assert done.stems == {"song": ("bass", "drums", "flute", "piano")}
    folder = tmp_path / "out" / "song"
    mixture = read(folder / "mixture.wav")
    stems = [read(folder / f"{label}.wav") for label in done.stems["song"]]
    assert done.seconds == len(mixture) / RATE == (RATE + NOTE) / RATE
    for order in (stems, stems[::-1]):
        total = np.zeros_like(mixture)
        for stem in order:
            total += stem
        assert np.array_equal(total, mixture)
    gain = 0.99 / (0.9 + 0.77 + 0.33)  # where three notes sound at once
    expected = {
        "bass": step([0], 0.77, len(mixture)),
        "drums": step([RATE], 0.5, len(mixture)),
        "flute": step([RATE // 20], 0.33, len(mixture)),
        "piano": step([0], 0.9, len(mixture)) + step([RATE], 0.64, len(mixture)),
    }
    for stem, wave in zip(stems, expected.values(), strict=True):
        np.testing.assert_allclose(stem[:, 0], wave * gain, atol=2**-23)
        np.testing.assert_allclose(stem[:, 1], -wave / 2 * gain, atol=2**-23)


def test_stems_louder_than_their_sum_do_not_clip(
    tmp_path: Path, soundfont: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opposite(midi: Path, target: Path, *_: object) -> None:
        sign = 1 if target.stem == "piano" else -1
        soundfile.write(target, np.full((10, 2), sign * 1.5), RATE, "FLOAT")

    monkeypatch.setattr(music, "play", opposite)
    song = write_song(tmp_path / "song.mid", ((0, 0, 90), (1, 0, 90)))
    render_songs([song], tmp_path / "out", soundfont, RATE)
    assert read(tmp_path / "out/song/piano.wav").max() == pytest.approx(0.99, abs=1e-6)
    assert not read(tmp_path / "out/song/mixture.wav").any()


def test_quiet_songs_stay_as_they_are(tmp_path: Path, soundfont: Path) -> None:
    song = write_song(tmp_path / "song.mid", ((0, 0, 20), (1, 1, 30)))
    render_songs([song], tmp_path / "out", soundfont, RATE)
    piano = read(tmp_path / "out/song/piano.wav")
    np.testing.assert_allclose(piano[:, 0], step([0], 0.2, len(piano)), atol=2**-24)
    assert len(piano) == RATE // 2 + NOTE  # as long as the bass


def test_long_songs_come_in_blocks(
    tmp_path: Path, soundfont: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = write_song(tmp_path / "song.mid", LOUD)
    render_song(song, tmp_path / "whole", soundfont, RATE)
    monkeypatch.setattr(music, "BLOCK", 700)
    render_song(song, tmp_path / "blocks", soundfont, RATE)
    for name in ("mixture", "piano", "flute"):
        assert np.array_equal(
            read(tmp_path / f"whole/{name}.wav"), read(tmp_path / f"blocks/{name}.wav")
        )


def test_instruments_that_are_not_heard_are_no_stems(
    tmp_path: Path, soundfont: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faint(midi: Path, target: Path, *_: object) -> None:
        level = 2.0**-14 if target.stem == "piano" else 2.0**-16
        soundfile.write(target, np.full((10, 2), level), RATE, "FLOAT")

    monkeypatch.setattr(music, "play", faint)
    song = write_song(tmp_path / "song.mid", ((0, 0, 90), (1, 0, 90)))
    assert render_songs([song], tmp_path / "out", soundfont, RATE).stems == {"song": ("piano",)}
    silent = write_song(tmp_path / "silent.mid", ((1, 0, 90),))
    with pytest.raises(ItemError, match="nothing is heard of other"):
        render_song(silent, tmp_path / "other", soundfont, RATE)
    assert not list((tmp_path / "other").iterdir())


def test_failing_files_are_listed_and_the_others_rendered(tmp_path: Path, soundfont: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.mid").write_bytes(b"MThd")
    write_song(tmp_path / "in/good.mid", LOUD)
    heard: list[str] = []
    done = render_songs([tmp_path / "in"], tmp_path / "out", soundfont, RATE, told=heard.append)
    assert heard == ["bad", "good"]
    assert list(done.stems) == ["good"]
    assert list(done.failures) == [tmp_path / "in/bad.mid"]
    assert "ends too early" in done.failures[tmp_path / "in/bad.mid"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good", "manifest.jsonl"]


def test_readers_find_what_was_rendered(tmp_path: Path, soundfont: Path) -> None:
    song = write_song(tmp_path / "song.mid", LOUD)
    done = render_songs([song], tmp_path / "out", soundfont, RATE, licence="CC-BY-4.0")
    clips = list(read_manifest(tmp_path / "out/manifest.jsonl"))
    assert tuple(clip.label for clip in clips) == done.stems["song"]
    assert {clip.path for clip in clips} == {clip.path for clip in read_stems(tmp_path / "out")}
    for clip in clips:
        assert (clip.licence, clip.ship, clip.origin, clip.corpus) == (
            "CC-BY-4.0",
            True,
            "song",
            "midi",
        )
        assert clip.duration == done.seconds
        assert clip.credit == "song.mid, played with some.sf2"
    (item,) = items(tmp_path / "out", "all")
    example = item.read()
    np.testing.assert_allclose(sum(example.references.values()), example.mixture, atol=1e-7)


def test_unknown_licences_do_not_ship(tmp_path: Path, soundfont: Path) -> None:
    song = write_song(tmp_path / "song.mid", LOUD)
    for licence in ("", "GPL-2"):
        render_songs([song], tmp_path / "out", soundfont, RATE, licence=licence)
        clips = list(read_manifest(tmp_path / "out/manifest.jsonl"))
        assert not any(clip.ship for clip in clips)
        assert {clip.licence for clip in clips} == {licence}


def test_finished_songs_are_left_alone_and_stay_listed(tmp_path: Path, soundfont: Path) -> None:
    first = write_song(tmp_path / "first.mid", LOUD)
    render_songs([first], tmp_path / "out", soundfont, RATE, licence="CC0")
    time = (tmp_path / "out/first/mixture.wav").stat().st_mtime_ns
    second = write_song(tmp_path / "second.mid", LOUD)
    render_songs([second], tmp_path / "out", soundfont, RATE)
    assert (tmp_path / "out/first/mixture.wav").stat().st_mtime_ns == time
    again = render_songs([first], tmp_path / "out", soundfont, RATE, licence="own")
    assert again.stems["first"] == ("bass", "drums", "flute", "piano")
    assert (tmp_path / "out/first/mixture.wav").stat().st_mtime_ns == time
    clips = list(read_manifest(tmp_path / "out/manifest.jsonl"))
    assert {(clip.origin, clip.licence) for clip in clips} == {("first", "own"), ("second", "")}
    assert len(clips) == 8


def test_names_tell_folders_and_never_meet(tmp_path: Path) -> None:
    write_song(tmp_path / "in/a.mid", LOUD)
    write_song(tmp_path / "in/live/a.MID", LOUD)
    (tmp_path / "in/notes.txt").touch()
    assert list(find_songs([tmp_path / "in"])) == ["a", "live - a"]
    with pytest.raises(UsageError, match="would both go to a"):
        find_songs([tmp_path / "in/a.mid", tmp_path / "in/live/a.MID"])
    with pytest.raises(UsageError, match="no such file or folder"):
        find_songs([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no MIDI files in"):
        find_songs([tmp_path / "empty"])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda font: (font.parent / "bin/fluidsynth").unlink(), "fluidsynth is not installed"),
        (lambda font: font.unlink(), "no sound font at"),
        (lambda font: font.write_bytes(b"RIFF\x04\0\0\0WAVE"), "is no sound font"),
    ],
)
def test_what_is_not_installed_is_named(
    tmp_path: Path,
    soundfont: Path,
    spoil: Callable[[Path], None],
    words: str,
) -> None:
    spoil(soundfont)
    song = write_song(tmp_path / "song.mid", LOUD)
    with pytest.raises(UsageError, match=words) as caught:
        render_songs([song], tmp_path / "out", soundfont, RATE)
    assert "apt install" in caught.value.remedy


@pytest.mark.skipif(
    not (shutil.which("fluidsynth") and synthesis.SOUNDFONT.exists()),
    reason="needs fluidsynth and its FluidR3 sound font",
)
def test_fluidsynth_plays_the_parts(tmp_path: Path) -> None:
    """Where a note is and is not, and that its strongest partial is one of middle C's."""
    song = write_song(tmp_path / "song.mid", ((0, 0, 90), (2, 1, 90)))
    done = render_songs([song], tmp_path / "out", rate=RATE)
    assert done.stems == {"song": ("flute", "piano")}
    mixture = read(tmp_path / "out/song/mixture.wav")
    flute, piano = (read(tmp_path / f"out/song/{name}.wav") for name in done.stems["song"])
    assert np.array_equal(flute + piano, mixture)
    assert np.abs(flute[: RATE // 2]).max() < 1e-3 < np.abs(flute[RATE // 2 :]).max()
    spectrum = np.abs(np.fft.rfft(flute[RATE // 2 :, 0]))
    peak = spectrum.argmax() * RATE / len(flute[RATE // 2 :])
    assert peak / 261.63 == pytest.approx(round(peak / 261.63), abs=0.05)
