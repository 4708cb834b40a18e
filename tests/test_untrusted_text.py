"""Text and YAML from people we do not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.text_file import LONGEST_LINE, read_lines, read_text
from sepcli.yaml_file import LARGEST, MOST_ALIASES, MOST_LEVELS, read_yaml

LAUGHS = "\n".join(
    [
        "a0: &a0 [lol, lol]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 11)}]" for n in range(1, 12)),
    ]
)


def written(content: bytes | str) -> Path:
    path = Path("a.txt")
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_text_is_read_whole_and_without_its_mark() -> None:
    assert read_text(written("\ufeffköter\n"), 100) == "köter\n"
    assert list(read_lines(written("\ufeffa\nb\r\n\nc"))) == ["a\n", "b\r\n", "\n", "c"]


def test_no_more_than_a_limit_is_read() -> None:
    assert read_text(written(b"x" * 10), 10) == "x" * 10
    with pytest.raises(UsageError, match="larger than 10 bytes"):
        read_text(written(b"x" * 11), 10)
    with pytest.raises(UsageError, match="larger than 1000 bytes"):
        read_text(Path("/dev/zero"), 1000)


def test_lines_of_any_number_but_not_of_any_length() -> None:
    assert sum(1 for _ in read_lines(written("x\n" * 100_000))) == 100_000
    lines = read_lines(written("a\n" + "x" * (LONGEST_LINE + 1)))
    assert next(lines) == "a\n"
    with pytest.raises(UsageError, match="line 2: more than"):
        next(lines)


def test_a_file_of_50_gigabytes_of_nothing() -> None:
    path = written("")
    with path.open("r+b") as file:
        file.truncate(50 << 30)
    with pytest.raises(UsageError, match="line 1: more than"):
        next(read_lines(path))


@pytest.mark.parametrize("content", [b"\xff\xfe\0d", b"caf\xe9"])
def test_what_is_no_text(content: bytes) -> None:
    with pytest.raises(UsageError, match="no UTF-8 text"):
        read_text(written(content), 100)
    with pytest.raises(UsageError, match="no UTF-8 text"):
        list(read_lines(written(content)))


def test_what_is_not_there() -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_text(Path("nowhere"), 100)
    with pytest.raises(UsageError, match="No such file"):
        list(read_lines(Path("nowhere")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "too many YAML aliases"),
        ("a: " + "[" * 100_000, "nested too deeply"),
        ("{a: " * (MOST_LEVELS + 1) + "1" + "}" * (MOST_LEVELS + 1), "nested too deeply"),
        ("a: " + "9" * 5000, "not valid YAML"),
        ("a: 2001-99-99", "not valid YAML"),
        ("a: !!python/object/apply:os.system [touch harm]", "not valid YAML"),
        ("a: \0", "not valid YAML"),
        ("- a", "not a mapping"),
        ("a: 1\n" * (LARGEST // 4), "larger than"),
    ],
    ids=["aliases", "lists", "mappings", "number", "date", "python", "nul", "list", "size"],
)
def test_yaml_that_is_too_much(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read_yaml(written(text))
    assert len(str(caught.value)) < 500
    assert not Path("harm").exists()


def test_yaml_with_as_much_as_may_be() -> None:
    depth = MOST_LEVELS - 1
    text = "a: &a 1\nb: [" + "*a, " * MOST_ALIASES + "]\nc: " + "[" * depth + "]" * depth
    assert read_yaml(written(text))["b"] == [1] * MOST_ALIASES
