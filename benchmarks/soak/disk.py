"""Disks that fill up, folders that cannot be written to, names that are too long, lost inputs."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.soak.field import COMMAND, again, begin, expect, field
from benchmarks.soak.harness import Running, sepcli
from benchmarks.soak.row import Observed

SMALL = "1m"  # a disk; the stems need 2.1 MB
FREE = 10**12  # bytes that a disk claims to have
LONG, LONGER = 300, 5000  # characters; names have 255 at most, paths 4096


def provoke(folder: Path, _quick: bool) -> Observed:
    """Everything once; quick or not, that takes seconds."""
    seen = begin()
    field(folder)
    full(folder, seen)
    read_only(folder, seen)
    too_long(folder, seen)
    in_the_way(folder, seen)
    lost_inputs(folder, seen)
    lost_outputs(folder, seen)
    return seen


@contextmanager
def disk(place: Path, options: str, seen: Observed) -> Iterator[bool]:
    """A small disk of its own at a place; False, with a note, where nobody may mount one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    made = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    if not made:
        seen.figures["not tried"] = "disks of their own: mounting needs root"
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def full(folder: Path, seen: Observed) -> None:
    """Seen before work, while stems are written, and while a plan's journal is."""
    stems = folder / "stems"
    with disk(stems, f"size={SMALL}", seen) as there:
        if not there:
            return
        expect(sepcli(*COMMAND, folder=folder), 5, "full before", stems, seen, "free some space")
        outcome = sepcli(*COMMAND, folder=folder, prepare=claim_space)
        expect(outcome, 5, "full midway", stems, seen, "free some space")
        sepcli("plan", *COMMAND[1:], "--overwrite", "--to", "plan.jsonl", folder=folder)
        outcome = sepcli("separate", "--plan", "plan.jsonl", folder=folder, prepare=claim_space)
        expect(outcome, 5, "full in a plan", stems, seen, "free some space")
        report = ("--report", "stems/report.json", "--output", "elsewhere")
        (stems / "filler").write_bytes(b"")
        fill(stems)
        outcome = sepcli(*COMMAND, *report, folder=folder)
        expect(outcome, 5, "no space for the report", stems, seen)
    shutil.rmtree(folder / "elsewhere")


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def claim_space() -> None:
    """Make a disk look empty, as one does that others fill up meanwhile."""
    usage = shutil.disk_usage("/")._replace(free=FREE)
    shutil.disk_usage = lambda _: usage  # type: ignore[assignment]


def read_only(folder: Path, seen: Observed) -> None:
    """A disk that may only be read."""
    stems = folder / "stems"
    with disk(stems, "ro", seen) as there:
        if there:
            outcome = sepcli(*COMMAND, folder=folder)
            expect(outcome, 5, "read-only", stems, seen, "choose another")
            outcome = sepcli(*COMMAND, "--output", "stems/deeper/still", folder=folder)
            expect(outcome, 5, "read-only, deeper", stems, seen, "choose another")
            outcome = sepcli("plan", *COMMAND[1:], "--to", "stems/plan.jsonl", folder=folder)
            expect(outcome, 5, "read-only for a plan", stems, seen)


def too_long(folder: Path, seen: Observed) -> None:
    """Names and paths that no file system takes."""
    cases = {
        "long folder": (5, "--output", "x" * LONG),
        "long path": (5, "--output", "/".join(["x" * 100] * (LONGER // 100))),
        "long name": (2, "--name", "{input}" + "x" * LONG + ".{ext}"),
        "name of just 255 bytes": (2, "--name", "{input}" + "x" * 250 + ".{ext}"),
        "long report": (5, "--report", "x" * LONG),
    }
    for what, (code, *option) in cases.items():
        outcome = sepcli(*COMMAND, *option, folder=folder)
        expect(outcome, code, what, folder / "stems", seen)
        again(folder)


def in_the_way(folder: Path, seen: Observed) -> None:
    """Files, broken links and devices where a folder should be."""
    stems = folder / "stems"
    stems.write_text("in the way")
    expect(sepcli(*COMMAND, folder=folder), 5, "a file in the way", stems, seen)
    stems.unlink()
    stems.symlink_to(folder / "nowhere" / "at all")
    expect(sepcli(*COMMAND, folder=folder), 5, "a broken link", stems, seen)
    stems.unlink()
    outcome = sepcli(*COMMAND, "--output", "/proc/sepcli", folder=folder)
    expect(outcome, 5, "/proc", stems, seen)
    outcome = sepcli(*COMMAND, "--output", "/dev/null/stems", folder=folder)
    expect(outcome, 5, "/dev/null", stems, seen)


def lost_inputs(folder: Path, seen: Observed) -> None:
    """Inputs that are deleted or cut off while the batch runs."""
    for what, change in {"deleted": Path.unlink, "cut off": cut}.items():
        again(folder)
        place = field(folder / what, (0.5, 60.0, 60.0))
        running = Running(COMMAND, place)
        wait_for(place / "stems/0.a-gain-of-0-5.wav")
        for number in (1, 2):
            change(place / f"inputs/{number}.wav")
        expect(running.finish(180), 1, f"input {what}", place / "stems", seen)


def cut(path: Path) -> None:
    """Leave the first second of a recording."""
    os.truncate(path, 44_100 * 8)


def lost_outputs(folder: Path, seen: Observed) -> None:
    """The folder of the stems, deleted while the batch runs."""
    place = field(folder / "gone", (0.5, 60.0, 60.0))
    running = Running(COMMAND, place)
    wait_for(place / "stems/0.a-gain-of-0-5.wav")
    shutil.rmtree(place / "stems", ignore_errors=True)
    outcome = running.finish(180)
    seen.tried("commands")
    seen.expect(outcome.code in (0, 5), "wrong codes", f"stems deleted: {outcome.code}")
    seen.expect(outcome.clear, "unclear lines", f"stems deleted: {outcome.err[-300:]}")


def wait_for(path: Path, limit: float = 60.0) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + limit
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.002)
