"""`sepcli data render-midi`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def render_midi(
    songs: Annotated[
        list[Path], typer.Argument(help="MIDI files, and folders that are searched for them.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the songs' folders go.")],
    soundfont: Annotated[
        Path | None,
        typer.Option(help="The instruments; by default Debian's fluid-soundfont-gm."),
    ] = None,
    rate: Annotated[
        int, typer.Option(min=8000, max=96_000, help="Sample rate of the stems, Hz.")
    ] = 44_100,
    licence: Annotated[
        str, typer.Option(help="Of the MIDI files, for the manifest: CC0, CC-BY-4.0, own...")
    ] = "",
) -> None:
    """Render MIDI files as stems, one for every instrument, that sum to the mixture exactly.

    FluidSynth must be installed. Writes OUT/<song>/<instrument>.wav, OUT/<song>/mixture.wav and
    OUT/manifest.jsonl. Songs that are there already are left alone. Damaged files are listed, and
    the exit code is 1 then.

    Examples:

    \b
        sepcli data render-midi songs/ -o corpora/midi --licence CC0
        sepcli data render-midi a.mid b.mid -o corpora/midi --soundfont GeneralUser.sf2
        sepcli eval --dataset folder --root corpora/midi
    """
    import sys

    from tqdm import tqdm

    from sepcli.cli.voice import Voice
    from sepcli.training.corpora.music import render_songs
    from sepcli.training.synthesis import SOUNDFONT

    voice = Voice()
    with tqdm(unit="song", file=sys.stderr) as bar:

        def told(song: str) -> None:
            bar.set_description(song)
            bar.update()

        done = render_songs(songs, out, soundfont or SOUNDFONT, rate, licence, told)
    for reason in done.failures.values():
        voice.say(f"failed: {reason}")
    stems = sum(map(len, done.stems.values()))
    typer.echo(
        f"{len(done.stems)} songs, {stems} stems, {done.seconds / 60:.1f} min of music; "
        f"{len(done.failures)} files failed"
    )
    raise typer.Exit(1 if done.failures else 0)
