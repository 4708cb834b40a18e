"""Songs as MIDI files, split into one file for every instrument.

Every part has all messages of the song but the other parts' notes, so that tempo, pedals, bends
and the end of the song are the same in all of them. At the end all pedals and keys are let go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sepcli.errors import ItemError, UsageError
from sepcli.training.corpora.general_midi import label_of

if TYPE_CHECKING:
    import mido

CHANNELS = 16
MOST_SECONDS = 3600.0  # a longer song is a damaged file: one wrong bit can make a pause of years
ONE_SONG = (0, 1)  # MIDI types; files of type 2 hold several songs
LET_GO = ((64, 0), (66, 0), (123, 0))  # controllers: both pedals up, then all notes off
SUFFIXES = (".mid", ".midi", ".kar")


@dataclass(frozen=True)
class Song:
    """A song's parts.

    Attributes:
        parts: label -> a MIDI file with the notes of this instrument.
        seconds: from its start to its last message.
    """

    parts: dict[str, mido.MidiFile]
    seconds: float


def read_song(path: Path) -> Song:
    """Read a MIDI file and split it.

    Raises:
        ItemError: if it is missing, damaged, without notes, longer than an hour, or holds several
            songs.
        UsageError: if mido is not installed.
    """
    mido = load_mido()
    try:
        # clip: a byte out of range is taken for the nearest one, as synthesisers do.
        song = mido.MidiFile(path, clip=True)
        seconds = song.length if song.type in ONE_SONG else 0.0
    except (OSError, EOFError, ValueError, LookupError, mido.KeySignatureError) as error:
        reason = str(error) or "it ends too early"
        raise ItemError(f"cannot read {path}: {reason}", "get the file again") from error
    if song.type not in ONE_SONG or song.ticks_per_beat <= 0:
        what = "holds several songs" if song.ticks_per_beat > 0 else "counts time in film frames"
        raise ItemError(f"{path} {what}", "export it as MIDI of type 1, in beats")
    if seconds > MOST_SECONDS:
        raise ItemError(f"{path} lasts {seconds / 3600:.1f} hours", "cut it to an hour at most")
    parts = split(song)
    if not parts:
        raise ItemError(f"no notes in {path}", "leave it out")
    return Song(parts, seconds)


def split(song: mido.MidiFile) -> dict[str, mido.MidiFile]:
    """Label -> the song with the notes of this instrument only, in the order they come in.

    A channel that changes its program belongs to several instruments, one after another.
    """
    messages = list(load_mido().merge_tracks(song.tracks))
    owners = _owners(messages)
    labels = dict.fromkeys(owner for owner in owners if owner)
    return {label: _part(song, messages, owners, label) for label in labels}


def _owners(messages: Iterable[mido.Message]) -> list[str | None]:
    """For each message the instrument that it starts a note of, None if it starts none."""
    programs = [0] * CHANNELS
    owners: list[str | None] = []
    for message in messages:
        if message.type == "program_change":
            programs[message.channel] = message.program
        starts = message.type == "note_on" and message.velocity > 0  # velocity 0 ends a note
        channel = message.channel if starts else 0
        owners.append(label_of(channel, programs[channel]) if starts else None)
    return owners


def _part(
    song: mido.MidiFile,
    messages: Sequence[mido.Message],
    owners: Sequence[str | None],
    label: str,
) -> mido.MidiFile:
    """The song without the notes that other instruments own."""
    mido = load_mido()
    track = mido.MidiTrack()
    waited = 0  # ticks of the messages left out since the last one taken
    for message, owner in zip(messages, owners, strict=True):
        waited += message.time
        if owner in (None, label) and message.type != "end_of_track":
            track.append(message.copy(time=waited))
            waited = 0
    # A note that never ends would be rendered for ever.
    for channel, (control, value) in product(range(CHANNELS), LET_GO):
        change = mido.Message("control_change", channel=channel, control=control, value=value)
        track.append(change.copy(time=waited))
        waited = 0
    return mido.MidiFile(tracks=[track], ticks_per_beat=song.ticks_per_beat)


def load_mido() -> Any:
    """The module mido.

    Raises:
        UsageError: if it is not installed.
    """
    try:
        import mido
    except ImportError as error:
        message = f"MIDI files are read with mido: {error}"
        raise UsageError(message, "pip install 'sepcli[train]'") from error
    return mido
