"""models.lock: what the user's first download of a file was, so that later ones must be the same.

The hash of some published files is not known to the registry. Whoever downloads such a file first
has to trust the connection; from then on its hash is pinned here. The hashes of converted files
are kept here too, since only the originals are published.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from filelock import FileLock
from pydantic import Field, ValidationError

from sepcli.errors import ModelError
from sepcli.hashing import sha256_of
from sepcli.home import config_folder
from sepcli.registry.cache import output_errors
from sepcli.registry.schema import SHA256, ModelFile
from sepcli.sections import Section, explain
from sepcli.yaml_file import read_yaml, write_yaml


class Digest(Section):
    """What a file must be; None where that is not known. The size is in bytes."""

    sha256: Annotated[str, Field(pattern=SHA256)] | None = None
    size: Annotated[int, Field(ge=1)] | None = None


class Lock(Section):
    """The whole file.

    Attributes:
        downloads: by address.
        converted: by address, then by kind of conversion.
    """

    version: Literal[1] = 1
    downloads: dict[str, Digest] = Field(default_factory=dict)
    converted: dict[str, dict[str, Digest]] = Field(default_factory=dict)


def lock_path() -> Path:
    """Beside the user's own registry."""
    return config_folder() / "models.lock"


def read_lock() -> Lock:
    """What is pinned so far.

    Raises:
        ModelError: if the file is damaged: nothing in it may be silently forgotten.
    """
    path = lock_path()
    if not path.exists():
        return Lock()
    try:
        return Lock.model_validate(read_yaml(path))
    except ValidationError as error:
        remedy = "correct it, or delete it to trust the next downloads anew"
        raise ModelError(f"{path}: {explain(error, Lock)}", remedy) from None


def digest_of(path: Path) -> Digest:
    """What a file is."""
    return Digest(sha256=sha256_of(path), size=path.stat().st_size)


def expected_original(file: ModelFile) -> Digest:
    """What a download must be: what its entry says, else what was pinned."""
    pin = read_lock().downloads.get(file.source, Digest())
    if file.sha256 not in (None, pin.sha256):
        return Digest(sha256=file.sha256, size=file.size)  # the pin is of a file since replaced
    return Digest(sha256=pin.sha256 or file.sha256, size=file.size or pin.size)


def expected(file: ModelFile) -> Digest:
    """What a file must be in the form that is loaded."""
    if file.convert is not None:
        return read_lock().converted.get(file.source, {}).get(file.convert, Digest())
    if file.remote:
        return expected_original(file)
    return Digest(sha256=file.sha256, size=file.size)


def pin_download(source: str, digest: Digest) -> None:
    """Remember what the file at an address is.

    Raises:
        OutputError: if the lock file cannot be written.
    """

    def add(lock: Lock) -> Lock:
        return lock.model_copy(update={"downloads": {**lock.downloads, source: digest}})

    _update(add)


def record_converted(source: str, kind: str, digest: Digest) -> None:
    """Remember what converting the file at an address gave.

    Raises:
        OutputError: if the lock file cannot be written.
    """

    def add(lock: Lock) -> Lock:
        kinds = {**lock.converted.get(source, {}), kind: digest}
        return lock.model_copy(update={"converted": {**lock.converted, source: kinds}})

    _update(add)


def _update(change: Callable[[Lock], Lock]) -> None:
    path = lock_path()
    with output_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(".models.lock.held")):
            write_yaml(path, change(read_lock()).model_dump(exclude_none=True))
