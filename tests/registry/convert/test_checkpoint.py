"""Files from strangers: what is read, what is refused, and that nothing in them runs."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sepcli.errors import ModelError
from sepcli.registry.convert import checkpoint
from sepcli.registry.convert.checkpoint import read_checkpoint

Saved = Callable[..., Path]
TRACE = "was-run"  # the file that every payload would write into the working folder


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


PAYLOADS = {
    "posix.system": Call(os.system, f"touch {TRACE}"),
    "exec": Call(exec, f"open('{TRACE}', 'w').close()"),
    "eval": Call(eval, f"open('{TRACE}', 'w').close()"),
    "getattr": Call(getattr, Call(exec, f"open('{TRACE}', 'w')"), "close"),
    "io.open": Call(io.open, TRACE, "w"),
    "pathlib": Path(TRACE),
    "numpy": Call(np.frombuffer, b"12345678"),
}
WEIGHTS = OrderedDict(a=torch.ones(2))
PLACES: dict[str, Callable[[object], object]] = {
    "alone": lambda payload: payload,
    "a weight": lambda payload: {"state_dict": OrderedDict(a=payload)},
    "beside": lambda payload: {"state_dict": WEIGHTS, "epoch": payload},
    "nested": lambda payload: {"state_dict": WEIGHTS, "x": [{"y": (1, {"z": [payload]})}]},
    "a key": lambda payload: {"state_dict": WEIGHTS, (1, payload): 0},
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("wants", PAYLOADS)
def test_a_hostile_pickle_runs_nothing(wants: str, place: str, legacy: bool, saved: Saved) -> None:
    path = saved(PLACES[place](PAYLOADS[wants]), legacy=legacy)
    with pytest.raises(ModelError, match=rf"asks for \w*\.?{wants}[\w.]*; nothing in it was run"):
        read_checkpoint(path)
    assert not Path(TRACE).exists()


def test_the_payloads_would_run() -> None:
    for name in ("posix.system", "exec", "eval", "io.open"):
        with warnings.catch_warnings(action="ignore"):
            pickle.loads(pickle.dumps(PAYLOADS[name]))
        assert Path(TRACE).exists()
        Path(TRACE).unlink()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_bare_pickle_is_refused(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps({"a": PAYLOADS["posix.system"]}, protocol))
    with pytest.raises(ModelError) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert not Path(TRACE).exists()


def test_refusing_leaves_no_warnings(
    saved: Saved, recwarn: pytest.WarningsRecorder, tmp_path: Path
) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps({"a": 1}, 4))
    with pytest.raises(ModelError):
        read_checkpoint(path)
    assert not recwarn.list


@pytest.mark.parametrize("legacy", [False, True])
def test_scores_as_numpy_scalars_are_read_over(saved: Saved, legacy: bool) -> None:
    before = set(torch.serialization.get_safe_globals())
    scores = {"best": np.float64(3), "n": np.int64(2), "half": np.float32(1), "on": np.bool_(True)}
    read = read_checkpoint(saved({"state_dict": WEIGHTS, **scores}, legacy=legacy))
    assert read.records == ["best", "n", "half", "on"]
    assert torch.equal(read.state["a"], WEIGHTS["a"])
    assert set(torch.serialization.get_safe_globals()) == before, "allowed for this file only"


def pickled(program: bytes, path: Path) -> Path:
    """A checkpoint with a pickle written by hand."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + program)
        archive.writestr("model/version", "3\n")
        archive.writestr("model/byteorder", "little")
    return path


@pytest.mark.parametrize("name", checkpoint.NUMPY_SCALARS)
def test_no_code_of_numpy_is_called(name: str, tmp_path: Path) -> None:
    """{"a": name(5)}: NumPy itself would raise an error for each of these."""
    module, _, function = name.rpartition(".")
    key, call = b"X\x01\x00\x00\x00a", f"c{module}\n{function}\n".encode() + b"K\x05\x85R"
    path = pickled(b"}" + key + call + b"s.", tmp_path / "model.pt")
    with pytest.raises(ModelError, match="a is no plain tensor"):
        read_checkpoint(path)


def test_a_state_without_anything_around_it(saved: Saved) -> None:
    read = read_checkpoint(saved({"a": torch.nn.Parameter(torch.ones(2))}))
    assert list(read.state) == ["a"]
    assert read.records == []


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file({"a": torch.arange(3.0)}, tmp_path / "model.safetensors")
    read = read_checkpoint(tmp_path / "model.safetensors")
    assert torch.equal(read.state["a"], torch.arange(3.0))


def tarred(payload: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("model.pt")
        member.size = len(payload)
        archive.addfile(member, io.BytesIO(payload))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (gzip.compress(tarred(b"x")), "gzip archive: unpack it"),
        (tarred(b"x"), "tar archive: unpack it"),
        (b"BZh91AY", "bzip2"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"", "fetch the file again"),
        (b"weights", "fetch the file again"),
    ],
)
def test_other_files_posing_as_checkpoints(content: bytes, remedy: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pth.tar"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="no checkpoint") as caught:
        read_checkpoint(path)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file(legacy: bool, share: float, saved: Saved) -> None:
    path = saved({"state_dict": {"a": torch.ones(5000), "b": torch.ones(3)}}, legacy=legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match="damaged or cut short"):
        read_checkpoint(path)


def header(length: int, text: bytes, data: bytes = b"") -> bytes:
    return length.to_bytes(8, "little") + text + data


def entry(**changes: Any) -> bytes:
    described = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changes}
    return json.dumps({"a": described}).encode()


