"""One file into the cache: mirrors in order, each tried again while it may help, then checked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sepcli.errors import ModelError
from sepcli.registry.cache import original_path
from sepcli.registry.lockfile import Digest, expected_original, lock_path, pin_download
from sepcli.registry.partial import Partial
from sepcli.registry.pull_events import Event, Fetched, Notice, Progress, Started
from sepcli.registry.schema import ModelFile
from sepcli.registry.source import shown
from sepcli.registry.transfer import Refused, Request, Transient, receive

PROGRESS_SECONDS = 0.2  # between two events


@dataclass(frozen=True)
class Patience:
    """How long a mirror is given.

    Attributes:
        attempts: in a row before the mirror is given up; counted anew from one that brings bytes.
        wait: seconds before the second attempt; every further wait is twice as long.
        timeout: seconds in which an answer, or the next bytes of it, must come.
    """

    attempts: int = 5
    wait: float = 1.0
    timeout: float = 30.0


class WrongContent(Refused):
    """A whole file, but not the one that was asked for."""


def download(file: ModelFile, patience: Patience) -> Iterator[Event]:
    """Fetch a file as it is published, check it, pin it if its hash was not known.

    What was received stays, whatever happens, and the next call goes on from there; only a full
    disk and a wrong file clear it away. The caller holds the lock of the file's folder.

    Raises:
        ModelError: if no mirror has the file, or what they have is not the one expected.
        OutputError: if it cannot be written.
    """
    target, known, began = original_path(file), expected_original(file), time.monotonic()
    yield Started(target.name, file.source)
    with Partial(target) as partial:
        yield from _from_any_mirror(file, known, partial, patience)
        if known.sha256 is None or known.size is None:
            pin_download(file.source, partial.digest)
        partial.finish()
    if known.sha256 is None:
        yield Notice(
            f"the registry knows no hash of {target.name}: what came now is what it must be from "
            f"now on (sha256 {partial.digest.sha256}, kept in {lock_path()})"
        )
    yield Fetched(target.name, partial.size, time.monotonic() - began)


def _from_any_mirror(
    file: ModelFile, known: Digest, partial: Partial, patience: Patience
) -> Iterator[Event]:
    refusals: list[Refused] = []
    for url in (file.source, *file.mirrors):
        request = Request(
            url=url,
            folder=original_path(file).parent,
            size=known.size,
            checked=known.sha256 is not None,
            copies=2 if file.convert else 1,
            timeout=patience.timeout,
        )
        try:
            yield from _until_right(request, known, partial, patience)
            return
        except Refused as refusal:
            refusals.append(type(refusal)(f"{shown(url)}: {refusal}"))
            yield Notice(str(refusals[-1]))
    reasons = "; ".join(dict.fromkeys(map(str, refusals)))
    message = f"cannot download {original_path(file).name}: {reasons}"
    raise ModelError(message, _remedy(file, refusals))


def _remedy(file: ModelFile, refusals: list[Refused]) -> str:
    if not any(isinstance(refusal, WrongContent) for refusal in refusals):
        return "check the connection and pull again: it goes on where it stopped"
    if file.sha256 is None:
        return (
            f"if its publisher says that the file was replaced, delete its entry in "
            f"{lock_path()} and pull again"
        )
    return "do not use that file; if its publisher replaced it, correct the registry entry"


def _until_right(
    request: Request, known: Digest, partial: Partial, patience: Patience
) -> Iterator[Event]:
    """A wrong hash may come of parts that do not belong together: then once more as a whole."""
    for _ in range(2):
        yield from _until_whole(request, partial, patience)
        digest, joined = partial.digest, partial.answers > 1
        if known.sha256 in (None, digest.sha256):
            return
        partial.clear()
        if not joined:
            break
        yield Notice(f"{shown(request.url)}: the parts do not fit together; starting anew")
    raise WrongContent(f"its file has sha256 {digest.sha256}, not {known.sha256}")


def _until_whole(request: Request, partial: Partial, patience: Patience) -> Iterator[Event]:
    failures = 0
    while True:
        before = partial.size
        try:
            yield from _progress(request, partial)
            return
        except Transient as error:
            failures = 1 if partial.size > before else failures + 1
            if failures >= patience.attempts:
                raise Refused(str(error)) from error
            wait = patience.wait * 2 ** (failures - 1)
            yield Notice(f"{shown(request.url)}: {error}; trying again in {wait:g} s")
        time.sleep(wait)


def _progress(request: Request, partial: Partial) -> Iterator[Progress]:
    name, size, last = partial.name, None, 0.0
    for size in receive(request, partial):
        if time.monotonic() - last > PROGRESS_SECONDS:
            last = time.monotonic()
            yield Progress(name, partial.size, size)
    yield Progress(name, partial.size, size)
