"""Songs split by instrument: no note is lost, moved or played twice."""

from __future__ import annotations

import random
from pathlib import Path

import mido
import pytest

from sepcli.errors import ItemError, UsageError
from sepcli.training import synthesis
from sepcli.training.corpora.general_midi import DRUM_CHANNEL, FIRST_PROGRAMS, label_of
from sepcli.training.corpora.midi import read_song
from sepcli.training.ontology import Ontology

UNLISTED = {  # instruments that the ontology has no names for
    "dulcimer",
    "accordion",
    "harmonica",
    "orchestra_hit",
    "sitar",
    "banjo",
    "shamisen",
    "koto",
    "kalimba",
    "bagpipe",
}


def notes_of(song: mido.MidiFile) -> list[tuple[float, int, int, int]]:
    """(seconds, channel, pitch, velocity) of all notes."""
    now, notes = 0.0, []
    for message in song:
        now += message.time
        if message.type == "note_on" and message.velocity:
            notes.append((round(now, 4), message.channel, message.note, message.velocity))
    return sorted(notes)


def random_song(seed: int) -> mido.MidiFile:
    """Three tracks with programs, tempo and pedals that change on the way."""
    rng = random.Random(seed)
    song = mido.MidiFile(type=1, ticks_per_beat=96)
    for _ in range(3):
        track = mido.MidiTrack()
        song.tracks.append(track)
        for _ in range(60):
            channel, wait = rng.choice((0, 3, 9)), rng.randint(0, 100)
            kind = rng.random()
            if kind < 0.1:
                message = mido.Message("program_change", program=rng.randrange(128))
            elif kind < 0.2:
                message = mido.MetaMessage("set_tempo", tempo=rng.randint(200_000, 900_000))
            elif kind < 0.3:
                message = mido.Message("control_change", control=64, value=rng.choice((0, 127)))
            else:
                velocity = rng.choice((0, 40, 100))
                note = rng.randint(30, 90)
                message = mido.Message("note_on", note=note, velocity=velocity)
            if not message.is_meta:
                message = message.copy(channel=channel)
            track.append(message.copy(time=wait))
    return song


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_have_all_notes_where_they_were(tmp_path: Path, seed: int) -> None:
    random_song(seed).save(tmp_path / "a.mid")
    song = mido.MidiFile(tmp_path / "a.mid")
    read = read_song(tmp_path / "a.mid")
    assert len(read.parts) > 3
    assert read.seconds == song.length
    parts = [note for part in read.parts.values() for note in notes_of(part)]
    assert sorted(parts) == notes_of(song)
    for label, part in read.parts.items():
        assert part.length == pytest.approx(song.length)
        drums = {channel == DRUM_CHANNEL for _, channel, _, _ in notes_of(part)}
        assert drums == {label == "drums"}


def test_notes_that_never_end_do_so_with_the_song(tmp_path: Path) -> None:
    pedal = mido.Message("control_change", control=64, value=127)
    track = mido.MidiTrack([pedal, *note_after(0), mido.MetaMessage("end_of_track", time=960)])
    mido.MidiFile(tracks=[track]).save(tmp_path / "a.mid")
    part = read_song(tmp_path / "a.mid").parts["piano"]
    part.save(tmp_path / "part.mid")
    assert mido.MidiFile(tmp_path / "part.mid").length == 1.0
    last = [m for m in part.tracks[0] if m.type == "control_change" and m.channel == 0][1:]
    assert [(m.control, m.value) for m in last] == [(64, 0), (66, 0), (123, 0)]
    assert last[0].time == 960


def test_a_channel_belongs_to_the_program_it_has(tmp_path: Path) -> None:
    track = mido.MidiTrack()
    for program in (0, 73, 0):
        track.append(mido.Message("program_change", program=program, time=10))
        track.append(mido.Message("note_on", note=60 + program % 7, velocity=90))
        track.append(mido.Message("note_off", note=60 + program % 7, time=480))
    mido.MidiFile(tracks=[track]).save(tmp_path / "a.mid")
    parts = read_song(tmp_path / "a.mid").parts
    assert list(parts) == ["piano", "flute"]
    assert [round(at * 960) for at, *_ in notes_of(parts["piano"])] == [10, 990]
    assert [round(at * 960) for at, *_ in notes_of(parts["flute"])] == [500]


def test_names_agree_with_the_phrases_that_are_made_up() -> None:
    for label, programs in synthesis.PROGRAMS.items():
        for program in programs:
            channel = DRUM_CHANNEL if program == synthesis.DRUMS else 0
            assert label_of(channel, max(program, 0)) == label


def test_names_are_the_ontologys() -> None:
    used = {label_of(0, program) for program in range(128)} | {label_of(DRUM_CHANNEL, 0)}
    assert used - set(Ontology.load().phrases) == UNLISTED
    starts = [start for start, _ in FIRST_PROGRAMS]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize(
    ("program", "label"),
    [
        (7, "piano"),
        (8, "xylophone"),
        (25, "guitar"),
        (31, "electric_guitar"),
        (39, "bass"),
        (45, "strings"),
        (46, "harp"),
        (47, "percussion"),
        (63, "brass"),
        (79, "flute"),
        (103, "synth"),
        (127, "gunshot"),
    ],
)
def test_families(program: int, label: str) -> None:
    assert label_of(0, program) == label
    assert label_of(DRUM_CHANNEL, program) == "drums"


def note_after(ticks: int) -> mido.MidiTrack:
    return mido.MidiTrack([mido.Message("note_on", note=60, velocity=90, time=ticks)])


def several_songs(path: Path) -> None:
    mido.MidiFile(type=2, tracks=[note_after(0), note_after(0)]).save(path)


def film_frames(path: Path) -> None:
    mido.MidiFile(tracks=[note_after(0)]).save(path)
    content = bytearray(path.read_bytes())
    content[12:14] = b"\xe7\x28"  # 25 frames a second, 40 ticks each
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    mido.MidiFile(tracks=[note_after(0)]).save(path)
    path.write_bytes(path.read_bytes()[:-5])


def unknown_key(path: Path) -> None:
    header = b"MThd\0\0\0\x06\0\0\0\x01\x01\xe0"
    path.write_bytes(header + b"MTrk\0\0\0\x0a\0\xff\x59\x02\x40\x00\0\xff\x2f\0")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b""), "cannot read .*: it ends too early"),
        (lambda path: path.write_text("no music"), "cannot read"),
        (cut_short, "cannot read .*: it ends too early"),
        (unknown_key, "cannot read"),
        (several_songs, "holds several songs"),
        (film_frames, "counts time in film frames"),
        (lambda path: mido.MidiFile(tracks=[mido.MidiTrack()]).save(path), "no notes"),
        (lambda path: mido.MidiFile(tracks=[note_after(8_000_000)]).save(path), "2.3 hours"),
    ],
)
def test_what_is_no_song_is_refused(tmp_path: Path, make: object, words: str) -> None:
    make(tmp_path / "a.mid")  # type: ignore[operator]
    with pytest.raises(ItemError, match=words):
        read_song(tmp_path / "a.mid")


def test_missing_files_and_mido_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ItemError, match="No such file"):
        read_song(tmp_path / "a.mid")
    monkeypatch.setitem(__import__("sys").modules, "mido", None)
    with pytest.raises(UsageError, match="read with mido") as caught:
        read_song(tmp_path / "a.mid")
    assert caught.value.remedy == "pip install 'sepcli[train]'"