@pytest.mark.parametrize(
    "content",
    [
        header(2**62, entry(), b"1234"),
        header(10**6, entry(), b"1234"),
        header(5, b"{abc}", b"1234"),
        header(len(entry(data_offsets=[0, 2**60])), entry(data_offsets=[0, 2**60]), b"1234"),
        header(len(entry(shape=[2**40, 2**40])), entry(shape=[2**40, 2**40]), b"1234"),
        header(len(entry()), entry()),
        header(len(b'{"a":' * 9), b'{"a":' * 9),
    ],
)
def test_absurd_safetensors(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged") as caught:
        read_checkpoint(path)
    assert len(str(caught.value)) < 500


def test_long_indices_are_refused(
    tmp_path: Path, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LARGEST_INDEX", 10)
    save_file({"a": torch.ones(9)}, tmp_path / "model.safetensors")
    for path in (tmp_path / "model.safetensors", saved({"a": torch.ones(2)})):
        with pytest.raises(ModelError, match="bytes to name its tensors"):
            read_checkpoint(path)


def rezipped(path: Path, compression: int) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {item.filename: archive.read(item) for item in archive.infolist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_bomb_is_refused(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved({"a": torch.zeros(1 << 20)})
    rezipped(path, zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it must not be opened"))
    with pytest.raises(ModelError, match="bytes that would unpack to 419"):
        read_checkpoint(path)


def test_an_overlapping_bomb_is_refused(tmp_path: Path) -> None:
    """Two members that are the same bytes; none of them is compressed."""
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", b"0" * 10_000)
        first = archive.infolist()[0]
        archive.filelist.append(first)
    with pytest.raises(ModelError, match="would unpack to 20000"):
        read_checkpoint(path)


def test_compressed_members_are_refused(saved: Saved) -> None:
    path = saved({"a": torch.randint(0, 256, (5000,), dtype=torch.uint8)})
    rezipped(path, zipfile.ZIP_LZMA)  # grows: nothing in it repeats
    with pytest.raises(ModelError, match="torch compresses nothing"):
        read_checkpoint(path)


def test_other_archives_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("readme.txt", "weights elsewhere")
    with pytest.raises(ModelError, match="damaged or cut short"):
        read_checkpoint(tmp_path / "model.pt")


def test_files_of_absurd_size_are_refused(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved({"a": torch.ones(2)})
    monkeypatch.setattr(checkpoint, "LARGEST", 10)
    with pytest.raises(ModelError, match="more than 0 GiB"):
        read_checkpoint(path)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.pt", tmp_path):
        with pytest.raises(ModelError, match="cannot read"):
            read_checkpoint(path)


@pytest.mark.parametrize(
    "content",
    [[torch.ones(1)], {}, {"state_dict": [1]}, {"state_dict": {}}, torch.ones(1), 3],
)
def test_without_a_state(content: object, saved: Saved) -> None:
    with pytest.raises(ModelError, match="no weights by name"):
        read_checkpoint(saved(content))


@pytest.mark.parametrize(
    "value",
    [
        3.0,
        None,
        torch.eye(3).to_sparse(),
        torch.empty(3, device="meta"),
        torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.qint8),
    ],
    ids=["number", "nothing", "sparse", "meta", "quantized"],
)
def test_odd_weights(value: object, saved: Saved) -> None:
    with pytest.raises(ModelError, match="odd is no plain tensor"):
        read_checkpoint(saved({"state_dict": {"a": torch.ones(1), "odd": value}}))


@pytest.mark.parametrize("key", [3, (1, 2), "a\x1b[2Jb", "a\nb", "a" * 301])
def test_keys_that_cannot_be_shown(key: object, saved: Saved) -> None:
    with pytest.raises(ModelError, match="a tensor is called") as caught:
        read_checkpoint(saved({key: torch.ones(1)}))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_a_tensor_that_claims_more_than_its_bytes(saved: Saved) -> None:
    """Reading it must neither reserve a terabyte nor fail with a traceback."""
    with warnings.catch_warnings(action="ignore"):
        storage = torch.ones(2).storage()
    rebuild = torch._utils._rebuild_tensor_v2
    path = saved({"a": Call(rebuild, storage, 0, (10**12,), (1,), False, OrderedDict())})
    with pytest.raises(ModelError, match="damaged or cut short"):
        read_checkpoint(path)


def test_an_archive_is_read_from_the_disk_only_when_needed(saved: Saved) -> None:
    read = read_checkpoint(saved({"a": torch.arange(4.0)}))
    assert read.state["a"].untyped_storage().nbytes() == 16
    assert not read.state["a"].untyped_storage().resizable()
