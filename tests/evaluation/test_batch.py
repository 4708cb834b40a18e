"""A whole evaluation: resumed, in parallel, with broken items, with what the disk refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError, MemoryExhausted, UsageError
from sepcli.evaluation.batch import Scored, Unscored
from sepcli.evaluation.options import EvalOptions
from sepcli.evaluation.outcome import Outcome, finish
from sepcli.evaluation.plan import plan
from sepcli.evaluation.results import read_rows

RATE = 8000
FILES = ("rows.jsonl", "summary.json", "summary.md", "summary.tex", "rows.csv", "report.html")


def write(path: Path, wave: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave.T, RATE, "DOUBLE")


@pytest.fixture
def tree() -> tuple[Path, Path]:
    """Six items of two stems, and estimates whose SDR is exactly 20 dB, then 19 dB, ..."""
    rng = np.random.default_rng(0)
    for item in range(6):
        a, b = 0.1 * rng.standard_normal((2, 1, 2 * RATE))
        for stem, wave in (("a", a), ("b", b), ("mixture", a + b)):
            write(Path(f"refs/item{item}/{stem}.wav"), wave)
        error = 10 ** (-(20 - item) / 20)
        write(Path(f"est/item{item}/a.wav"), (1 + error) * a)
        write(Path(f"est/item{item}/b.wav"), (1 - error) * b)
    return Path("refs"), Path("est")


def run(**options: object) -> Outcome:
    given = {"refs": Path("refs"), "estimates": Path("est"), "jobs": 0, **options}
    planned = plan(EvalOptions(**given))  # type: ignore[arg-type]
    list(planned.evaluation.run())
    return finish(planned)


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_figures_and_files(tree: tuple[Path, Path]) -> None:
    outcome = run(report=Path("out"))
    assert outcome.exit_code == 0
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary == outcome.summary
    assert summary["stems"]["sdr"]["a"]["mean"] == pytest.approx(17.5, abs=1e-6)
    assert summary["stems"]["sdr"]["all"]["total"] == 12
    assert summary["reference_systems"]["mixture"]["sdri"]["mean"] == 0
    assert summary["dataset"]["complete"] == "complete 6"
    assert summary["headline"]["column"] == "si_sdr"
    rows = [row for row in read_rows(Path("out/rows.jsonl")) if row.system == "estimate"]
    assert [row.item for row in rows[::2]] == [f"item{i}" for i in range(6)]
    assert [round(row.scores["sdr"]) for row in rows[::2]] == [20, 19, 18, 17, 16, 15]
    assert all((Path("out") / name).exists() for name in FILES)
    assert not Path("out/rows.partial.jsonl").exists()


def test_workers_and_their_order_change_nothing(tree: tuple[Path, Path]) -> None:
    run(report=Path("one"))
    run(report=Path("two"), jobs=2)
    assert content(Path("one")) == content(Path("two"))


def test_a_stopped_run_goes_on_and_ends_the_same(tree: tuple[Path, Path]) -> None:
    run(report=Path("straight"))
    stopped = plan(EvalOptions(refs=tree[0], estimates=tree[1], jobs=0, report=Path("resumed")))
    events = stopped.evaluation.run()
    for _ in range(4):
        next(events)
    events.close()
    with pytest.raises(UsageError, match="holds a run already"):
        run(report=Path("resumed"))
    again = plan(
        EvalOptions(refs=tree[0], estimates=tree[1], jobs=0, report=Path("resumed"), resume=True)
    )
    scored = [e.item for e in again.evaluation.run() if isinstance(e, Scored)]
    assert scored == ["item3", "item4", "item5"]
    finish(again)
    assert content(Path("resumed")) == content(Path("straight"))


def test_a_finished_run_is_not_scored_again_but_for_what_changed(tree: tuple[Path, Path]) -> None:
    run(report=Path("out"))
    before = content(Path("out"))
    wave, _ = soundfile.read("est/item2/a.wav")
    soundfile.write("est/item2/a.wav", 0.9 * wave, RATE, "DOUBLE")
    again = plan(
        EvalOptions(refs=tree[0], estimates=tree[1], report=Path("out"), resume=True, jobs=0)
    )
    assert [e.item for e in again.evaluation.run() if isinstance(e, Scored)] == ["item2"]
    finish(again)
    assert content(Path("out"))["rows.jsonl"] != before["rows.jsonl"]


def test_other_settings_score_everything_again(tree: tuple[Path, Path]) -> None:
    run(report=Path("out"), metrics=("sdr",))
    again = EvalOptions(
        refs=tree[0],
        estimates=tree[1],
        report=Path("out"),
        resume=True,
        jobs=0,
        metrics=("si_sdr",),
    )
    assert sum(isinstance(event, Scored) for event in plan(again).evaluation.run()) == 6


def test_kill_9_loses_nothing(tree: tuple[Path, Path]) -> None:
    run(report=Path("straight"))
    words = ["eval", "--refs", "refs", "--estimates", "est", "--report", "killed", "--jobs", "0"]
    command = [sys.executable, "-m", "sepcli", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = Path("killed/rows.partial.jsonl")
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    run(report=Path("killed"), resume=True)
    assert content(Path("killed")) == content(Path("straight"))


def test_a_broken_item_is_told_and_the_others_go_on(tree: tuple[Path, Path]) -> None:
    Path("est/item1/a.wav").write_bytes(b"RIFF broken")
    Path("est/item4/b.wav").unlink()
    planned = plan(EvalOptions(refs=tree[0], estimates=tree[1], jobs=2, report=Path("out")))
    failed = [e for e in planned.evaluation.run() if isinstance(e, Unscored)]
    outcome = finish(planned)
    assert {e.item for e in failed} == {"item1", "item4"}
    assert outcome.exit_code == 1
    assert [f["item"] for f in outcome.summary["failures"]] == ["item1", "item4"]
    assert outcome.summary["stems"]["sdr"]["a"]["total"] == 4
    assert "no estimate of b" in outcome.summary["failures"][1]["error"]


def test_nothing_scored_is_an_error_with_the_first_reason(tree: tuple[Path, Path]) -> None:
    Path("nowhere").mkdir()
    with pytest.raises(ItemError, match="nothing could be scored: item0: no estimate of a"):
        run(estimates=Path("nowhere"))


def test_a_worker_that_dies_stops_the_run_with_a_remedy(
    tree: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    Path("sitecustomize.py").write_text(
        "import os, sys, threading\n"
        "if 'spawn_main' in ' '.join(sys.orig_argv):\n"
        "    threading.Timer(0.2, os._exit, (9,)).start()\n"
    )
    planned = plan(EvalOptions(refs=tree[0], estimates=tree[1], jobs=1, report=Path("out")))
    with pytest.raises(MemoryExhausted, match="worker process died"):
        list(planned.evaluation.run())


def test_stereo_estimates_are_scored_by_a_mono_protocol(tree: tuple[Path, Path]) -> None:
    for path in [*tree[0].glob("*/*.wav"), *tree[1].glob("*/*.wav")]:
        wave, _ = soundfile.read(path)
        soundfile.write(path, np.stack([wave, wave], 1), RATE, "DOUBLE")
    outcome = run(report=Path("out"), protocol="folder/bss-v3")
    assert outcome.summary["stems"]["sdr_v3"]["a"]["valid"] == 6
    outcome = run(report=Path("out2"), protocol="folder/speech", references=False)
    assert outcome.summary["stems"]["sdr"]["a"]["mean"] == pytest.approx(17.5, abs=1e-6)


def test_limits_and_changed_metrics_are_said(tree: tuple[Path, Path]) -> None:
    outcome = run(limit=2, metrics=("sdr",), stems=("a",), report=Path("out"))
    notes = " / ".join(outcome.summary["notes"])
    assert "NOT A BENCHMARK RESULT: --limit 2 of 6 items" in notes
    assert "only the stems a" in notes
    assert "not the protocol's metrics, but sdr" in notes
    assert outcome.summary["headline"]["column"] == "sdr"
    assert set(outcome.summary["stems"]["sdr"]) == {"all", "a"}
    assert "NOT A BENCHMARK RESULT" in Path("out/report.html").read_text()
    assert "/" not in outcome.summary["command"].replace("folder/si-sdr", "")


@pytest.mark.parametrize(("threshold", "code"), [("sdr=17", 0), ("sdr=18", 1), ("sdri=nan", 1)])
def test_fail_under(tree: tuple[Path, Path], threshold: str, code: int) -> None:
    outcome = run(fail_under=(threshold,), report=Path("out"))
    assert outcome.exit_code == code
    assert len(outcome.missed) == code


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"refs": None}, "nothing to evaluate on"),
        ({"root": Path("refs")}, "--refs names the references"),
        ({"model": "everyday"}, "exclude each other"),
        ({"resume": True, "overwrite": True}, "exclude each other"),
        ({"fail_under": ("sdr",)}, "not a threshold: sdr"),
        ({"fail_under": ("sir=3",)}, "--fail-under sir is not computed"),
        ({"metrics": ("sdrr",)}, "no metric sdrr"),
        ({"protocol": "folder/sdr"}, "no protocol folder/sdr"),
        ({"refs": None, "dataset": "musdbb"}, "no data set musdbb"),
        ({"refs": None, "dataset": "musdb"}, "no root for musdb18hq"),
        ({"refs": None, "root": Path("est/item0")}, "looks like no known data set"),
        ({"estimates": Path("gone")}, "no folder of estimates"),
    ],
)
def test_what_is_refused_before_any_work(
    tree: tuple[Path, Path], options: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        run(report=Path("o"), **options)
    assert not Path("o").exists()
