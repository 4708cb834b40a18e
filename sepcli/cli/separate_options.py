"""The options that decide what stems are, shared by all commands that take them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from sepcli.separation.options import SeparateOptions


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


@dataclass(frozen=True, kw_only=True)
class StemOptions:
    """What a command was given to say which stems it is to make, and how."""

    query: Annotated[
        list[str] | None,
        typer.Option("--query", "-q", help="A sound to take out; repeat for more stems."),
    ] = None
    query_file: Annotated[Path | None, typer.Option(help="A text file with one query a line.")] = (
        None
    )
    like: Annotated[
        list[Path] | None,
        typer.Option(
            help="A recording of such a sound, a folder of them, or what `sepcli embed` made of "
            "them; several are averaged into one query."
        ),
    ] = None
    image: Annotated[
        list[Path] | None,
        typer.Option(help="A picture of what makes the sound; several are averaged."),
    ] = None
    image_from: Annotated[
        list[str] | None,
        typer.Option(metavar="VIDEO@TIME", help="A video's picture at a time, in seconds or m:s."),
    ] = None
    clip: Annotated[
        str | None,
        typer.Option(
            envvar="SEPCLI_CLIP",
            help="The CLIP that looks at pictures, a folder or a name in the hub's cache.",
        ),
    ] = None
    span: Annotated[
        str | None, typer.Option(help="Take out what is heard from START-END, in seconds or m:s.")
    ] = None
    negative: Annotated[
        list[str] | None, typer.Option(help="A sound that must not be in any stem.")
    ] = None
    remove: Annotated[
        bool, typer.Option("--remove", help="Give everything but the described sounds.")
    ] = False
    residual: Annotated[bool, typer.Option("--residual", help="Also give what no query took.")] = (
        False
    )
    compete: Annotated[
        bool, typer.Option("--compete", help="Let stems share what several of them claim.")
    ] = False
    auto: Annotated[
        bool, typer.Option("--auto", help="Take out what `sepcli detect` finds, unasked.")
    ] = False
    auto_limit: Annotated[
        int, typer.Option(min=1, help="With --auto, at most so many sounds of a recording.")
    ] = 5
    stems: Annotated[
        str | None, typer.Option(help="Of a model with fixed stems, only these, comma-separated.")
    ] = None
    drop_silent: Annotated[
        bool, typer.Option("--drop-silent", help="Leave out stems 50 dB below the recording.")
    ] = False
    output: Annotated[
        str, typer.Option("--output", "-o", help="Folder of the stems, or - for standard output.")
    ] = "separated"
    name: Annotated[
        str,
        typer.Option(help="Stem names, of {input} {query} {ext} {parent} {model} {start} {end}."),
    ] = "{input}.{query}.{ext}"
    format: Annotated[
        Format | None, typer.Option(help="Container; the input's if lossless, else wav.")
    ] = None
    bits: Annotated[Bits | None, typer.Option(help="Bit depth; the input's by default.")] = None
    start: Annotated[str, typer.Option(help="Where to start, in seconds or m:s.")] = "0"
    duration: Annotated[
        str | None, typer.Option(help="How much to separate, in seconds or m:s.")
    ] = None
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Look into folders' folders.")
    ] = False
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A model's name or folder.")
    ] = None
    registry: Annotated[
        Path | None,
        typer.Option(envvar="SEPCLI_REGISTRY", help="A registry that goes before the others."),
    ] = None
    device: Annotated[DeviceName, typer.Option(help="Where to compute.")] = DeviceName.auto
    precision: Annotated[PrecisionName, typer.Option(help="Number format; auto is fp32.")] = (
        PrecisionName.auto
    )
    batch_size: Annotated[str, typer.Option(help="Windows at once; fewer if memory runs out.")] = (
        "auto"
    )
    window: Annotated[
        float | None, typer.Option(min=1.0, help="Seconds heard at once; the model's by default.")
    ] = None
    compile: Annotated[
        bool,
        typer.Option(
            "--compile", help="Compile the network first, which takes time; for long work."
        ),
    ] = False
    require_presence: Annotated[
        bool, typer.Option("--require-presence", help="Fail if a sound seems not to be there.")
    ] = False
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", help="Leave stems made from the same input and options."),
    ] = False
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False

    def read(self, inputs: list[str], dry_run: bool = False) -> SeparateOptions:
        """The options, checked as far as that can be done without a model.

        Raises:
            UsageError: if one is wrong, or a file that it names is missing.
        """
        from sepcli.query.sight import Picture
        from sepcli.separation.options import SeparateOptions, parse_batch_size
        from sepcli.separation.queries import gather_queries, parse_frame, parse_time

        pictures = [*map(Picture, self.image or []), *map(parse_frame, self.image_from or [])]
        return SeparateOptions(
            inputs=tuple(inputs),
            queries=gather_queries(
                self.query or [], self.query_file, self.like or [], self.span, pictures
            ),
            negatives=tuple(self.negative or ()),
            output=self.output,
            template=self.name,
            remove=self.remove,
            residual=self.residual,
            compete=self.compete,
            stems=tuple(part.strip() for part in self.stems.split(",")) if self.stems else (),
            drop_silent=self.drop_silent,
            auto=self.auto,
            auto_limit=self.auto_limit,
            recursive=self.recursive,
            model=self.model,
            registry=self.registry,
            clip=self.clip,
            container=self.format.value if self.format else None,
            bits=self.bits.value if self.bits else None,
            start=parse_time(self.start),
            duration=parse_time(self.duration) if self.duration else None,
            device=self.device.value,
            precision=self.precision.value,
            batch_size=parse_batch_size(self.batch_size),
            window=self.window,
            compile=self.compile,
            require_presence=self.require_presence,
            skip_existing=self.skip_existing,
            overwrite=self.overwrite,
            dry_run=dry_run,
        )


def with_stem_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose argument `given`, a `StemOptions`, is told to typer as options of its own.

    They stand where `given` does in the command's signature.
    """
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hint,
        )
        for field, hint in zip(fields(StemOptions), hints(StemOptions).values(), strict=True)
    ]
    own = inspect.signature(command).parameters
    parameters = list[inspect.Parameter]()
    for name, hint in hints(command).items():
        if name == "given":
            parameters += shared
        elif name != "return":
            parameter = own[name].replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY)
            parameters.append(parameter)

    @wraps(command)
    def told(**words: Any) -> None:
        given = {parameter.name: words.pop(parameter.name) for parameter in shared}
        command(given=StemOptions(**given), **words)

    told.__dict__["__signature__"] = inspect.Signature(parameters)
    told.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return told


def hints(annotated: Any) -> dict[str, Any]:
    """Annotations with what typer is told in them."""
    return get_type_hints(annotated, include_extras=True)
