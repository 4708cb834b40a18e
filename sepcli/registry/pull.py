"""From an entry of the registry to its files on this machine: fetched, checked, converted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from sepcli.errors import ModelError
from sepcli.registry.cache import original_path, output_errors, source_folder, usable_path
from sepcli.registry.download import Patience, download
from sepcli.registry.lockfile import (
    digest_of,
    expected,
    expected_original,
    pin_download,
    record_converted,
)
from sepcli.registry.pull_events import Converted, Event, Failed, Notice, Planned, Ready
from sepcli.registry.schema import ModelFile
from sepcli.registry.store import Model
from sepcli.sections import suggestion

PATIENCE = Patience()
OFFLINE = "SEPCLI_OFFLINE"
NO = ("", "0", "false", "no", "off")


def pull_all(
    models: Sequence[Model],
    keep_original: bool = False,
    offline: bool = False,
    patience: Patience = PATIENCE,
) -> Iterator[Event]:
    """Pull one model after another; one that cannot be had does not stop the others.

    Raises:
        OutputError: if the cache cannot be written, which none of the others could do either.
    """
    for model in models:
        try:
            yield from pull(model, keep_original, offline, patience)
        except ModelError as error:
            yield Failed(model.name, str(error), error.remedy)


def pull(
    model: Model,
    keep_original: bool = False,
    offline: bool = False,
    patience: Patience = PATIENCE,
) -> Iterator[Event]:
    """Get all files of a model that are not here yet.

    Args:
        model: an entry of a registry.
        keep_original: keep files that are converted in their published form too.
        offline: connect to nothing; so does SEPCLI_OFFLINE=1.
        patience: with servers.

    Raises:
        ModelError: if a file cannot be had, is not the one expected, or cannot be converted.
        OutputError: if the cache cannot be written.
    """
    for role, file in model.entry.files.items():
        if file.by_hand:
            model.path(role)  # says how to get it; nothing else is fetched in vain
    sources: dict[str, list[ModelFile]] = {}
    for file in model.remote:
        if not is_ready(file):
            sources.setdefault(file.source, []).append(file)
    if sources:
        yield _plan(model, [files[0] for files in sources.values()])
    for files in sources.values():
        yield from _pull_source(files, keep_original, offline or offline_by_environment(), patience)
    places = {role: str(model.path(role)) for role in model.entry.files}
    yield Ready(model.name, places, bool(sources))


def is_ready(file: ModelFile) -> bool:
    """Whether a file is here in the form that is loaded; a quick look at its size only."""
    return _has(usable_path(file), expected(file).size)


def offline_by_environment() -> bool:
    """Whether SEPCLI_OFFLINE forbids to connect."""
    return os.environ.get(OFFLINE, "").lower() not in NO


def _plan(model: Model, files: Sequence[ModelFile]) -> Planned:
    fetched = [file for file in files if not _has_original(file)]
    sizes = [expected_original(file).size for file in fetched]
    licence = model.entry.licence
    known = sum(size for size in sizes if size)
    return Planned(model.name, known, sizes.count(None), licence.code, licence.weights)


def _pull_source(
    files: Sequence[ModelFile], keep_original: bool, offline: bool, patience: Patience
) -> Iterator[Event]:
    """All that a model makes of the file at one address; others wait meanwhile.

    The folder's lock is held from the first byte to the last conversion, so that of two processes
    one does the work, and neither takes the original away from the other.
    """
    first, folder = files[0], source_folder(files[0].source)
    for file in files:
        _check_kind(file)
    if offline and not _has_original(first):
        raise _offline_error(first)
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".held", thread_local=False)
    try:
        yield from _acquire(lock, first)
        missing = [file for file in files if not is_ready(file)]
        if missing and not _has_original(first):
            yield from download(first, patience)
        elif missing:
            _check_original(first)
        for file in missing:
            if file.convert is not None:
                yield _convert(file, file.convert)
        if not keep_original and all(file.convert for file in files):
            with output_errors(folder):
                original_path(first).unlink(missing_ok=True)
    finally:
        lock.release()


def _acquire(lock: FileLock, file: ModelFile) -> Iterator[Notice]:
    with output_errors(Path(lock.lock_file).parent):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield Notice(f"another sepcli is fetching {original_path(file).name}; waiting for it")
            lock.acquire()


def _convert(file: ModelFile, kind: str) -> Converted:
    from sepcli.registry.convert import convert_file

    original, target = original_path(file), usable_path(file)
    fresh = target.with_name(f".new-{target.name}")
    try:
        with output_errors(target.parent):
            convert_file(kind, original, fresh)
            record_converted(file.source, kind, digest_of(fresh))
            fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return Converted(target.name, original.stat().st_size, target.stat().st_size)


def _check_original(file: ModelFile) -> None:
    """A file that was kept, or put there by hand, is no more trusted than one that is fetched."""
    path, known = original_path(file), expected_original(file)
    digest = digest_of(path)
    if known.sha256 not in (None, digest.sha256):
        message = f"{path} has sha256 {digest.sha256}, not {known.sha256}"
        raise ModelError(message, "delete it and pull again")
    if known.sha256 is None:
        pin_download(file.source, digest)


def _check_kind(file: ModelFile) -> None:
    """An unknown conversion is refused before gigabytes are fetched for it."""
    if file.convert is None:
        return
    from sepcli.registry.convert import CONVERTERS

    if file.convert not in CONVERTERS:
        message = f"unknown conversion {file.convert}{suggestion(file.convert, CONVERTERS)}"
        raise ModelError(message, f"correct the registry; known are {', '.join(CONVERTERS)}")


def _offline_error(file: ModelFile) -> ModelError:
    return ModelError(
        f"{original_path(file).name} is not downloaded, and sepcli is told to stay offline",
        f"leave out --offline and {OFFLINE}, or copy it to {original_path(file)}",
    )


def _has_original(file: ModelFile) -> bool:
    return _has(original_path(file), expected_original(file).size)


def _has(path: Path, size: int | None) -> bool:
    return path.is_file() and size in (None, path.stat().st_size)
