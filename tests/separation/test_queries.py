"""Queries, spans and times as people type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.separation.options import parse_batch_size
from sepcli.separation.queries import gather_queries, parse_span, parse_time, text_query


@pytest.mark.parametrize(
    ("text", "wanted", "inverted"),
    [
        ("dog barking", "dog barking", False),
        ("  dog \n barking ", "dog barking", False),
        ("everything except the dog", "the dog", True),
        ("Everything but speech", "speech", True),
        ("all sounds except for rain", "rain", True),
        ("no wind", "wind", True),
        ("without traffic noise", "traffic noise", True),
        ("noise", "noise", False),
        ("notes of a piano", "notes of a piano", False),
    ],
)
def test_words(text: str, wanted: str, inverted: bool) -> None:
    query = text_query(text)
    assert (query.text, query.inverted) == (wanted, inverted)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2000])
def test_no_words(text: str) -> None:
    with pytest.raises(UsageError):
        text_query(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3), ("2.5", 2.5), ("1:02", 62), ("1:00:01.5", 3601.5), ("0", 0)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "1:2:3:4", "-1", "nan", "inf", "1::2"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text)


def test_spans() -> None:
    assert parse_span("3.5-1:06") == (3.5, 66)
    for text in ("3", "5-4", "a-b", "3-3"):
        with pytest.raises(UsageError):
            parse_span(text)


def test_gathering() -> None:
    Path("queries.txt").write_text("# sounds\nrain\n\nwind\nrain\n")
    Path("like.wav").touch()
    like = Path("like.wav")
    texts = gather_queries(["dog"], Path("queries.txt"), [], None)
    assert [q.name for q in texts] == ["dog", "rain", "wind"]
    (clearer,) = gather_queries(["dog"], None, [like], "1-2")
    assert (clearer.text, clearer.examples, clearer.span) == ("dog", (like,), (1, 2))
    alone = gather_queries([], None, [like, like], None)
    assert [(q.name, q.text) for q in alone] == [("like like", None)]
    more = gather_queries(["a", "b"], None, [], "1-2")
    assert [q.name for q in more] == ["a", "b", "heard at 1-2"]


def test_what_cannot_be_gathered() -> None:
    Path("empty.txt").write_text("# nothing\n")
    with pytest.raises(UsageError, match="no queries"):
        gather_queries([], Path("empty.txt"), [], None)
    with pytest.raises(UsageError, match="cannot read"):
        gather_queries([], Path("nowhere.txt"), [], None)
    with pytest.raises(UsageError, match="no such example"):
        gather_queries([], None, [Path("nowhere.wav")], None)


def test_batch_sizes() -> None:
    assert (parse_batch_size("auto"), parse_batch_size("3")) == (None, 3)
    for text in ("0", "-1", "many", "1.5"):
        with pytest.raises(UsageError):
            parse_batch_size(text)


@pytest.mark.parametrize("text", ["dog\x1b[2J\x07", "dog\0", "\x9bdog\r\n"])
def test_control_codes_are_no_words(text: str) -> None:
    assert "dog" in text_query(text).name
    assert text_query(text).name.isprintable()


def test_words_of_any_script_stay_as_they_are() -> None:
    for text in ("می‌خواهم", "🐕‍🦺 barking", "犬の鳴き声"):
        assert text_query(text).text == text


def test_what_is_no_text() -> None:
    with pytest.raises(UsageError, match="no text"):
        text_query("dog \udce9")


def test_query_files_that_never_end() -> None:
    with pytest.raises(UsageError, match="larger than"):
        gather_queries([], Path("/dev/zero"), [], None)
