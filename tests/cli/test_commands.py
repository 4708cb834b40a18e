"""The command line: codes, messages, help."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.main import get_command

from sepcli.cli.main import app, main
from sepcli.errors import SepcliError

Recording = Callable[..., Path]
Linear = Callable[..., Path]
Sepcli = Callable[..., int]


def leaves(group: Any, before: str = "") -> Iterator[str]:
    """Commands that do something: those of groups, not the groups themselves."""
    for name, command in group.commands.items():
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield f"{before}{name}"
        if hasattr(command, "commands"):
            yield from leaves(command, f"{before}{name} ")


@pytest.mark.parametrize("command", list(leaves(get_command(app))))
def test_help_has_examples(
    command: str, sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sepcli(*command.split(), "--help") == 0
    text = capsys.readouterr().out
    assert "Examples:" in text
    assert f"sepcli {command}" in text.split("Examples:")[1]


def test_help_does_not_import_torch() -> None:
    code = (
        "import sys; sys.argv = ['sepcli', '--help']\n"
        "from sepcli.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'numpy', 'scipy', 'yaml'} & set(sys.modules), 'slow imports'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_options_of_separate_are_frozen(
    sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    sepcli("separate", "--help")
    found = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out.split("Options:")[1]))
    assert found == {
        *("--query", "--query-file", "--like", "--span", "--negative", "--remove", "--residual"),
        *("--image", "--image-from", "--clip"),
        *("--auto", "--auto-limit", "--drop-silent", "--plan", "--shard", "--launcher"),
        *("--workers", "--retry-failed", "--max-failures", "--deterministic"),
        *("--compete", "--stems", "--output", "--name", "--format", "--bits", "--start"),
        *("--duration", "--recursive", "--model", "--registry", "--device", "--precision"),
        *(
            "--batch-size",
            "--window",
            "--compile",
            "--require-presence",
            "--skip-existing",
            "--overwrite",
        ),
        *("--dry-run", "--report", "--progress", "--help"),
    }


def test_version(sepcli: Sepcli, capsys: pytest.CaptureFixture[str]) -> None:
    assert sepcli("--version") == 0
    assert re.fullmatch(r"sepcli \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_a_batch_with_a_bad_file(
    recording: Recording,
    linear: Linear,
    sepcli: Sepcli,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recording("good.wav")
    Path("bad.wav").write_text("no audio")
    words = ("--query", "a gain of 0.5", "--model", linear(), "--report", "r.json")
    assert sepcli("separate", "good.wav", "bad.wav", *words) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "error: cannot read bad.wav as audio" in told.err
    assert "help: " in told.err
    assert "1 done, 0 skipped, 1 failed" in told.err
    report = json.loads(Path("r.json").read_text())
    status = {file["path"]: file["status"] for file in report["files"]}
    assert status == {"good.wav": "done", "bad.wav": "failed"}
    assert report["totals"]["exit_code"] == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["mix.wav"], 2, "nothing to look for"),
        (["mix.wav", "-q", ""], 2, "an empty query"),
        (["mix.wav", "-q", "a gain of 1", "--name", "{x}"], 2, "unknown field x"),
        (["mix.wav", "-q", "a gain of 1", "--stems", "drums"], 2, "no fixed stems"),
        (["mix.wav", "-q", "a gain of 1", "--span", "4"], 2, "not a span"),
        (["mix.wav", "-q", "a gain of 1", "--start", "x"], 2, "not a time"),
        (["mix.wav", "-q", "a gain of 1", "--batch-size", "x"], 2, "not a batch size"),
        (["mix.wav", "-q", "a gain of 1", "--like", "no.wav"], 2, "no such example"),
        (["mix.wav", "--like", "empty"], 2, "no recordings in empty"),
        (["mix.wav", "-q", "a gain of 1", "--report", "."], 2, "is a folder"),
        (["mix.wav", "-q", "a gain of 1", "-o", "-", "--residual"], 2, "takes one stem"),
        (["mix.wav", "-q", "a gain of 1", "-q", "b 2", "-o", "-"], 2, "takes one stem"),
        (["mix.wav", "-q", "a gain of 1", "--skip-existing", "--overwrite"], 2, "exclude each"),
        (["mix.wav", "-q", "a gain of 1", "--bits", "float", "--format", "flac"], 2, "cannot hold"),
        (["nothing*.wav", "-q", "a gain of 1"], 2, "nothing matches"),
        (["empty", "-q", "a gain of 1"], 2, "no recordings in"),
        (["bad.csv", "-q", "a gain of 1"], 2, "unknown column"),
        (["none.jsonl", "-q", "a gain of 1"], 2, "is empty"),
        (["odd.jsonl", "-q", "a gain of 1"], 2, "one JSON object"),
        (["mix.wav", "-q", "a gain of 1", "--model", "nowhere"], 3, "no model named nowhere"),
        (["mix.wav", "-q", "a gain of 1", "--start", "99"], 1, "cannot start at 99"),
        (["mix.wav", "--device", "quantum", "-q", "x"], 2, "quantum"),
    ],
)
def test_what_is_refused(
    recording: Recording,
    linear: Linear,
    sepcli: Sepcli,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    message: str,
) -> None:
    recording()
    Path("empty").mkdir()
    Path("bad.csv").write_text("path,colour\nmix.wav,red\n")
    Path("none.jsonl").write_text("\n")
    Path("odd.jsonl").write_text("[1]\n")
    model = [] if "--model" in words else ["--model", str(linear())]
    assert sepcli("separate", *words, *model) == code
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    assert not Path("separated").exists()


def test_fixed_stems_take_no_queries(
    recording: Recording, linear: Linear, sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    recording()
    model = linear(["speech", "music"])
    assert sepcli("separate", "mix.wav", "-q", "dog", "--model", model) == 2
    assert "answers no queries" in capsys.readouterr().err
    assert sepcli("separate", "mix.wav", "--stems", "musik", "--model", model) == 2
    assert "did you mean music?" in capsys.readouterr().err
    assert sepcli("separate", "mix.wav", "--stems", "music", "--model", model) == 0


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sepcli", "separate", "x.csv", "-q", "a", "--debug"])
    with pytest.raises(SepcliError):
        main()


def test_events_as_json(
    recording: Recording, linear: Linear, sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("-q", "a gain of 0.5", "--model", linear(), "--progress", "json")
    assert sepcli("separate", recording(), *words) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[:2] == ["Planned", "Started"]
    assert kinds[-3:] == ["StemWritten", "Finished", "Done"]
    assert [e["seconds"] for e in events if e["event"] == "Progress"][-1] == pytest.approx(5)


@pytest.mark.parametrize("kind", ["rich", "plain", "none"])
def test_displays(
    recording: Recording,
    linear: Linear,
    sepcli: Sepcli,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    recording()
    Path("bad[red].wav").write_text("no audio")
    query = "a gain of 2.0 with presence 0.1"
    words = ("-q", query, "--model", linear(), "--progress", kind, "--bits", "16")
    assert sepcli("separate", "mix.wav", "bad[red].wav", *words) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "bad[red].wav" in told
    assert ("wrote separated" in told) == (kind != "none")
    assert ("seems not to be" in told) == (kind != "none")


def test_a_dry_run_names_the_stems(
    recording: Recording, linear: Linear, sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("-q", "a gain of 0.5", "--model", linear(), "--dry-run")
    assert sepcli("separate", recording(), *words) == 0
    assert "separated/mix.a-gain-of-0-5.wav" in capsys.readouterr().err


def test_info(
    recording: Recording, linear: Linear, sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    mix = recording()
    sepcli("separate", mix, "-q", "a gain of 0.5", "--model", linear())
    assert sepcli("info", mix) == 0
    assert "not made by sepcli" in capsys.readouterr().out
    assert sepcli("info", "--json", "separated/mix.a-gain-of-0-5.wav") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["samples"], facts["made_by"]["stem"]) == (40000, "a gain of 0.5")
    assert sepcli("info", "separated/mix.a-gain-of-0-5.wav") == 0
    assert "a gain of 0.5" in capsys.readouterr().out
    assert sepcli("info", "nowhere.wav") == 1


def test_models(linear: Linear, sepcli: Sepcli, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*words: object) -> str:
        assert sepcli("models", *words) == 0
        return capsys.readouterr().out

    assert "added mine" in shown("add", linear(), "--name", "mine")
    assert "mine" in shown("list")
    assert "mine" in [row["name"] for row in json.loads(shown("list", "--json"))]
    assert "multiplies" in shown("info", "mine")
    assert json.loads(shown("info", "mine", "--json"))["architecture"] == "linear"
    assert "gains.safetensors" in shown("path", "mine")
    assert "weights.yaml" in shown("path")
    assert "removed mine" in shown("rm", "mine")
    assert sepcli("models", "rm", "mine") == 3
    assert sepcli("models", "add", ".") == 3


def test_doctor(sepcli: Sepcli, capsys: pytest.CaptureFixture[str]) -> None:
    code = sepcli("doctor", "--json")
    findings = {row["subject"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(findings) == ["torch", "device", "codecs", "cache", "disk", "model"]
    assert findings["torch"]["ok"]
    assert findings["codecs"]["ok"]
    assert code == (0 if all(row["ok"] for row in findings.values()) else 1)


def test_doctor_names_remedies(
    sepcli: Sepcli, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sepcli import diagnosis

    versions = {"torch": "2.11.0", "torchaudio": "2.10.0"}
    monkeypatch.setattr(diagnosis, "version", versions.__getitem__)
    Path("file").touch()
    monkeypatch.setenv("SEPCLI_HOME", str(Path("file").absolute()))
    assert sepcli("doctor") == 1
    told = capsys.readouterr().out
    assert "do not belong together" in told
    assert "help: pip install" in told
    assert "set SEPCLI_HOME" in told


def run_apart(*words: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "sepcli", *map(str, words)]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def test_interrupting_leaves_no_half_file(noise: Callable[..., np.ndarray]) -> None:
    soundfile.write("long.wav", noise(seconds=1200, rate=16000), 16000)
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        command = [sys.executable, "-m", "sepcli", "separate", "long.wav", "-q", "dog barking"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not any(Path("separated").glob("*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert process.returncode == code, told
        assert b"Traceback" not in told
        assert not list(Path("separated").glob("*"))
