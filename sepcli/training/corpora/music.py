"""Music stems from MIDI: every instrument of a song played alone by FluidSynth.

    OUT/<song>/<instrument>.wav, OUT/<song>/mixture.wav, OUT/manifest.jsonl

The stems of a song sum to its mixture exactly. They are scaled by one gain and rounded to multiples
of 2^-23; a sum of such numbers is another one, and 32-bit floats hold all of them up to 2, so
that no addition of stems rounds, in whatever order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sepcli.audio.formats import Encoding
from sepcli.audio.reader import probe
from sepcli.audio.writer import StemWriter, output_errors
from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets.folder import MIXTURE
from sepcli.evaluation.datasets.listing import recordings
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.licences import shippable
from sepcli.training.corpora.manifest import read_manifest, write_manifest
from sepcli.training.corpora.midi import SUFFIXES, read_song
from sepcli.training.corpora.readers.folders import own_clip
from sepcli.training.synthesis import SOUNDFONT, play, require

MANIFEST = "manifest.jsonl"
CORPUS = "midi"
WAV = Encoding("WAV", "FLOAT", "wav")
CHANNELS = 2  # FluidSynth's
GRID = 2.0**-23
CEILING = 0.99  # highest peak of a mixture or a stem
SILENCE = 2.0**-15  # a peak that 16 bits would not hold
BLOCK = 1 << 16  # samples


@dataclass
class Rendered:
    """A report.

    Attributes:
        stems: song -> its instruments.
        failures: MIDI file -> why it gave no song.
        seconds: of all mixtures.
    """

    stems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failures: dict[Path, str] = field(default_factory=dict)
    seconds: float = 0.0


def render_songs(
    given: Sequence[Path],
    out: Path,
    soundfont: Path = SOUNDFONT,
    rate: int = 44_100,
    licence: str = "",
    told: Callable[[str], None] = lambda _: None,
) -> Rendered:
    """Render MIDI files, each into a folder of its own, and list the stems in a manifest.

    Songs that are there already are left alone.

    Args:
        given: MIDI files, and folders that are searched for them.
        out: where the songs go.
        soundfont: the instruments.
        rate: sample rate, Hz.
        licence: of the MIDI files; what models trained on the stems may be used for hangs on it.
        told: hears the name of each song before it is rendered.

    Raises:
        UsageError: if there are no MIDI files, two songs would have one name, or FluidSynth, the
            sound font or mido is missing.
        OutputError: if the disk is full or read-only.
    """
    require("fluidsynth", soundfont=soundfont)
    songs = find_songs(given)
    rendered, clips = Rendered(), _listed(out / MANIFEST, but=songs)
    for name, path in songs.items():
        told(name)
        try:
            render_song(path, out / name, soundfont, rate)
        except ItemError as error:
            rendered.failures[path] = str(error)
            continue
        stems = [own_clip(stem, stem.stem, name, CORPUS) for stem in stems_of(out / name)]
        rendered.stems[name] = tuple(clip.label for clip in stems)
        rendered.seconds += probe(out / name / f"{MIXTURE}.wav").seconds
        clips += [_credited(clip, path, soundfont, licence) for clip in stems]
    write_manifest(out / MANIFEST, clips)
    return rendered


def find_songs(given: Sequence[Path]) -> dict[str, Path]:
    """Name of a song -> its MIDI file; songs in sub-folders have these in their names.

    Raises:
        UsageError: if a path does not exist, there is no MIDI file, or two would have one name.
    """
    songs: dict[str, Path] = {}
    for place in given:
        if not place.exists():
            raise UsageError(f"no such file or folder: {place}", "check the path")
        for path in _midi_files(place):
            parts = path.relative_to(place).parts if place.is_dir() else (path.name,)
            name = Path(" - ".join(parts)).stem
            if songs.setdefault(name, path) != path:
                message = f"{songs[name]} and {path} would both go to {name}"
                raise UsageError(message, "rename one, or render them into different folders")
    if not songs:
        message = f"no MIDI files in {', '.join(map(str, given))}"
        raise UsageError(message, f"give files named {', '.join(SUFFIXES)}, or their folder")
    return songs


def render_song(path: Path, folder: Path, soundfont: Path, rate: int) -> None:
    """Render a song's stems and their sum, all or none, unless they are there.

    Raises:
        ItemError: if the MIDI file is damaged, has no notes, or nothing of it is heard.
        OutputError: if the disk is full or read-only.
    """
    if (folder / f"{MIXTURE}.wav").exists():
        return
    song = read_song(path)
    with output_errors(folder / MIXTURE):
        folder.mkdir(parents=True, exist_ok=True)
        room = tempfile.TemporaryDirectory(dir=folder, prefix=".parts-")
    with room:
        parts = {}
        for label, part in song.parts.items():
            midi = Path(room.name, f"{label}.mid")
            with output_errors(midi):
                part.save(midi)
            parts[label] = midi.with_suffix(".wav")
            play(midi, parts[label], soundfont, rate, "wav", "float")
        _mix_down(parts, folder, rate)


def stems_of(folder: Path) -> list[Path]:
    """A song's stems, by name."""
    return [path for path in recordings(folder) if path.stem != MIXTURE]


def _midi_files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)


def _mix_down(parts: Mapping[str, Path], folder: Path, rate: int) -> None:
    """Write the parts that are heard as stems, scaled so that nothing clips, and their sum."""
    peaks = np.max([np.abs(block).max(axis=(1, 2)) for block in _side_by_side(parts)], axis=0)
    heard = {
        label: path
        for peak, (label, path) in zip(peaks, parts.items(), strict=True)
        if peak > SILENCE
    }
    if not heard:
        remedy = "take another sound font, or leave it out"
        raise ItemError(f"nothing is heard of {folder.name}", remedy)
    sums = [np.abs(block.sum(axis=0)).max() for block in _side_by_side(heard)]
    gain = min(1.0, CEILING / max(*peaks, *sums))
    paths = [folder / f"{name}.wav" for name in (*heard, MIXTURE)]
    with StemWriter(paths, None, rate, CHANNELS, WAV) as writer:
        for block in _side_by_side(heard):
            stems = np.round(block * gain / GRID) * GRID
            whole = np.concatenate([stems, stems.sum(axis=0, keepdims=True)])
            writer.write(whole.astype(np.float32))
        writer.finish()
        writer.commit()


def _side_by_side(parts: Mapping[str, Path]) -> Iterator[NDArray[np.float64]]:
    """Blocks (parts, samples, channels); parts that end early are silent from there on."""
    with ExitStack() as stack:
        files = [stack.enter_context(soundfile.SoundFile(path)) for path in parts.values()]
        left = max(file.frames for file in files)
        while left > 0:
            size = min(BLOCK, left)
            left -= size
            yield np.stack(
                [file.read(size, dtype="float64", always_2d=True, fill_value=0) for file in files]
            )


def _credited(clip: Clip, midi: Path, soundfont: Path, licence: str) -> Clip:
    return replace(
        clip,
        licence=licence,
        credit=f"{midi.name}, played with {soundfont.name}",
        ship=shippable(licence),
        duration=probe(clip.path).seconds,
    )


def _listed(manifest: Path, but: Collection[str]) -> list[Clip]:
    """The clips that a manifest lists already, without those of some songs."""
    clips = read_manifest(manifest) if manifest.exists() else ()
    return [clip for clip in clips if clip.origin not in but]
