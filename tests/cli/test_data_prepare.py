"""`sepcli data prepare`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.training.corpora import prepare as preparing
from sepcli.training.corpora.prepared import Outcome, Rebuilt
from sepcli.training.corpora.readers import READERS

ESC10 = Path(__file__).parents[1] / "data/esc10"

Sepcli = Callable[..., int]
Captured = pytest.CaptureFixture[str]


def test_a_corpus_is_summed_up(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli("data", "prepare", "esc10", "--root", ESC10) == 0
    said = capsys.readouterr()
    assert said.out == "esc10.jsonl: 10 clips, 0.8 min (test 2, train 4, validation 4)\n"
    assert len(Path("esc10.jsonl").read_text().splitlines()) == 10
    assert "left out" not in said.err


@pytest.fixture
def spoilt(noise: Callable[..., np.ndarray]) -> Path:
    """A folder with three clips, one of them a test item, and six files without sound."""
    for name in ("dog/a.wav", "cat/b.wav", "cat/182395.wav"):
        Path("mine", name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(Path("mine", name), noise(0.1), 8000)
    for number in range(6):
        soundfile.write(f"mine/dog/silent-{number}.wav", np.zeros(100), 8000)
    return Path("mine")


def test_what_is_left_out_is_told(sepcli: Sepcli, capsys: Captured, spoilt: Path) -> None:
    words = ("data", "prepare", "class-folders", "--root", spoilt, "-o", "out/list.jsonl")
    assert sepcli(*words) == 1
    said = capsys.readouterr()
    assert said.out.startswith("out/list.jsonl: 3 clips")
    assert "1 clips belong to a test" in said.err
    assert said.err.count("silent training clip") == 5
    assert "and 1 more" in said.err
    assert "6 clips left out, listed in out/list.problems.jsonl" in said.err


def test_licences_choose(sepcli: Sepcli) -> None:
    rows = ["file,label,package,licence,ship"]
    for package, licence in (("a", "CC0-1.0"), ("b", "CC-BY-SA-3.0"), ("c", "GPL-2")):
        soundfile.write(f"{package}.wav", np.full(800, 0.1), 8000)
        rows.append(f"{package}.wav,horn,{package},{licence},{'no' if package == 'c' else 'yes'}")
    Path("manifest.csv").write_text("\n".join(rows))

    def kept(choice: str) -> list[str]:
        assert sepcli("data", "prepare", "sounds", "--root", ".", "--licences", choice) == 0
        return [json.loads(row)["path"][0] for row in Path("sounds.jsonl").read_text().splitlines()]

    assert kept("any") == ["a", "b", "c"]
    assert kept("shippable") == ["a", "b"]
    assert kept("permissive") == ["a"]
    assert kept("gpl, CC0") == ["a", "c"]


def test_the_report_as_json(sepcli: Sepcli, capsys: Captured, spoilt: Path) -> None:
    words = ("data", "prepare", "class-folders", "--root", spoilt, "-o", "list.jsonl", "--json")
    assert sepcli(*words) == 1
    report = json.loads(capsys.readouterr().out)
    assert report.pop("splits")["test"] == 1
    assert report == {
        "manifest": "list.jsonl",
        "clips": 3,
        "seconds": 0.3,
        "left_out": {"silent": 6},
        "problems": "list.problems.jsonl",
        "held_back": 1,
        "rebuilt": None,
    }


def test_packages_that_changed_are_told(
    sepcli: Sepcli, capsys: Captured, spoilt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "file,label,package,licence,ship\ndog/a.wav,dog,0ad-data,CC0,yes\n"
    (spoilt / "manifest.csv").write_text(rows)

    asked: list[object] = []

    def rebuild(
        _folder: Path, packages: object, licences: object, told: Callable[[str], None]
    ) -> Rebuilt:
        asked.extend([packages, licences])
        told("0ad-data")
        return Rebuilt({"dog/a.wav": Outcome("changed", "2")}, {})

    monkeypatch.setattr(preparing, "prepare_debian_sounds", rebuild)
    words = ("data", "prepare", "debian-sounds", "--root", spoilt, "--json")
    choice = ("--packages", "0ad-data, scratch", "--licences", "cc0,GPL-2")
    assert sepcli(*words, *choice) == 1
    assert asked == [["0ad-data", "scratch"], ["cc0", "GPL-2"]]
    said = capsys.readouterr()
    assert json.loads(said.out)["rebuilt"] == {"changed": 1}
    assert "dog/a.wav: changed in version 2 of its package" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("esc1", "--root", ESC10), "no corpus esc1 (did you mean esc10?)"),
        (("esc10", "--root", "nowhere"), "no such corpus: nowhere"),
        (("esc10", "--root", ESC10, "-o", "list.csv"), "list.csv is no manifest"),
        (("esc10",), "Missing option '--root'"),
        (("esc10", "--root", ESC10, "--packages", "a"), "esc10 has no packages"),
        (("esc10", "--root", ESC10, "--licences", "gpl"), "has such a licence"),
        (("esc10", "--root", ESC10, "--licences", "MITT"), "there is no licence MITT"),
    ],
)
def test_bad_usage(sepcli: Sepcli, capsys: Captured, words: tuple[str, ...], message: str) -> None:
    assert sepcli("data", "prepare", *words) == 2
    assert message in capsys.readouterr().err


def test_the_help_knows_all_readers(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli("data", "prepare", "--help") == 0
    text = capsys.readouterr().out
    listed = text.split("NAME is one of:")[1].split("Official splits")[0]
    assert [name for name in READERS if name not in listed] == []
    assert "Examples:" in text
