"""`sepcli plan`, `sepcli separate --plan` and `sepcli eval --plan`, as they are typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.batch import launchers
from sepcli.batch.plan_file import read_plan
from sepcli.batch.worker import Policy
from sepcli.separation.events import Done, Event

Recording = Callable[..., Path]
Linear = Callable[..., Path]
Sepcli = Callable[..., int]
Told = pytest.CaptureFixture[str]

STEMS = Path("stems")


@pytest.fixture
def words(recording: Recording, linear: Linear) -> list[object]:
    """A command's words about two recordings of 1 and 2 seconds."""
    recording("field/a.wav", seconds=1)
    recording("field/b.wav", seconds=2)
    return ["field", "-q", "a gain of 0.5", "--model", linear(), "-o", STEMS]


@pytest.fixture
def plan(sepcli: Sepcli, words: list[object], capsys: Told) -> Path:
    """The plan of these."""
    assert sepcli("plan", *words, "--to", "plan.jsonl") == 0
    capsys.readouterr()
    return Path("plan.jsonl")


def test_a_printed_plan_is_the_one_in_a_file(
    sepcli: Sepcli, words: list[object], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert sepcli("plan", *words) == 0
    told = capfdbinary.readouterr()
    assert sepcli("plan", *words, "--to", "plan.jsonl") == 0
    assert told.out == Path("plan.jsonl").read_bytes()
    assert told.err == b"2 planned, 0:03.0, 0 cannot be separated\n"


def test_a_plan_is_readable(plan: Path) -> None:
    header, *rows, footer = [json.loads(line) for line in plan.read_text().splitlines()]
    assert (header["schema"], header["options"]["output"]) == ("sepcli-plan-1", "stems")
    assert rows[1]["path"] == "field/b.wav"
    assert (rows[1]["seconds"], rows[1]["rate"], rows[1]["channels"]) == (2.0, 8000, 2)
    assert rows[1]["queries"] == [{"name": "a gain of 0.5", "text": "a gain of 0.5"}]
    assert rows[1]["outputs"][0]["path"] == "stems/b.a-gain-of-0-5.wav"
    assert footer["rows"] == 2


def test_a_plan_with_a_bad_recording(sepcli: Sepcli, words: list[object], capsys: Told) -> None:
    Path("field/c.wav").write_text("no audio")
    assert sepcli("plan", *words, "--to", "plan.parquet") == 1
    told = capsys.readouterr().err
    assert re.search(r"error: .*field/c\.wav", told)
    assert "help: " in told
    assert "2 planned, 0:03.0, 1 cannot be separated" in told
    assert len(read_plan(Path("plan.parquet"))) == 2


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--to", "plan.txt"], 2, "plan.txt is no name for a plan"),
        (["--to", "field"], 2, "field is no name for a plan"),
        (["--to", "field/a.wav/plan.jsonl"], 5, "cannot write field/a.wav/plan.jsonl"),
        (["--name", "same.wav"], 2, "two stems would be written to"),
        (["--bits", "99"], 2, "99"),
        (["--model", "nowhere"], 3, "no model named nowhere"),
    ],
)
def test_plans_that_are_refused(
    sepcli: Sepcli, words: list[object], capsys: Told, more: list[str], code: int, message: str
) -> None:
    assert sepcli("plan", *words, *more) == code
    assert message in capsys.readouterr().err
    assert not list(Path().rglob("*partial*"))


