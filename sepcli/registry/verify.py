"""Whether the files of a model are the ones its entry names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sepcli.errors import ModelError
from sepcli.hashing import sha256_of
from sepcli.registry.lockfile import expected
from sepcli.registry.store import Model

Status = Literal["ok", "no hash known", "not downloaded", "missing", "wrong"]
Hash = Callable[[Path], str]


@dataclass(frozen=True)
class Verified:
    """What became of a file.

    Attributes:
        model: its name.
        role: of the file.
        path: where the file belongs.
        status: "missing" is a file of this machine, "not downloaded" one that can be pulled.
        size: bytes; None if it is not there.
        error: what is wrong with it.
        help: what to do about that.
    """

    model: str
    role: str
    path: str
    status: Status
    size: int | None = None
    error: str = ""
    help: str = ""

    @property
    def bad(self) -> bool:
        """Whether the model cannot be used as it is."""
        return self.status in ("missing", "wrong")


def verify(model: Model, role: str, sha256: Hash = sha256_of) -> None:
    """Compare a file's size and hash with its entry, or with what was pinned.

    Args:
        model: an entry of a registry.
        role: of the file.
        sha256: how a file is hashed.

    Raises:
        ModelError: if it is missing, or not the file.
    """
    known, path = expected(model.entry.files[role]), model.path(role)
    size = path.stat().st_size
    if known.size is not None and size != known.size:
        message = f"model {model.name}: {path.name} has {size} bytes, not {known.size}"
        raise ModelError(message, _remedy(model, role))
    if known.sha256 is not None and sha256(path) != known.sha256:
        message = f"model {model.name}: {path.name} is not the file the registry names"
        raise ModelError(message, _remedy(model, role))


def verify_all(model: Model, sha256: Hash = sha256_of) -> Iterator[Verified]:
    """Every file of a model, with what is wrong with it."""
    for role, file in model.entry.files.items():
        path, error = model.place(role), None
        try:
            verify(model, role, sha256)
        except ModelError as caught:
            error = caught
        there = path.is_file()
        status: Status = "ok" if expected(file).sha256 else "no hash known"
        if error is not None:
            elsewhere = file.remote or file.by_hand
            status = "wrong" if there else "not downloaded" if elsewhere else "missing"
        yield Verified(
            model=model.name,
            role=role,
            path=str(path),
            status=status,
            size=path.stat().st_size if there else None,
            error=str(error or ""),
            help=error.remedy if error else "",
        )


def _remedy(model: Model, role: str) -> str:
    if model.entry.files[role].remote:
        return f"delete {model.place(role)}, then: sepcli models pull {model.called}"
    return "reinstall sepcli, or fetch the file again"
