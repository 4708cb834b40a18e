"""`sepcli models pull` and `verify`, in processes of their own where that matters."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml
from loopback import Site, endless, gated, redirect, slow, status, until

from sepcli.cli import pull_display
from sepcli.registry import pull_events as events
from sepcli.registry.cache import source_folder

BODY = bytes(range(256)) * 2000
Sepcli = Callable[..., int]
COMMAND = [sys.executable, "-m", "sepcli", "models"]
FACTS = {
    "summary": "from a server",
    "architecture": "band-unet",
    "stems": ["a"],
    "licence": {"code": "MIT", "weights": "CC0-1.0"},
    "training_data": "none",
}


@pytest.fixture
def models(sepcli: Sepcli) -> Sepcli:
    """Runs `sepcli models` in this process; returns its exit code."""
    return partial(sepcli, "models")


@pytest.fixture
def offered(site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Enters a model with one file of the site into a registry."""
    models: dict[str, object] = {}
    monkeypatch.setenv("SEPCLI_REGISTRY", str(Path("registry.yaml").absolute()))

    def offer(name: str = "remote", body: bytes = BODY, **file: object) -> str:
        source = site.add(f"/{name}.safetensors", body)
        models[name] = {**FACTS, "files": {"separator": {"source": source, **file}}}
        Path("registry.yaml").write_text(yaml.safe_dump({"version": 1, "models": models}))
        return source

    return offer


