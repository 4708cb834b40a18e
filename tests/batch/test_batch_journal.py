"""Journals: whatever is on the disk after a kill, nothing is believed that is not so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sepcli.batch import journal as module
from sepcli.batch.journal import FOLDER, SCHEMA, Failure, Journal, merge
from sepcli.errors import OutputError, UsageError

A, B = "a" * 64, "b" * 64
OUT = Path("out")


def stem(name: str, size: int) -> Path:
    path = OUT / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def write(name: str, *lines: object, end: str = "\n") -> Path:
    path = OUT / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(line) for line in ({"schema": SCHEMA}, *lines)) + end)
    return path


def line(key: str, at: float, *sizes: int | None) -> dict[str, object]:
    return {"key": key, "state": "done", "at": at, "sizes": sizes}


def failed(key: str, at: float) -> dict[str, object]:
    return {"key": key, "state": "failed", "at": at, "error": "ItemError", "message": "no"}


def test_done_means_that_journal_and_files_agree() -> None:
    one, two = stem("one.wav", 10), stem("two.wav", 20)
    with Journal(OUT) as journal:
        journal.done(A, [10, 20])
    assert merge(OUT).is_done(A, [one, two])
    assert not merge(OUT).is_done(B, [one, two])
    assert not merge(OUT).is_done(A, [two, one])
    assert not merge(OUT).is_done(A, [one])
    stem("two.wav", 19)
    assert not merge(OUT).is_done(A, [one, two])
    two.unlink()
    assert not merge(OUT).is_done(A, [one, two])


def test_silent_stems_need_not_be_there() -> None:
    one = stem("one.wav", 10)
    with Journal(OUT) as journal:
        journal.done(A, [10, None])
    assert merge(OUT).is_done(A, [one, OUT / "silent.wav"])


def test_failures_are_remembered_until_they_are_done() -> None:
    failure = Failure("ItemError", "cannot read caf\udce9.wav")
    with Journal(OUT) as journal:
        journal.failed(A, failure)
        assert merge(OUT).failure(A) == Failure("ItemError", r"cannot read caf\udce9.wav")
        assert not merge(OUT).is_done(A, [])
        journal.done(A, [])
    assert merge(OUT).failure(A) is None
    assert merge(OUT).is_done(A, [])
    assert merge(OUT).failure(B) is None


def test_every_writer_has_a_file_of_its_own() -> None:
    with Journal(OUT) as one, Journal(OUT) as other:
        one.done(A, [])
        other.done(B, [])
        assert one.path != other.path
    assert len(merge(OUT)) == 2
    assert all(str(os.getpid()) in path.name for path in (OUT / FOLDER).iterdir())


def test_nothing_is_written_before_there_is_something_to_say() -> None:
    with Journal(OUT):
        pass
    assert not OUT.exists()
    assert len(merge(OUT)) == 0


def test_the_last_line_of_a_journal_counts_whatever_the_clock_did() -> None:
    write("one.jsonl", failed(A, 200.0), line(A, 100.0))
    assert merge(OUT).is_done(A, [])


@pytest.mark.parametrize("names", [("one.jsonl", "two.jsonl"), ("two.jsonl", "one.jsonl")])
def test_the_latest_of_several_journals_counts(names: tuple[str, str]) -> None:
    write(names[0], failed(A, 100.0), line(B, 300.0))
    write(names[1], line(A, 200.0), failed(B, 200.0))
    assert merge(OUT).is_done(A, [])
    assert merge(OUT).is_done(B, [])


def test_a_torn_line_is_as_if_it_had_never_been() -> None:
    path = write("one.jsonl", line(A, 1.0), line(B, 2.0), end="")
    whole = path.read_bytes()
    for torn in range(len(json.dumps(line(B, 2.0)))):
        path.write_bytes(whole[: len(whole) - torn])
        assert merge(OUT).is_done(A, [])
        assert not merge(OUT).is_done(B, [])


def test_a_journal_that_was_torn_at_its_first_line() -> None:
    path = write("one.jsonl", line(A, 1.0))
    for kept in (0, 1, 20):
        path.write_bytes(path.read_bytes()[:kept])
        assert len(merge(OUT)) == 0


@pytest.mark.parametrize(
    "damaged",
    [
        {"key": "short", "state": "done", "at": 1.0},
        {"key": B, "state": "perhaps", "at": 1.0},
        {"key": B, "state": "done", "at": float("nan")},
        {"key": B, "state": "done", "at": 1.0, "sizes": [-5]},
        {"key": B, "state": "done"},
        [],
    ],
)
def test_damaged_lines_are_left_out(damaged: object) -> None:
    write("one.jsonl", damaged, line(A, 1.0))
    ledger = merge(OUT)
    assert len(ledger) == 1
    assert ledger.is_done(A, [])


@pytest.mark.parametrize("first", [{"schema": "sepcli-journal-9"}, {"no": 1}, [], "text"])
def test_a_journal_of_another_version_is_refused(first: object) -> None:
    path = write("one.jsonl")
    path.write_text(json.dumps(first) + "\n")
    with pytest.raises(UsageError, match=r"one\.jsonl: a journal of schema") as caught:
        merge(OUT)
    assert "another -o" in caught.value.remedy


def test_a_full_disk() -> None:
    with Journal(OUT) as journal:
        journal.done(A, [])
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, journal._file or 0)
        os.close(full)
        with pytest.raises(OutputError, match="No space left on device") as caught:
            journal.done(B, [])
    assert "free some space" in caught.value.remedy
    assert merge(OUT).is_done(A, [])


def test_a_disk_that_takes_a_part_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with monkeypatch.context() as patch, Journal(OUT) as journal:
        patch.setattr(module.os, "write", lambda file, data: real(file, data[:7]))
        journal.done(A, [1, 2])
    assert len(merge(OUT)) == 1


def test_a_folder_that_cannot_be_written_to() -> None:
    OUT.write_text("no folder")
    with (
        Journal(OUT) as journal,
        pytest.raises(OutputError, match="cannot write") as caught,
    ):
        journal.done(A, [])
    assert "another -o" in caught.value.remedy


def test_a_journal_that_cannot_be_read() -> None:
    (OUT / FOLDER / "odd.jsonl").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"cannot read .*odd\.jsonl"):
        merge(OUT)


def test_what_was_told_survives_a_kill() -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from sepcli.batch.journal import Journal\n"
        "journal = Journal(Path('out'))\n"
        "for number in range(100):\n"
        "    journal.done(f'{number:064x}', [])\n"
        "    print(number, flush=True)\n"
        "    if number == 41:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    ledger = merge(OUT)
    assert all(ledger.is_done(f"{int(number):064x}", []) for number in told.split())
    assert len(ledger) == len(told.split()) == 42
