"""`sepcli separate`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

HELP = """Take described sounds out of recordings.

INPUT is a recording (any format that libsndfile or FFmpeg decodes, video included), a folder,
a glob, a manifest (CSV or JSONL with path, query, start, end), or - for standard input.

Stems keep the recording's sample rate, channels, length, bit depth and tags. With --residual,
stems and residual sum to the recording.

Exit codes: 0 all done, 1 some recordings failed, 2 usage, 3 model, 4 out of memory, 5 disk.

Examples:

\b
    sepcli separate mix.wav --query "dog barking"
    sepcli separate street.flac -q speech -q "car horn" --compete --residual -o stems
    sepcli separate talk.mp4 --query "dog barking" --remove
    sepcli separate mix.wav --like example.wav
    sepcli separate mix.wav --like barks/
    sepcli separate mix.wav --like bark.safetensors
    sepcli separate field/ --auto --auto-limit 3
    sepcli separate mix.wav --span 3.5-6
    sepcli separate mix.wav --image dog.jpg
    sepcli separate talk.mp4 --image-from talk.mp4@12.5 --model clipsep
    sepcli separate film.mp4 --model tiger-dnr --stems dialogue --residual
    sepcli separate talk.wav --model tiger-speech --drop-silent
    sepcli separate field/ --recursive -q "bird song" --skip-existing --report report.json
    ffmpeg -i talk.mkv -f wav - | sepcli separate - -o - --query speech > speech.wav
"""


class Format(StrEnum):
    """Containers that stems may be written in."""

    wav = "wav"
    flac = "flac"
    aiff = "aiff"
    w64 = "w64"
    caf = "caf"
    ogg = "ogg"
    mp3 = "mp3"


class Bits(StrEnum):
    """Sample encodings of lossless stems."""

    b16 = "16"
    b24 = "24"
    b32 = "32"
    float = "float"


class DeviceName(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class PrecisionName(StrEnum):
    """How to compute."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


class ProgressKind(StrEnum):
    """How progress is shown, on standard error."""

    auto = "auto"
    rich = "rich"
    plain = "plain"
    json = "json"
    none = "none"


def separate(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Recordings, folders, globs, manifests, or -."),
    ],
    query: Annotated[
        list[str] | None,
        typer.Option("--query", "-q", help="A sound to take out; repeat for more stems."),
    ] = None,
    query_file: Annotated[
        Path | None, typer.Option(help="A text file with one query a line.")
    ] = None,
    like: Annotated[
        list[Path] | None,
        typer.Option(
            help="A recording of such a sound, a folder of them, or what `sepcli embed` made of "
            "them; several are averaged into one query."
        ),
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(help="A picture of what makes the sound; several are averaged."),
    ] = None,
    image_from: Annotated[
        list[str] | None,
        typer.Option(metavar="VIDEO@TIME", help="A video's picture at a time, in seconds or m:s."),
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(
            envvar="SEPCLI_CLIP",
            help="The CLIP that looks at pictures, a folder or a name in the hub's cache.",
        ),
    ] = None,
    span: Annotated[
        str | None, typer.Option(help="Take out what is heard from START-END, in seconds or m:s.")
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option(help="A sound that must not be in any stem.")
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Give everything but the described sounds.")
    ] = False,
    residual: Annotated[
        bool, typer.Option("--residual", help="Also give what no query took.")
    ] = False,
    compete: Annotated[
        bool, typer.Option("--compete", help="Let stems share what several of them claim.")
    ] = False,
    auto: Annotated[
        bool, typer.Option("--auto", help="Take out what `sepcli detect` finds, unasked.")
    ] = False,
    auto_limit: Annotated[
        int, typer.Option(min=1, help="With --auto, at most so many sounds of a recording.")
    ] = 5,
    stems: Annotated[
        str | None, typer.Option(help="Of a model with fixed stems, only these, comma-separated.")
    ] = None,
    drop_silent: Annotated[
        bool, typer.Option("--drop-silent", help="Leave out stems 50 dB below the recording.")
    ] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", help="Folder of the stems, or - for standard output.")
    ] = "separated",
    name: Annotated[
        str,
        typer.Option(help="Stem names, of {input} {query} {ext} {parent} {model} {start} {end}."),
    ] = "{input}.{query}.{ext}",
    format: Annotated[
        Format | None, typer.Option(help="Container; the input's if lossless, else wav.")
    ] = None,
    bits: Annotated[Bits | None, typer.Option(help="Bit depth; the input's by default.")] = None,
    start: Annotated[str, typer.Option(help="Where to start, in seconds or m:s.")] = "0",
    duration: Annotated[
        str | None, typer.Option(help="How much to separate, in seconds or m:s.")
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Look into folders' folders.")
    ] = False,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A model's name or folder.")
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(envvar="SEPCLI_REGISTRY", help="A registry that goes before the others."),
    ] = None,
    device: Annotated[DeviceName, typer.Option(help="Where to compute.")] = DeviceName.auto,
    precision: Annotated[
        PrecisionName, typer.Option(help="Number format; auto is fp32.")
    ] = PrecisionName.auto,
    batch_size: Annotated[
        str, typer.Option(help="Windows at once; fewer if memory runs out.")
    ] = "auto",
    window: Annotated[
        float | None, typer.Option(min=1.0, help="Seconds heard at once; the model's by default.")
    ] = None,
    require_presence: Annotated[
        bool, typer.Option("--require-presence", help="Fail if a sound seems not to be there.")
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", help="Leave stems made from the same input and options."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print what would be written.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of every recording as JSON.")
    ] = None,
    progress: Annotated[
        ProgressKind, typer.Option(help="How progress is shown, on standard error.")
    ] = ProgressKind.auto,
) -> None:
    from sepcli.cli.display import display_for
    from sepcli.query.sight import Picture
    from sepcli.separation.options import SeparateOptions, parse_batch_size
    from sepcli.separation.queries import gather_queries, parse_frame, parse_time
    from sepcli.separation.report import Report, check_report
    from sepcli.separation.run import run

    check_report(report)
    pictures = [*map(Picture, image or []), *map(parse_frame, image_from or [])]
    options = SeparateOptions(
        inputs=tuple(inputs),
        queries=gather_queries(query or [], query_file, like or [], span, pictures),
        negatives=tuple(negative or ()),
        output=output,
        template=name,
        remove=remove,
        residual=residual,
        compete=compete,
        stems=tuple(part.strip() for part in stems.split(",")) if stems else (),
        drop_silent=drop_silent,
        auto=auto,
        auto_limit=auto_limit,
        recursive=recursive,
        model=model,
        registry=registry,
        clip=clip,
        container=format.value if format else None,
        bits=bits.value if bits else None,
        start=parse_time(start),
        duration=parse_time(duration) if duration else None,
        device=device.value,
        precision=precision.value,
        batch_size=parse_batch_size(batch_size),
        window=window,
        require_presence=require_presence,
        skip_existing=skip_existing,
        overwrite=overwrite,
        dry_run=dry_run,
    )
    told = Report()
    with display_for(progress.value, dry_run) as display:
        for event in run(options):
            told.read(event)
            display.read(event)
    if report:
        told.write(report, options)
    raise typer.Exit(told.exit_code)


separate.__doc__ = HELP
