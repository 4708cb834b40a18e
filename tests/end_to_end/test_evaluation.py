"""`sepcli eval` as a reviewer uses it: against museval, on the set that ships, on broken data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.evaluation.results import Row, read_rows
from sepcli.registry.store import Registry

RATE = 44_100
STEMS = ("vocals", "drums", "bass", "other")
TRACKS = ("A - One", "B - Two")
Sepcli = Callable[..., int]


@pytest.fixture
def musdb() -> tuple[Path, Path]:
    """Two tracks of 3.4 s in MUSDB18-HQ's layout, and estimates that bleed and filter."""
    rng = np.random.default_rng(11)
    for track in TRACKS:
        mixing = rng.uniform(0.2, 1, (4, 2, 1))
        noise = rng.standard_normal((4, 1, int(3.4 * RATE)))
        envelope = 0.1 + np.abs(np.sin(np.arange(noise.shape[-1]) / (3000 + 1000 * mixing[:, :1])))
        stems = 0.05 * mixing * noise * envelope
        bleed = 0.3 * stems[[1, 2, 3, 0]] + 0.02 * rng.standard_normal(stems.shape) * envelope
        delayed = np.pad(stems, ((0, 0), (0, 0), (40, 0)))[..., :-40]
        for name, wave in zip(STEMS, stems, strict=True):
            write(Path("musdb18hq/test") / track / f"{name}.wav", wave)
        write(Path("musdb18hq/test") / track / "mixture.wav", stems.sum(axis=0))
        for name, wave in zip(STEMS, 0.8 * stems + 0.2 * delayed + bleed, strict=True):
            write(Path("estimates") / track / f"{name}.wav", wave)
    return Path("musdb18hq"), Path("estimates")


def write(path: Path, wave: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave.T, RATE, "PCM_16")


def read(folder: Path) -> np.ndarray:
    return np.stack([soundfile.read(folder / f"{name}.wav")[0] for name in STEMS])


def scored(folder: Path) -> dict[tuple[str, str], Row]:
    rows = read_rows(folder / "rows.jsonl")
    return {(row.item, row.stem): row for row in rows if row.system == "estimate"}


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="museval needs ffmpeg to be imported")
def test_musdb_agrees_with_museval(musdb: tuple[Path, Path], sepcli: Sepcli) -> None:
    import museval

    root, estimates = musdb
    words = ("eval", "--dataset", "musdb", "--root", root, "--estimates", estimates)
    given = ("--jobs", 0, "--no-references")
    assert sepcli(*words, "--protocol", "musdb18hq/bss-v4", "--report", "full", *given) == 0
    assert sepcli(*words, "--report", "alone", *given) == 0
    for track in TRACKS:
        truth = museval.evaluate(
            read(root / "test" / track), read(estimates / track), win=RATE, hop=RATE
        )
        for at, stem in enumerate(STEMS):
            full, alone = (scored(Path(run))[track, stem] for run in ("full", "alone"))
            for column, frames in zip(("sdr", "isr", "sir", "sar"), truth, strict=True):
                wanted = np.nanmedian(frames[at])
                assert full.scores[f"{column}_v4"] == pytest.approx(wanted, abs=1e-3)
            assert alone.scores["csdr"] == pytest.approx(np.nanmedian(truth[0][at]), abs=1e-9)
            assert full.frames["sdr_v4"] == (3, 3)
    summary = json.loads(Path("alone/summary.json").read_text())
    assert summary["dataset"]["complete"] == "PARTIAL 2/50"
    assert summary["headline"]["how"] == "median over items"
    assert any(note.startswith("PARTIAL 2/50") for note in summary["notes"])


