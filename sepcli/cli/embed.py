"""`sepcli embed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def embed(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write, .safetensors.")
    ],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[EXAMPLE]...", help="Recordings of a sound, or folders of them."),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", help="Words that describe the sound as well.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The model that will be asked with it.")
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(envvar="SEPCLI_REGISTRY", help="A registry that goes before the others."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
) -> None:
    """Make a query of examples once, to ask with it again and again.

    The examples' embeddings are averaged, a folder counting as one example, and so is every text.
    The file serves all models with the same encoder; others refuse it.

    Exit codes: 0 written, 1 an example cannot be read, 2 usage, 3 model, 5 disk.

    Examples:

    \b
        sepcli embed barks/ -o bark.safetensors
        sepcli embed bell1.wav bell2.wav --text "church bell" -o bell.safetensors
        sepcli separate walk.wav --like bark.safetensors
    """
    from sepcli.registry.store import Registry
    from sepcli.separation.keeping import keep_embedding

    found = Registry(registry).find(model)
    files = keep_embedding(tuple(inputs or ()), tuple(text or ()), output, found, overwrite)
    typer.echo(f"wrote {output} (recordings: {files}, texts: {len(text or ())})", err=True)