def test_a_plan_without_pyarrow(
    sepcli: Sepcli, words: list[object], capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    assert sepcli("plan", *words, "--to", "plan.parquet") == 2
    assert "needs pyarrow" in capsys.readouterr().err


def test_a_plan_is_separated(sepcli: Sepcli, plan: Path, capsys: Told) -> None:
    assert sepcli("separate", "--plan", plan, "--report", "r.json") == 0
    told = capsys.readouterr().err
    assert "2 done, 0 skipped, 0 failed" in told
    assert "x real time, device busy " in told
    stem, mix = (soundfile.read(p)[0] for p in ("stems/b.a-gain-of-0-5.wav", "field/b.wav"))
    np.testing.assert_allclose(stem, 0.5 * mix, atol=1e-6)
    report = json.loads(Path("r.json").read_text())
    assert [file["status"] for file in report["files"]] == ["done", "done"]
    assert report["throughput"]["limit"] in ("device", "decoding", "encoding")
    assert sepcli("separate", "--plan", plan) == 0
    assert "0 done, 2 skipped, 0 failed" in capsys.readouterr().err


def test_shards_of_a_plan(
    sepcli: Sepcli, plan: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sepcli("separate", "--plan", plan, "--shard", "0/2") == 0
    assert [path.name for path in STEMS.glob("*.wav")] == ["b.a-gain-of-0-5.wav"]
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
    assert sepcli("separate", "--plan", plan, "--shard", "auto") == 0
    assert len(list(STEMS.glob("*.wav"))) == 2
    assert capsys.readouterr().err.count("1 done, 0 skipped, 0 failed") == 2


def test_failures_and_another_try(sepcli: Sepcli, plan: Path, capsys: Told) -> None:
    content = Path("field/a.wav").read_bytes()
    Path("field/a.wav").write_bytes(content + b"more")
    assert sepcli("separate", "--plan", plan, "--max-failures", "0") == 1
    told = capsys.readouterr().err
    assert "error: field/a.wav has changed since it was planned" in told
    assert "stopped after 1 failures" in told
    Path("field/a.wav").write_bytes(content)
    assert sepcli("separate", "--plan", plan) == 1
    told = capsys.readouterr().err
    assert "error: failed before: field/a.wav has changed" in told
    # The other was in flight, and may have been done before the first batch stopped.
    assert re.search("(1 done, 0 skipped|0 done, 1 skipped), 1 failed", told)
    assert sepcli("separate", "--plan", plan, "--retry-failed", "--deterministic") == 0
    assert "1 done, 1 skipped, 0 failed" in capsys.readouterr().err


def test_a_dry_run_says_what_is_left(sepcli: Sepcli, plan: Path, capsys: Told) -> None:
    sepcli("separate", "--plan", plan, "--shard", "0/2")
    capsys.readouterr()
    assert sepcli("separate", "--plan", plan, "--dry-run") == 0
    told = capsys.readouterr().err
    assert "would separate 1 recordings, 0:01.0, into" in told
    assert "stems/a.a-gain-of-0-5.wav" in told
    assert len(list(STEMS.glob("*.wav"))) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["field"], "the plan has fixed INPUT already"),
        (["-q", "rain"], "the plan has fixed --query already"),
        (["--residual"], "the plan has fixed --residual already"),
        (["--precision", "fp32"], "the plan has fixed --precision already"),
        (["--shard", "2/2"], "no shard 2 of 2"),
        (["--batch-size", "x"], "not a batch size: x"),
    ],
)
def test_what_a_plan_does_not_go_with(
    sepcli: Sepcli, plan: Path, capsys: Told, more: list[str], message: str
) -> None:
    assert sepcli("separate", "--plan", plan, *more) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "help: " in told
    assert not STEMS.exists()


@pytest.mark.parametrize(
    "more",
    [
        ["--shard", "0/2"],
        ["--workers", "2"],
        ["--launcher", "local"],
        ["--retry-failed"],
        ["--max-failures", "3"],
        ["--deterministic"],
    ],
)
def test_what_only_a_plan_goes_with(
    sepcli: Sepcli, words: list[object], capsys: Told, more: list[str]
) -> None:
    assert sepcli("separate", *words, *more) == 2
    assert f"{more[0]} is for plans only" in capsys.readouterr().err


