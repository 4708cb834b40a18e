"""Manifests, folders and globs, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.separation.inputs import expand


def names(*inputs: str, recursive: bool = False) -> list[str]:
    return [str(source.path) for source in expand(inputs, recursive)]


@pytest.fixture(autouse=True)
def tree() -> None:
    for name in ("a/1.wav", "a/2.FLAC", "a/.hidden.wav", "a/notes.txt", "a/b/3.mp3"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def test_folders_and_globs() -> None:
    assert names("a") == ["a/1.wav", "a/2.FLAC"]
    assert names("a", recursive=True) == ["a/1.wav", "a/2.FLAC", "a/b/3.mp3"]
    assert names("a/*.wav", "-") == ["a/1.wav", "-"]
    assert names("a/**/*.mp3") == ["a/b/3.mp3"]
    assert names("missing.wav") == ["missing.wav"]


def test_names_with_brackets_are_names_first() -> None:
    Path("take[1].wav").touch()
    assert names("take[1].wav") == ["take[1].wav"]


def test_manifests() -> None:
    Path("a/list.jsonl").write_text('{"path": "1.wav", "start": 1}\n\n{"path": "2.FLAC"}\n')
    first, second = expand(["a/list.jsonl"], recursive=False)
    assert (str(first.path), first.start, first.end) == ("a/1.wav", 1.0, None)
    assert (str(second.path), second.start, second.queries) == ("a/2.FLAC", None, ())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "path,start,end\n1.wav,3,2\n", "ends before it starts"),
        ("x.csv", "path,start\n1.wav,soon\n", "not a time"),
        ("x.csv", "path,query\n,dog\n", "line 2: no path"),
        ("x.csv", "path\n", "is empty"),
        ("x.csv", "path,query\n1.wav,dog,4,5\n", "unknown column"),
        ("x.jsonl", '{"path": "a"\n', "line 1"),
        ("x.jsonl", '{"path": "a", "gain": 1}\n', "unknown column gain"),
    ],
)
def test_bad_manifests(name: str, text: str, message: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(UsageError, match=message):
        expand([name], recursive=False)


def test_unreadable_manifests() -> None:
    Path("x.csv").write_bytes(b"\xff\xfe\x00")
    for name, why in (("x.csv", "is no UTF-8 text"), ("nowhere.jsonl", "No such file")):
        with pytest.raises(UsageError, match=why):
            expand([name], recursive=False)


def test_nothing_at_all() -> None:
    with pytest.raises(UsageError, match="nothing to separate"):
        expand([], recursive=False)
    Path("deep/er").mkdir(parents=True)
    with pytest.raises(UsageError, match="no recordings in deep"):
        expand(["deep"], recursive=False)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"path": ' + "[" * 100_000, "line 1: nested too deeply"),
        ("a.jsonl", '{"path": "' + "x" * 2_000_000, "line 1: more than"),
        ("a.jsonl", '{"path": ["1.wav"]}', "line 1: no path"),
        ("a.jsonl", '{"path": "1.wav", "start": NaN}', "not a time: nan"),
        ("a.jsonl", '{"path": "1.wav", "start": -5}', "not a time: -5"),
        ("a.jsonl", '{"path": "1.wav", "query": "' + "d" * 5000 + '"}', "a query of 5000"),
        ("a.csv", "path,query\n1.wav," + "d" * 200_000, "line 2: field larger than"),
        ("a.csv", "path," * 300_000, "line 1: more than"),
        ("a.csv", "path,pfad\n1.wav,dog\n", "unknown column pfad"),
        ("a.csv", "", "is empty"),
    ],
)
def test_manifests_that_would_do_harm(name: str, content: str, message: str) -> None:
    Path(name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        expand([name], recursive=False)
    assert len(str(caught.value)) < 500


def test_manifests_that_never_end() -> None:
    with Path("a.jsonl").open("wb") as file:
        file.truncate(50 << 30)
    with pytest.raises(UsageError, match="line 1: more than"):
        expand(["a.jsonl"], recursive=False)
