"""Synthesised corpora, with the real programs where they are."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from sepcli.errors import UsageError
from sepcli.training import synthesis

programs = pytest.mark.skipif(
    not (shutil.which("fluidsynth") and shutil.which("flite") and synthesis.SOUNDFONT.exists()),
    reason="needs fluidsynth, its FluidR3 sound font and flite",
)


@programs
def test_every_label_gets_its_sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "PROGRAMS", {"piano": (0,), "drums": (synthesis.DRUMS,)})
    words = ["dog", "rain", "wind", "piano", "bird", "train"]
    made = list(synthesis.synthesise(tmp_path, words, per_label=1, seed=0))
    assert {path.parent.name for path in made} == {
        "piano",
        "drums",
        "speech_male",
        "speech_female",
    }
    for path in made:
        wave, _ = soundfile.read(path)
        assert np.abs(wave).max() > 0.01
    times = [path.stat().st_mtime_ns for path in made]
    again = list(synthesis.synthesise(tmp_path, words, per_label=1, seed=0))
    assert [path.stat().st_mtime_ns for path in again] == times


def test_midi_holds_the_notes(tmp_path: Path) -> None:
    notes, tempo = synthesis.phrase(0, random.Random(0))
    synthesis.write_midi(tmp_path / "a.mid", notes, tempo)
    file = mido.MidiFile(tmp_path / "a.mid")
    pitches = [m.note for m in file.tracks[0] if m.type == "note_on"]
    assert sorted(pitches) == sorted(note[3] for note in notes)
    assert file.length == pytest.approx(16 * 60 / tempo, rel=0.2)


def test_drums_are_on_the_percussion_channel(tmp_path: Path) -> None:
    notes, tempo = synthesis.phrase(synthesis.DRUMS, random.Random(0))
    synthesis.write_midi(tmp_path / "a.mid", notes, tempo)
    messages = [m for m in mido.MidiFile(tmp_path / "a.mid").tracks[0] if m.type == "note_on"]
    assert {m.channel for m in messages} == {9}
    assert {m.note for m in messages} == {synthesis.KICK, synthesis.SNARE, synthesis.HAT}


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(synthesis.shutil, "which", lambda _: None)
    with pytest.raises(UsageError, match="fluidsynth is not installed"):
        next(synthesis.synthesise(tmp_path, ["a"], 1, 0))


def test_failing_programs_leave_no_file(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.touch()
        synthesis.run(["false"])

    with pytest.raises(UsageError, match="false failed"):
        synthesis.made(tmp_path / "piano/a.flac", fail)
    assert not (tmp_path / "piano/a.flac").exists()