def test_nothing_to_separate(sepcli: Sepcli, capsys: Told) -> None:
    assert sepcli("separate", "-q", "rain") == 2
    assert "nothing to separate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "given"),
    [
        (["--workers", "3"], ("local", None, Policy(), 3)),
        (
            ["--launcher", "slurm", "--workers", "8", "--max-failures", "5", "--retry-failed"],
            ("slurm", None, Policy(retry_failed=True, max_failures=5), 8),
        ),
        (
            ["--launcher", "ray", "--deterministic", "--device", "cpu", "--batch-size", "2"],
            ("ray", None, Policy(deterministic=True, device="cpu", batch_size=2), None),
        ),
    ],
)
def test_what_launchers_are_told(
    sepcli: Sepcli,
    plan: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: list[str],
    given: tuple[object, ...],
) -> None:
    told: list[object] = []

    def launch(kind: str, opened: object, *rest: object) -> list[Event]:
        told.append((kind, *rest))
        return [Done(0, 0, 1, 0.0, 1)]

    monkeypatch.setattr(launchers, "launch", launch)
    assert sepcli("separate", "--plan", plan, *more) == 1
    assert told == [given]


def test_two_commands_in_one_folder(sepcli: Sepcli, words: list[object], capsys: Told) -> None:
    from sepcli.batch.lock import batch_lock, lone_batch

    with batch_lock(STEMS, lone_batch()):
        assert sepcli("separate", *words) == 5
        told = capsys.readouterr().err
        assert "another batch (process" in told
        assert "is writing to stems" in told
        assert sepcli("do", "keep the dog", "field/a.wav", "-o", "stems", "--dry-run") in (0, 2)
    assert not STEMS.exists()
    assert sepcli("separate", *words) == 0
    assert not (STEMS / ".sepcli-lock").exists()


def truth(name: str, of: str, gain: float = 0.5) -> None:
    """A reference that a stem of that gain misses by noise of -60 dBFS."""
    wave, rate = soundfile.read(f"field/{of}.wav")
    path = Path("truth") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).normal(0, 1e-3, wave.shape)
    soundfile.write(path, gain * wave + noise, rate, "FLOAT")


@pytest.mark.parametrize("layout", ["{}/{}.wav", "{}.{}.wav"])
def test_the_stems_of_a_plan_are_scored(
    sepcli: Sepcli, words: list[object], capsys: Told, layout: str
) -> None:
    sepcli("plan", *words, "-q", "a gain of 0.25", "--residual", "--to", "plan.jsonl")
    sepcli("separate", "--plan", "plan.jsonl")
    for name in "ab":
        truth(layout.format(name, "a-gain-of-0-5"), name)
        truth(layout.format(name, "a-gain-of-0-25"), name, 0.25)
    capsys.readouterr()
    given = ["--plan", "plan.jsonl", "--references", "truth", "--jobs", 0, "--no-references"]
    assert sepcli("eval", *given, "--json", "--fail-under", "sdr=36") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["items"], summary["system"]["name"]) == (2, "plan")
    assert "--plan PLAN" in summary["command"]


def test_stems_and_references_that_are_missing_are_counted(
    sepcli: Sepcli, plan: Path, capsys: Told
) -> None:
    Path("truth").mkdir()
    words = ["--plan", plan, "--references", "truth", "--jobs", 0]
    assert sepcli("eval", *words) == 2
    told = capsys.readouterr().err
    assert "2 of 2 stems are not there yet, such as stems/a.a-gain-of-0-5.wav" in told
    assert "sepcli separate --plan plan.jsonl" in told
    sepcli("separate", "--plan", plan)
    truth("b/a-gain-of-0-5.wav", "b")
    capsys.readouterr()
    assert sepcli("eval", *words) == 2
    told = capsys.readouterr().err
    assert "1 of 2 references are not in truth, such as a/a-gain-of-0-5" in told
    assert not Path("evaluations").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "a plan is scored against references"),
        (["--refs", "truth", "--model", "x"], "--plan and --model exclude each other"),
        (["--refs", "truth", "--estimates", "x"], "--plan and --estimates exclude each other"),
        (["--refs", "nowhere"], "no folder of references nowhere"),
    ],
)
def test_evaluations_that_are_refused(
    sepcli: Sepcli, plan: Path, capsys: Told, more: list[str], message: str
) -> None:
    assert sepcli("eval", "--plan", plan, *more) == 2
    assert message in capsys.readouterr().err
