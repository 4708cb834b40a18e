"""Music and speech made on the spot, so that both are known, clean and free to use.

Music: short random phrases, one instrument a file, written as MIDI and rendered by FluidSynth
with the FluidR3 sound font (MIT). Speech: sentences of random words spoken by flite's voices.
Both programs are found on the PATH; Debian has them as `fluidsynth`, `fluid-soundfont-gm`
and `flite`.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sepcli.errors import UsageError

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
TICKS = 480  # per beat
DRUMS = -1  # stands for the General MIDI percussion channel
LOW_SHARE = 0.3  # of phrases start an octave lower
BASSES = (32, 33, 36)
PROGRAMS: dict[str, tuple[int, ...]] = {  # General MIDI programs, counted from 0
    "piano": (0, 1, 4),
    "xylophone": (9, 13),
    "mallets": (11, 12),
    "organ": (16, 19),
    "guitar": (24, 25),
    "electric_guitar": (29, 30),
    "bass": BASSES,
    "strings": (40, 42, 48),
    "harp": (46,),
    "choir": (52,),
    "trumpet": (56,),
    "brass": (57, 61),
    "woodwind": (65, 68, 71),
    "flute": (73,),
    "synth": (81, 88, 90),
    "drums": (DRUMS,),
}
VOICES = {
    "slt": "speech_female",
    "kal16": "speech_male",
    "awb": "speech_male",
    "rms": "speech_male",
}
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10))  # semitones
KICK, SNARE, HAT = 36, 38, 42


def synthesise(folder: Path, words: list[str], per_label: int, seed: int) -> Iterator[Path]:
    """Write one file after another into folders named for their labels.

    Args:
        folder: where the class folders go; what is there already is kept.
        words: what the voices speak of.
        per_label: files per instrument and per voice.
        seed: of everything random.

    Yields:
        the files, as they are finished.
    """
    require("fluidsynth", "flite")
    rng = random.Random(seed)
    for label, programs in PROGRAMS.items():
        for index in range(per_label):
            target = folder / label / f"midi-{index:03}.flac"
            notes, tempo = phrase(programs[index % len(programs)], rng)
            yield made(target, partial(render_midi, notes=notes, tempo=tempo))
    for voice, label in VOICES.items():
        for index in range(per_label):
            text = " ".join(rng.sample(words, 5)) + "."
            target = folder / label / f"{voice}-{index:03}.wav"
            yield made(target, partial(speak, text=text, voice=voice))


def require(*programs: str, soundfont: Path = SOUNDFONT) -> None:
    """Refuse to start without the programs and the sound font that make the sounds."""
    for program in programs:
        if not shutil.which(program):
            raise UsageError(f"{program} is not installed", f"install it: apt install {program}")
    remedy = "name another one, or apt install fluid-soundfont-gm"
    if not soundfont.is_file():
        raise UsageError(f"no sound font at {soundfont}", remedy)
    with soundfont.open("rb") as file:  # FluidSynth would play with the default one instead
        head = file.read(12)
    if (head[:4], head[8:]) != (b"RIFF", b"sfbk"):
        raise UsageError(f"{soundfont} is no sound font", remedy)


Note = tuple[int, int, int, int, int]  # start and length in ticks, program, pitch, velocity


def phrase(program: int, rng: random.Random) -> tuple[list[Note], int]:
    """A random phrase of four bars, as notes and a tempo in beats per minute."""
    tempo = rng.randint(70, 150)
    notes = drum_pattern(rng) if program == DRUMS else melody(program, rng)
    return notes, tempo


def melody(program: int, rng: random.Random) -> list[Note]:
    """A random walk over a scale, now and then in thirds or chords."""
    scale, root = rng.choice(SCALES), rng.randint(48, 64) - 12 * (rng.random() < LOW_SHARE)
    if program in BASSES:
        root -= 24
    step = rng.choice((TICKS // 4, TICKS // 2, TICKS))
    chord = rng.choice(((0,), (0,), (0, 2), (0, 2, 4)))
    degree, notes = rng.randint(0, 7), []
    for start in range(0, 16 * TICKS, step):
        degree = min(14, max(0, degree + rng.randint(-3, 3)))
        if rng.random() < 0.2:
            continue
        for interval in chord:
            octave, index = divmod(degree + interval, len(scale))
            pitch = root + 12 * octave + scale[index]
            notes.append((start, step, program, pitch, rng.randint(60, 115)))
    return notes


def drum_pattern(rng: random.Random) -> list[Note]:
    """Kick, snare and hat on a grid of sixteenths, with some fills."""
    notes = []
    for index in range(64):
        start, hits = index * TICKS // 4, []
        if index % 2 == 0:
            hits.append(HAT)
        if index % 8 == 0 or rng.random() < 0.1:
            hits.append(KICK)
        if index % 8 == 4 or rng.random() < 0.05:
            hits.append(SNARE)
        notes += [(start, TICKS // 4, DRUMS, hit, rng.randint(70, 120)) for hit in hits]
    return notes


def render_midi(path: Path, notes: list[Note], tempo: int) -> None:
    """Render notes to a FLAC file at 32 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "phrase.mid"
        write_midi(song, notes, tempo)
        play(song, path, SOUNDFONT, rate=32_000, container="flac", samples="s16")


def play(
    song: Path, target: Path, soundfont: Path, rate: int, container: str, samples: str
) -> None:
    """Play a MIDI file into a stereo recording.

    Args:
        song: the MIDI file.
        target: of the recording.
        soundfont: the instruments.
        rate: sample rate, Hz.
        container: as FluidSynth's option -T names it.
        samples: their encoding, as its option -O names it.
    """
    command = ["fluidsynth", "-ni", "-q", "-g", "0.5", "-r", str(rate)]
    form = ["-T", container, "-O", samples]
    run([*command, *form, "-F", str(target), str(soundfont), str(song)])


def write_midi(path: Path, notes: list[Note], tempo: int) -> None:
    """Write notes of one program as a MIDI file with a single track."""
    import mido  # only the corpus builder needs it: sepcli[train]

    program = notes[0][2] if notes else 0
    channel = 9 if program == DRUMS else 0
    timed = [(start, "note_on", pitch, velocity) for start, _, _, pitch, velocity in notes]
    timed += [(start + length, "note_off", pitch, 0) for start, length, _, pitch, _ in notes]
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))])
    if program != DRUMS:
        track.append(mido.Message("program_change", program=program, channel=channel))
    now = 0
    for start, kind, pitch, velocity in sorted(timed):
        message = mido.Message(kind, note=pitch, velocity=velocity, channel=channel)
        track.append(message.copy(time=start - now))
        now = start
    mido.MidiFile(tracks=[track], ticks_per_beat=TICKS).save(path)


def speak(path: Path, text: str, voice: str) -> None:
    """Speak a sentence into a WAV file."""
    run(["flite", "-voice", voice, "-t", text, "-o", str(path)])


def made(target: Path, make: Callable[[Path], None]) -> Path:
    """Make a file under another name first, unless it is there already."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_stem(f".partial-{target.stem}")
        make(unfinished)
        unfinished.replace(target)
    return target


def run(command: list[str]) -> None:
    """Run a program quietly; tell what it said if it fails."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        message = f"{command[0]} failed: {result.stderr.strip()[-200:]}"
        raise UsageError(message, f"try {command[0]} by hand, or reinstall it")
