"""Reading checkpoints made by people we do not know, without running anything in them.

A PyTorch checkpoint is a pickle, which is a program: it may call any function it names. Here
torch's restricted reader takes tensors, plain containers, numbers and texts, and refuses all
else; there is no second try. What a file claims to hold is compared with its size first.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sepcli.errors import ModelError

State = dict[str, Tensor]

LARGEST = 16 << 30  # bytes of a checkpoint; the largest one published has 2.4 GB
LARGEST_INDEX = 64 << 20  # bytes of the part that names the tensors; 10 kB are usual
LONGEST_KEY = 300  # characters; 90 are usual
ZIP, PICKLE = b"PK\x03\x04", b"\x80"  # first bytes of torch's format, and of that before 1.6
TAR, TAR_AT = b"ustar", 257
POSERS = {
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"BZh": "a bzip2 archive: unpack it",
    b"\xfd7zXZ": "an xz archive: unpack it",
    b"<": "a web page: the download needs a login, or another address",
    b"version https://git-lfs": "a Git LFS pointer: fetch the file that it points at",
}

NUMPY_SCALARS = (
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",  # its name since NumPy 2
    "numpy.dtype",
)
REFUSED = "get plain weights, as safetensors or a state_dict, from whoever made the file"
FETCH_AGAIN = "fetch the file again"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Attributes:
        state: tensors by key, on the CPU; as a rule not read from the disk yet.
        records: names of what lies beside them, such as an optimizer's state.
    """

    state: State
    records: list[str]


class Unread:
    """Stands for a NumPy scalar, such as a best score: a record of training that we do not need.

    Published files hold some. With this class in their place no code of NumPy is called.
    """

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


def read_checkpoint(path: Path) -> Checkpoint:
    """The tensors of a .ckpt, .pt, .pth, .pth.tar or .safetensors file; its content decides.

    Raises:
        ModelError: if it cannot be read, is not such a file, is damaged, claims more than it
            can hold, or holds anything but plain data.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(TAR_AT + len(TAR))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(f"cannot read {path}: {reason}", "check the path") from error
    if size > LARGEST:
        raise ModelError(f"{path.name} has more than {LARGEST >> 30} GiB", "give a checkpoint")
    if head.startswith(ZIP):
        _check_archive(path, size)
        return _sorted_out(_unpickle(path, mmap=True), path)
    if head.startswith(PICKLE):
        return _sorted_out(_unpickle(path, mmap=False), path)
    if head[8:9] == b"{":
        return _sorted_out(_safetensors(path, head, size), path)
    raise ModelError(f"{path.name} is no checkpoint", _instead(head))


def _instead(head: bytes) -> str:
    if head[TAR_AT:] == TAR:
        return "it is a tar archive: unpack it"
    fitting = (what for start, what in POSERS.items() if head.lstrip().startswith(start))
    return f"it is {kind}" if (kind := next(fitting, None)) else FETCH_AGAIN


def _check_archive(path: Path, size: int) -> None:
    """Refuse zip archives that would unpack to more than the file.

    torch stores members uncompressed, one after another, so that together they are smaller than
    the file; compressed ones (or the same bytes named many times) are the work of someone else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(path) from error
    total = sum(member.file_size for member in members)
    if total > size:
        message = f"{path.name} is refused: {size} bytes that would unpack to {total}"
        raise ModelError(message, REFUSED)
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ModelError(f"{path.name} is refused: torch compresses nothing", REFUSED)
    for member in members:
        if member.filename.endswith("data.pkl"):
            _check_index(member.file_size, path)


def _check_index(size: int, path: Path) -> None:
    if size > LARGEST_INDEX:
        raise ModelError(f"{path.name} is refused: {size} bytes to name its tensors", REFUSED)


def _unpickle(path: Path, mmap: bool) -> Any:
    allowed = torch.serialization.safe_globals([(Unread, name) for name in NUMPY_SCALARS])
    try:
        with warnings.catch_warnings(), allowed:
            warnings.simplefilter("ignore")  # torch's advice to those who write such files
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        wants = re.search(r"GLOBAL ([\w.]+)", str(error))
        why = f"it asks for {wants[1]}" if wants else "it is no plain data"
        message = f"{path.name} is refused: {why}; nothing in it was run"
        raise ModelError(message, REFUSED) from error
    except Exception as error:  # a stranger's bytes may raise anything
        raise _damaged(path) from error


def _safetensors(path: Path, head: bytes, size: int) -> State:
    header = int.from_bytes(head[:8], "little")
    if header > size:
        raise _damaged(path)
    _check_index(header, path)
    try:
        state: State = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path) from error
    return state


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path.name} is damaged or cut short", FETCH_AGAIN)


def _sorted_out(content: Any, path: Path) -> Checkpoint:
    """The state_dict and what lies beside it."""
    beside: list[str] = []
    state = content
    if isinstance(content, Mapping) and "state_dict" in content:
        state = content["state_dict"]
        beside = [str(key) for key in content if key != "state_dict"]
    if not isinstance(state, Mapping) or not state:
        raise ModelError(f"{path.name} holds no weights by name", REFUSED)
    for key, value in state.items():
        if not _speakable(key):
            raise ModelError(f"{path.name} is refused: a tensor is called {key!r:.60}", REFUSED)
        if not _plain(value):
            raise ModelError(f"{path.name}: {key} is no plain tensor", REFUSED)
    return Checkpoint(dict(state), beside)


def _speakable(key: object) -> bool:
    """Whether a key can be shown on a terminal."""
    return isinstance(key, str) and key.isprintable() and len(key) <= LONGEST_KEY


def _plain(value: object) -> bool:
    """Whether a value is an ordinary tensor, with its numbers at hand."""
    if not isinstance(value, Tensor) or value.is_nested or value.is_quantized:
        return False
    return value.layout is torch.strided and value.device.type == "cpu"