def test_musdb_is_found_below_sepcli_data(
    musdb: tuple[Path, Path], sepcli: Sepcli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEPCLI_DATA", str(Path.cwd()))
    words = ("eval", "--dataset", "musdb", "--estimates", musdb[1], "--no-references")
    assert sepcli(*words, "--jobs", 0, "--metrics", "sdr") == 0
    assert Path("evaluations/musdb18hq.estimates/report.html").exists()


def test_a_query_model_gets_the_protocols_prompts(
    musdb: tuple[Path, Path], sepcli: Sepcli, linear: Callable[..., Path]
) -> None:
    """A model with fixed stems is matched by name; the shipped one would be asked in words."""
    model = linear(stems=["drums", "bass", "vocals", "other"], name="four")
    words = ("eval", "--dataset", "musdb", "--root", musdb[0], "--model", model, "--jobs", 0)
    assert sepcli(*words, "--report", "out", "--no-references", "--stems", "drums,bass") == 0
    rows = scored(Path("out"))
    assert set(rows) == {(track, stem) for track in TRACKS for stem in ("drums", "bass")}


def test_the_demonstration_set_scores_the_shipped_model(
    sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("eval", "--dataset", "demo", "--limit", 8, "--jobs", 0)
    assert sepcli(*words, "--fail-under", "sdri=2") == 0
    out, err = capsys.readouterr()
    name = Registry().find(None).name
    assert f"{name}: sdri" in out
    assert "NOT A BENCHMARK RESULT" in err
    page = Path(f"evaluations/demo.{name}/report.html").read_text()
    assert "NOT A BENCHMARK RESULT" in page
    assert "audio" in page
    assert sepcli(*words, "--resume", "--fail-under", "sdri=90") == 1
    assert "missed: sdri is" in capsys.readouterr().err


def test_probes_and_examples(sepcli: Sepcli, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("eval", "--dataset", "demo-many", "--limit", 2, "--jobs", 0, "--no-references")
    assert sepcli(*words, "--protocol", "sepcli/queries", "--json", "--progress", "none") == 0
    summary = json.loads(capsys.readouterr().out)
    assert set(summary["query"]) >= {"paraphrase_loss", "absent_db", "presence_auc", "confusion"}
    assert len(summary["query"]["confusion"]) > 10
    assert sepcli(*words, "--protocol", "sepcli/like", "--metrics", "sdr,fad") == 0
    assert "fad of the whole set" in capsys.readouterr().out


def test_compare_and_check(
    musdb: tuple[Path, Path], sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    root, estimates = musdb
    words = ("eval", "--dataset", "musdb", "--root", root, "--jobs", 0, "--metrics", "sdr")
    assert sepcli(*words, "--estimates", estimates, "--report", "a") == 0
    worse = Path("worse")
    shutil.copytree(estimates, worse)
    wave, _ = soundfile.read(worse / TRACKS[0] / "drums.wav")
    soundfile.write(worse / TRACKS[0] / "drums.wav", -wave, RATE)
    assert sepcli(*words, "--estimates", worse, "--report", "b") == 0
    capsys.readouterr()
    assert sepcli("eval", "compare", "a", "b", "--json") == 0
    compared = json.loads(capsys.readouterr().out)
    drums = next(d for d in compared["differences"] if d["stem"] == "drums")
    assert drums["mean"]["point"] > 2
    assert sepcli("eval", "compare", "a", "b") == 0
    assert "drums" in capsys.readouterr().out
    given = ("--dataset", "musdb", "--root", root)
    assert sepcli("eval", "check", worse, *given, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert any("polarity" in f["message"] or "turned" in f["message"] for f in found)
    assert sepcli("eval", "check", estimates, *given) == 0
    assert "0 errors" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["datasets", "metrics", "protocols"])
def test_lists(what: str, sepcli: Sepcli, capsys: pytest.CaptureFixture[str]) -> None:
    assert sepcli("eval", what, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert len({tuple(row) for row in rows}) == 1
    assert sepcli("eval", what) == 0
    printed = capsys.readouterr().out
    first = next(iter(rows[0]))
    assert all(row[first] in printed.splitlines() for row in rows)


def test_a_missing_data_set_says_how_to_get_it(
    sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sepcli("eval", "--dataset", "moisesdb") == 2
    err = capsys.readouterr().err
    assert "no root for moisesdb" in err
    assert "licence" in err
    assert "get it from" in err


def test_scoring_stems_needs_no_torch(musdb: tuple[Path, Path]) -> None:
    code = (
        "import sys; sys.argv = 'sepcli eval --refs musdb18hq/test --estimates estimates --jobs 0"
        " --progress none'.split()\n"
        "from sepcli.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as e: assert not e.code, e.code\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
