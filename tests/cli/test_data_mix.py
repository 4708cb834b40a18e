"""`sepcli data mix`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

Command = Callable[..., int]


@pytest.fixture
def corpus() -> str:
    """Class folders of noise; one file is broken."""
    rng = np.random.default_rng(0)
    for label in ("dog", "rain", "siren"):
        Path(f"my/{label}").mkdir(parents=True)
        for name in range(12):
            soundfile.write(f"my/{label}/{name}.wav", rng.uniform(-0.5, 0.5, 4000), 8000)
    Path("my/dog/0.wav").write_text("no audio")
    return "class-folders:my"


def test_a_manifest_is_written_and_rendered(
    sepcli: Command, corpus: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--seconds", 0.2, "--rate", 8000, "--sources", 2, 2, "--count", 4)
    assert sepcli("data", "mix", "out", "--corpus", corpus, *words, "--snr", 3, 3) == 1
    told = capsys.readouterr()
    assert told.out == "out/train/data.jsonl: 4 mixtures\n"
    assert "1 clips cannot be heard, and were left out" in told.err
    rows = [json.loads(line) for line in Path("out/train/data.jsonl").read_text().splitlines()]
    assert [s["snr_db"] for row in rows for s in row["sources"]] == [0, 3] * 4
    render = ("data", "mix", "out", "--render", "files", "--format", "flac")
    assert sepcli(*render) == 0
    assert capsys.readouterr().out == "files: 4 mixtures written, 0 were there\n"
    assert sepcli(*render) == 0
    assert capsys.readouterr().out == "files: 0 mixtures written, 4 were there\n"
    assert len(list(Path("files").glob("*/s2.flac"))) == 4
    for path in Path("my").glob("*/*.wav"):
        path.unlink()
    assert sepcli("data", "mix", "out", "--render", "more") == 1
    assert "4 mixtures could not be rendered" in capsys.readouterr().err


def test_what_a_config_mixes(sepcli: Command, corpus: str) -> None:
    Path("my/dog/0.wav").unlink()
    root = corpus.partition(":")[2]
    config = {
        "kind": "separator",
        "clap": "model:everyday",
        "corpora": [{"kind": "class-folders", "root": root}],
        "steps": 1,
        "batch": 1,
        "seconds": 1,
        "lr": 1e-3,
    }
    Path("train.yaml").write_text(yaml.safe_dump(config))
    small = ("--count", 2, "--seconds", 0.2, "--sources", 2, 3, "--seed", 3)
    assert sepcli("data", "mix", "a", "--config", "train.yaml", *small) == 0
    assert sepcli("data", "mix", "b", "--corpus", corpus, *small) == 0
    assert Path("a/train/data.jsonl").read_text() == Path("b/train/data.jsonl").read_text()
    pytest.importorskip("pyarrow")
    assert sepcli("data", "mix", "c", "--corpus", corpus, *small, "--parquet") == 0
    assert Path("c/train/data.parquet").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sources", 3, 2, "--render", "x"), "--sources 3 2 is no range"),
        (("--sources", 0, 2, "--render", "x"), "--sources 0 2 is no range"),
        (("--snr", 5, -5, "--render", "x"), "--snr 5 -5 is no range"),
        (("--seconds", 0.01, "--render", "x"), "--seconds 0.01 is too short"),
        (("--seconds", "nan", "--render", "x"), "--seconds nan is too short"),
        ((), "nothing to mix"),
        (("--render", "x"), "no train/data.jsonl"),
        (("--corpus", "my"), "not a corpus: 'my'"),
        (("--corpus", "esc11:my"), "no corpus esc11"),
        (("--corpus", "esc10:x", "--config", "train.yaml"), "--corpus and --config are given"),
    ],
)
def test_what_is_refused(
    sepcli: Command,
    capsys: pytest.CaptureFixture[str],
    words: tuple[object, ...],
    message: str,
) -> None:
    assert sepcli("data", "mix", "out", *words) == 2
    assert message in capsys.readouterr().err
    assert not Path("out").exists()
