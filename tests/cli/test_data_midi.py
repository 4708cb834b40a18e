"""`sepcli data render-midi`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from sepcli.training.corpora import music

Sepcli = Callable[..., int]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a song and a damaged file; FluidSynth only hums."""

    def hum(_song: Path, target: Path, _font: Path, rate: int, *_: str) -> None:
        soundfile.write(target, np.full((3 * rate, 2), 0.1), rate, "FLOAT")

    monkeypatch.setattr(music, "play", hum)
    program = tmp_path / "bin/fluidsynth"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    (tmp_path / "a.sf2").write_bytes(b"RIFF\x04\0\0\0sfbk")
    folder = tmp_path / "songs"
    folder.mkdir()
    notes = [mido.Message("note_on", channel=channel, note=60) for channel in (0, 9)]
    mido.MidiFile(tracks=[mido.MidiTrack(notes)]).save(folder / "waltz.mid")
    (folder / "worn.mid").write_bytes(b"MThd")
    return folder


def test_songs_are_summed_up_and_failures_listed(
    sepcli: Sepcli, capsys: Captured, songs: Path
) -> None:
    words = ("data", "render-midi", songs, "-o", "out", "--soundfont", songs.parent / "a.sf2")
    assert sepcli(*words, "--rate", 16_000) == 1
    said = capsys.readouterr()
    assert said.out == "1 songs, 2 stems, 0.1 min of music; 1 files failed\n"
    assert "failed: cannot read" in said.err
    assert "worn.mid" in said.err
    assert soundfile.info("out/waltz/drums.wav").samplerate == 16_000
    (songs / "worn.mid").unlink()
    assert sepcli(*words) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere.mid", "-o", "out"), "no such file or folder: nowhere.mid"),
        ((".", "-o", "out"), "no MIDI files in"),
        ((".", "-o", "out", "--soundfont", "none.sf2"), "no sound font at none.sf2"),
        ((".",), "Missing option '--out'"),
    ],
)
def test_bad_usage(
    sepcli: Sepcli, capsys: Captured, songs: Path, words: tuple[str, ...], message: str
) -> None:
    given = words if "--soundfont" in words else (*words, "--soundfont", songs.parent / "a.sf2")
    assert sepcli("data", "render-midi", *given) == 2
    assert message in capsys.readouterr().err


def test_the_help_has_examples(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli("data", "render-midi", "--help") == 0
    assert "Examples:" in capsys.readouterr().out
