"""What is to be mined, checked before a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.separation.inputs import MANIFESTS, expand
from sepcli.separation.options import STREAM

SUFFIXES = (".jsonl", ".parquet")


def recordings_of(inputs: Sequence[str], recursive: bool, output: Path) -> list[Path]:
    """The recordings that inputs name, each once.

    Raises:
        UsageError: if an input names none, is a stream or a list, which cannot be mined, or the
            output is no manifest, or is there and no file.
    """
    for text in inputs:
        if text == STREAM or Path(text).suffix.lower() in MANIFESTS:
            raise UsageError(f"{text} cannot be mined", "name recordings, folders or globs")
    if output.suffix not in SUFFIXES:
        raise UsageError(f"{output} is no manifest", f"end its name in {' or '.join(SUFFIXES)}")
    if output.is_dir():
        raise UsageError(f"{output} is a folder", "give the name of a file to write")
    return list(dict.fromkeys(source.path for source in expand(inputs, recursive)))
