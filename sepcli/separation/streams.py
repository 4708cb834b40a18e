"""Standard input and output in place of files."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sepcli.audio.formats import Encoding
from sepcli.errors import UsageError
from sepcli.separation.inputs import Source, expand
from sepcli.separation.options import STREAM
from sepcli.separation.plan import Job


def opened(inputs: tuple[str, ...], recursive: bool, stack: ExitStack) -> list[Source]:
    """All recordings that the inputs name; standard input as a file, as long as the stack is open.

    Raises:
        UsageError: if an input names nothing, or a manifest is wrong.
    """
    return [
        replace(s, path=stack.enter_context(spooled_input())) if str(s.path) == STREAM else s
        for s in expand(inputs, recursive)
    ]


class spooled_input:
    """Standard input in a temporary file, since decoders want to seek."""

    def __enter__(self) -> Path:
        self._folder = tempfile.TemporaryDirectory(prefix="sepcli-")
        path = Path(self._folder.name) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return path

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


class redirected:
    """A job whose single stem goes to standard output once it is whole."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> Job:
        if len(self._job.outputs) != 1:
            raise UsageError("standard output takes one stem", "ask for one, or name a folder")
        self._folder = tempfile.TemporaryDirectory(prefix="sepcli-")
        path = Path(self._folder.name) / "stem.wav"
        encoding = self._job.encoding
        if encoding.container not in ("WAV", "FLAC"):
            encoding = Encoding("WAV", "FLOAT", "wav")
        self._path = path
        return replace(
            self._job, outputs=(replace(self._job.outputs[0], path=path),), encoding=encoding
        )

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._path.exists():
            with self._path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        self._folder.cleanup()