@pytest.fixture
def apart() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, before: list[str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*(before or []), *COMMAND, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_pull_list_verify(
    offered: Callable[..., str], models: Sepcli, capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    offered()
    assert models("list") == 0
    assert "from a server (not downloaded)" in capsys.readouterr().out
    assert models("pull", "remote", "everyday") == 0
    shown = capsys.readouterr()
    assert shown.out == "remote: downloaded\neveryday: here already\n"
    first, second, *_ = shown.err.splitlines()
    assert first == "remote: weights CC0-1.0, code MIT; a file of unknown size to download"
    assert second == f"  remote.safetensors from {site.url}/remote.safetensors"
    assert "the registry knows no hash of remote.safetensors" in shown.err
    assert "0.5 MB, checked" in shown.err
    assert models("pull", "remote", "--progress", "none") == 0
    assert capsys.readouterr() == ("remote: here already\n", "")
    assert models("list") == 0
    assert "from a server (downloaded)" in capsys.readouterr().out
    assert models("list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["remote"]["downloaded"]
    assert rows["everyday"]["downloaded"]
    assert models("verify", "remote", "everyday") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + sum(line.split()[1] == "everyday" for line in lines)
    assert all(line.startswith("ok ") for line in lines)


def test_a_damaged_file_is_found_and_mended(
    offered: Callable[..., str], models: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    source = offered()
    models("pull", "remote")
    path = source_folder(source) / "remote.safetensors"
    path.write_bytes(BODY[::-1])
    capsys.readouterr()
    assert models("verify", "remote") == 3
    shown = capsys.readouterr().out
    assert shown.startswith("wrong")
    assert f"help: delete {path}, then: sepcli models pull remote" in shown
    assert models("verify", "remote", "--json") == 3
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["status"], row["size"], row["role"]) == ("wrong", len(BODY), "separator")
    path.unlink()
    assert models("verify", "remote") == 0
    assert capsys.readouterr().out.startswith("not downloaded")
    assert models("pull", "remote") == 0
    assert models("verify", "remote") == 0


def test_failures(
    offered: Callable[..., str], models: Sepcli, capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    offered("gone")
    offered("good")
    offered("astray")
    site.always["/gone.safetensors"] = status(404)
    site.always["/astray.safetensors"] = redirect("file:///etc/passwd")
    assert models("pull", "gone", "good", "astray", "--progress", "none", "--json") == 3
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "help"] * 2
    assert "HTTP 404" in lines[0]
    assert "file:// is refused" in lines[2]
    rows = json.loads(shown.out)
    assert [row["outcome"] for row in rows] == ["failed", "downloaded", "failed"]
    assert models("pull", "godo", "gone") == 3
    assert "did you mean good?" in capsys.readouterr().err
    assert len(site.asked("/gone.safetensors")) == 1
    assert models("pull", "gone", "--offline") == 3
    assert "stay offline" in capsys.readouterr().err


def test_a_registry_with_a_forbidden_address(
    models: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"separator": {"source": "ftp://example.org/x", "mirrors": ["file:///x"]}}
    registry = {"version": 1, "models": {"bad": {**FACTS, "files": files}}}
    Path("bad.yaml").write_text(yaml.safe_dump(registry))
    assert models("list", "--registry", "bad.yaml") == 2
    shown = capsys.readouterr().err
    assert "separator.source: ftp://example.org is refused" in shown
    assert "separator.mirrors: file:// is refused" in shown
    files["separator"] = {"source": "own.bin", "convert": "audiosep"}
    Path("bad.yaml").write_text(yaml.safe_dump(registry))
    assert models("list", "--registry", "bad.yaml") == 2
    assert "belong to a source that is an address" in capsys.readouterr().err


def test_two_processes_download_once(
    offered: Callable[..., str], apart: Callable[..., subprocess.Popen[str]], site: Site
) -> None:
    offered()
    gate, logs = threading.Event(), [Path("first.log"), Path("second.log")]
    site.faults["/remote.safetensors"] = [gated(gate)]
    site.always["/remote.safetensors"] = status(404)
    logged = ["sh", "-c", 'exec "$@" 2>"$0"']
    both = [apart("pull", "remote", before=[*logged, str(log)]) for log in logs]

    def waiting() -> int:
        return sum("waiting for it" in log.read_text() for log in logs if log.exists())

    assert until(60, lambda: waiting() == 1)
    gate.set()
    out = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert out == ["remote: downloaded\n"] * 2
    assert len(site.requests) == 1


def test_killed_and_pulled_again(
    offered: Callable[..., str], apart: Callable[..., subprocess.Popen[str]], site: Site
) -> None:
    source = offered()
    site.faults["/remote.safetensors"] = [slow(0.1)]
    growing = source_folder(source) / "remote.safetensors.partial"
    first = apart("pull", "remote")
    assert until(30, lambda: growing.exists() and growing.stat().st_size > 0)
    first.send_signal(signal.SIGKILL)
    first.wait()
    received = growing.stat().st_size
    assert 0 < received < len(BODY)
    site.faults["/remote.safetensors"] = []
    site.ranges = True
    second = apart("pull", "remote", "--progress", "json")
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert out == "remote: downloaded\n"
    assert site.requests[-1][1]["Range"] == f"bytes={received}-"
    assert (source_folder(source) / "remote.safetensors").read_bytes() == BODY
    kinds = [json.loads(line)["event"] for line in err.splitlines()]
    assert (kinds[:2], kinds[-2:]) == (["Planned", "Started"], ["Fetched", "Ready"])


def test_interrupted(
    offered: Callable[..., str], apart: Callable[..., subprocess.Popen[str]], site: Site
) -> None:
    source = offered()
    site.faults["/remote.safetensors"] = [slow(0.1)]
    growing = source_folder(source) / "remote.safetensors.partial"
    process = apart("pull", "remote")
    assert until(30, lambda: growing.exists() and growing.stat().st_size > 0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert growing.stat().st_size > 0


def mounting(options: str) -> list[str]:
    """A command before a command, giving it a small disk of its own at `disk`."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare to mount a disk with")
    apart = ["unshare", "--mount"] + (["--user", "--map-root-user"] if os.getuid() else [])
    script = f'mount -t tmpfs -o {options} none disk && exec "$@"'
    before = [*apart, "sh", "-c", script, "sh"]
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    return before


@pytest.mark.parametrize(
    ("options", "announced", "message"),
    [
        ("size=256k", True, "MB are needed in"),
        ("size=256k", False, "No space left on device"),
        ("ro", True, "Read-only file system"),
    ],
)
def test_a_full_and_a_read_only_disk(
    offered: Callable[..., str],
    apart: Callable[..., subprocess.Popen[str]],
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    announced: bool,
    message: str,
) -> None:
    Path("disk").mkdir()
    before = mounting(options)
    monkeypatch.setenv("SEPCLI_HOME", str(Path("disk").absolute()))
    offered()
    if not announced:
        site.always["/remote.safetensors"] = endless(1)
    script = '"$@"; code=$?; find disk -name "*.partial*" -o -name "*.safetensors"; exit $code'
    process = apart("pull", "remote", before=[*before, "sh", "-c", script, "sh"])
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert message in err
    assert err.splitlines()[-1].startswith("help: ")
    assert "SEPCLI_HOME" in err
    assert out == ""  # nothing half-written


def test_a_limit_on_the_size_of_files(
    offered: Callable[..., str], apart: Callable[..., subprocess.Popen[str]]
) -> None:
    source = offered()
    before = ["sh", "-c", 'ulimit -f 300; exec "$@"', "sh"]  # blocks of 512 or 1024 bytes
    process = apart("pull", "remote", before=before)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert "File too large" in err
    assert [path.name for path in source_folder(source).iterdir() if path.name != ".held"] == []


def test_the_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with pull_display.display_for("auto") as display:
        assert isinstance(display, pull_display.RichDisplay)
        display.read(events.Progress("a", 1, 2))  # of nothing that was started
        display.read(events.Started("evil\x1b[2J[b].bin", "https://example.org/x"))
        display.read(events.Progress("a", 500, 1000))
        (task,) = display.bars.tasks
        assert (task.completed, task.total) == (500, 1000)
        assert "\x1b" not in task.description
        display.read(events.Notice("note\x1b[2J"))
        display.read(events.Fetched("a", 1000, 0.5))
        assert display.bars.tasks == []
        display.read(events.Failed("m", "why", "what to do"))
    told = capsys.readouterr().err
    assert "note?[2J" in told
    assert "error: why" in told
    assert "help: what to do" in told


def test_plain_lines() -> None:
    line = pull_display.PlainDisplay().line
    assert line(events.Planned("m", 0, 2, "MIT", "X")).endswith(
        "2 files of unknown size to download"
    )
    assert "1.26 GB and a file of unknown size" in line(
        events.Planned("m", 1_264_846_755, 1, "MIT", "X")
    )
    assert line(events.Progress("a", 1_500_000, 3_000_000)) == "  a: 1.5 MB of 3.0 MB"
    assert line(events.Progress("a", 1_500_000, None)) == "  a: 1.5 MB"
    assert line(events.Converted("b", 2_000_000, 1_000_000)).endswith("b: 2.0 MB -> 1.0 MB")
    assert line(events.Ready("m", {}, True)) == ""


def test_plain_progress_is_rare(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(pull_display.time, "monotonic", lambda: now)
    display = pull_display.PlainDisplay()
    display.read(events.Started("a", "https://example.org/a"))
    for now in (101.0, 109.0, 111.0, 112.0, 122.0):
        display.read(events.Progress("a", int(now * 1e6), None))
    assert capsys.readouterr().err.splitlines()[1:] == ["  a: 111.0 MB", "  a: 122.0 MB"]
