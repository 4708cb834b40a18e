"""Locks of folders: who may come in, who is told, and that the dead hold nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sepcli.batch import lock as module
from sepcli.batch.lock import FOLDER, Identity, batch_lock, lone_batch
from sepcli.batch.shards import Shard
from sepcli.errors import OutputError

OUT = Path("out")
PLAN, OTHER = "1" * 64, "2" * 64

HOLD = """
import sys
from pathlib import Path
from sepcli.batch.lock import Identity, batch_lock
with batch_lock(Path("out"), Identity(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)


def held(identity: Identity) -> AbstractContextManager[None]:
    """The folder with a batch in it; that it is one of this process makes no difference."""
    return batch_lock(OUT, identity)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (Identity(PLAN), Identity(OTHER), "another batch"),
        (Identity(PLAN), Identity(PLAN), "the same plan"),
        (Identity(PLAN, Shard(0, 2)), Identity(PLAN, Shard(0, 2)), "the same plan"),
        (Identity(PLAN, Shard(0, 2)), Identity(PLAN, Shard(1, 3)), "the same plan"),
        (Identity(PLAN, Shard(0, 2)), Identity(PLAN), "the same plan"),
        (Identity(PLAN, Shard(0, 2)), Identity(OTHER, Shard(1, 2)), "another batch"),
        (lone_batch(), lone_batch(), "another batch"),
        (lone_batch(), Identity(PLAN, Shard(0, 2)), "another batch"),
    ],
)
def test_the_second_is_told(first: Identity, second: Identity, message: str) -> None:
    with held(first):
        told = rf"{message} \(process {os.getpid()} on"
        with pytest.raises(OutputError, match=told), held(second):
            raise AssertionError
        assert len(list((OUT / FOLDER).iterdir())) == 1  # the refused one left nothing
    with held(second):
        pass


def test_shards_of_a_plan_share_a_folder() -> None:
    with (
        held(Identity(PLAN, Shard(0, 3))),
        held(Identity(PLAN, Shard(2, 3))),
        held(Identity(PLAN, Shard(1, 3))),
    ):
        assert len(list((OUT / FOLDER).iterdir())) == 3
    assert not (OUT / FOLDER).exists()


def test_a_plan_is_told_how_it_is_shared_out() -> None:
    with held(Identity(PLAN)), pytest.raises(OutputError) as caught, held(Identity(PLAN)):
        raise AssertionError
    assert "--shard" in caught.value.remedy


def test_a_folder_that_stays_empty_goes() -> None:
    with held(Identity(PLAN)):
        assert OUT.is_dir()
    assert not OUT.exists()
    with held(Identity(PLAN)):
        (OUT / "stem.wav").write_text("a stem")
    assert [path.name for path in OUT.iterdir()] == ["stem.wav"]
    with held(Identity(PLAN)):
        (OUT / "stem.wav").unlink()
    assert OUT.is_dir()  # it was there before


def test_an_error_frees_the_folder() -> None:
    with pytest.raises(RuntimeError), held(Identity(PLAN)):
        raise RuntimeError
    with held(Identity(OTHER)):
        pass


def test_the_killed_hold_nothing() -> None:
    words = [sys.executable, "-c", HOLD, PLAN]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(OutputError, match=f"process {other.pid}"), held(Identity(OTHER)):
            raise AssertionError
        other.send_signal(signal.SIGKILL)
    assert len(list((OUT / FOLDER).iterdir())) == 1
    with held(Identity(OTHER)):
        assert len(list((OUT / FOLDER).iterdir())) == 1  # the dead one's is gone
    assert not (OUT / FOLDER).exists()


def test_other_files_are_left_alone() -> None:
    (OUT / FOLDER).mkdir(parents=True)
    (OUT / FOLDER / "note.lock").write_text("mine")
    with held(Identity(PLAN)):
        pass
    assert [path.name for path in (OUT / FOLDER).iterdir()] == ["note.lock"]


def test_a_file_that_was_taken_for_a_dead_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    real, stolen = module.FileLock.acquire, []

    def acquire(self: module.FileLock, *given: object, **named: object) -> object:
        taken = real(self, *given, **named)  # type: ignore[arg-type]
        if not stolen:
            stolen.append(self.lock_file)
            Path(self.lock_file).unlink()
        return taken

    monkeypatch.setattr(module.FileLock, "acquire", acquire)
    with held(Identity(PLAN)):
        assert [str(path) for path in (OUT / FOLDER).iterdir()] == stolen


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied"), "cannot write to out: Permission denied"),
        (NotImplementedError(), "out is on a file system without locks"),
    ],
)
def test_folders_that_take_no_lock(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def acquire(self: module.FileLock, **_: object) -> None:
        raise error

    monkeypatch.setattr(module.FileLock, "acquire", acquire)
    with pytest.raises(OutputError, match=message), held(Identity(PLAN)):
        raise AssertionError


def test_a_file_where_the_folder_should_be() -> None:
    OUT.write_text("no folder")
    with pytest.raises(OutputError, match="cannot write to out"), held(Identity(PLAN)):
        raise AssertionError
