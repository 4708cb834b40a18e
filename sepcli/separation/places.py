"""Where stems go: no two to one place, and none to where something else is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from sepcli.errors import OutputError, UsageError
from sepcli.separation.options import STREAM, SeparateOptions
from sepcli.separation.plan import Job


def check_places(jobs: Iterable[Job], options: SeparateOptions) -> None:
    """Refuse stems that would overwrite each other, an input, or what is there.

    Raises:
        UsageError
    """
    places = Places(options)
    for job in jobs:
        places.take(job)


class Places:
    """Those that are taken; kept as hashes, since there may be millions."""

    def __init__(self, options: SeparateOptions) -> None:
        self._stream = options.output == STREAM
        self._replaces = options.overwrite or options.skip_existing
        self._outputs: set[bytes] = set()
        self._inputs: set[bytes] = set()

    def take(self, job: Job) -> None:
        """Take the places of a job's stems.

        Raises:
            UsageError: if one is taken, or is an input, or a file that may not be replaced.
        """
        source = place_of(job.info.path)
        self._inputs.add(source)
        if not self._stream and source in self._outputs:
            raise overwritten(job.info.path)
        for output in job.outputs:
            self._take(output.path)

    def _take(self, path: Path) -> None:
        place = place_of(path)
        taken = place in self._outputs
        self._outputs.add(place)
        if self._stream:
            if len(self._outputs) > 1 or taken:
                raise UsageError("standard output takes one stem", "ask for one, or name a folder")
            return
        if taken:
            message = f"two stems would be written to {path.absolute()}"
            example = "'{parent}/{input}.{query}.{ext}'"
            remedy = f"give --name a field that tells them apart, such as {example}"
            raise UsageError(message, remedy)
        if place in self._inputs:
            raise overwritten(path)
        if is_there(path) and not self._replaces:
            raise UsageError(f"{path} is there already", "give --overwrite or --skip-existing")


def is_there(path: Path) -> bool:
    """Whether a file is where a stem should go.

    Raises:
        OutputError: if none can be there, since the path is too long, or leads nowhere.
    """
    try:
        return path.exists()
    except OSError as error:
        message = f"cannot write {path!s:.100}: {error.strerror}"
        raise OutputError(message, "choose another, or a shorter, -o or --name") from error


def place_of(path: Path) -> bytes:
    """Tells a path from all others, however it is written."""
    return hashlib.blake2b(os.fsencode(os.path.normcase(path.absolute())), digest_size=16).digest()


def overwritten(path: Path) -> UsageError:
    """The error of a stem that would go where an input is."""
    message = f"a stem would overwrite its input {path}"
    return UsageError(message, "choose another -o or --name")
