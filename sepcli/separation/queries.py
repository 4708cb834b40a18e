"""What a user asks for: words, examples, or a moment of the recording itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unicodedata import category

from sepcli.errors import UsageError
from sepcli.query.sight import Picture, Sight
from sepcli.separation.example_files import check_example
from sepcli.text_file import read_text

EXCEPT = re.compile(
    r"^(?:everything|anything|all|all sounds?)\s+(?:but|except(?:\s+for)?)\s+(?P<rest>.+)$"
    r"|^(?:no|without|remove|not)\s+(?P<rest2>.+)$",
    re.IGNORECASE,
)
CONTROL, SURROGATE = "Cc", "Cs"  # categories of characters that are none
LONGEST = 1000  # characters of a query; longer ones are a pasted mistake
LARGEST = 10_000_000  # bytes of a file of queries


@dataclass(frozen=True)
class Query:
    """One sound to take out.

    Attributes:
        name: what its stem is called.
        text: a description, or None.
        examples: recordings of such a sound, folders of them, or embeddings that were kept; the
            directions of all are averaged.
        span: start and end, in seconds, of where it is heard in the recording.
        inverted: whether everything else is wanted.
        pictures: of what makes the sound, whose embeddings are averaged.
        sight: what the pictures show, for models that understand words only.
    """

    name: str
    text: str | None = None
    examples: tuple[Path, ...] = ()
    span: tuple[float, float] | None = None
    inverted: bool = False
    pictures: tuple[Picture, ...] = ()
    sight: Sight | None = None


def text_query(text: str) -> Query:
    """A query in words. "everything except X" and "without X" ask for all but X.

    Raises:
        UsageError: if it is empty, absurdly long, or no text.
    """
    words = " ".join("".join(" " if category(c) == CONTROL else c for c in text).split())
    if not words:
        raise UsageError("an empty query", "describe a sound, such as --query 'dog barking'")
    if len(words) > LONGEST:
        message = f"a query of {len(words)} characters"
        raise UsageError(message, f"describe the sound in fewer than {LONGEST} characters")
    if any(category(character) == SURROGATE for character in words):
        raise UsageError(f"query {words!r} is no text", "write it as UTF-8")
    if match := EXCEPT.match(words):
        rest = match["rest"] or match["rest2"]
        return Query(f"no {rest}", rest, inverted=True)
    return Query(words, words)


def parse_span(text: str) -> tuple[float, float]:
    """`START-END` in seconds or [hours:]minutes:seconds.

    Raises:
        UsageError: if it is not that, or ends before it starts.
    """
    start, dash, end = text.partition("-")
    if not dash:
        raise UsageError(f"not a span: {text}", "give START-END, such as 3.5-6 or 1:02-1:05")
    span = parse_time(start), parse_time(end)
    if span[1] <= span[0]:
        raise UsageError(f"span {text} ends before it starts", "give START-END")
    return span


def parse_time(text: str) -> float:
    """Seconds, or minutes:seconds, or hours:minutes:seconds.

    Raises:
        UsageError: if it is none of these.
    """
    parts = text.strip().split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or not all(0 <= n < 1e7 for n in numbers):
        raise UsageError(f"not a time: {text:.60}", "give seconds, or minutes:seconds")
    return sum(number * 60.0**power for power, number in enumerate(reversed(numbers)))


def parse_frame(text: str) -> Picture:
    """`VIDEO@TIME`, the time in seconds or [hours:]minutes:seconds.

    Raises:
        UsageError: if it is not that.
    """
    path, at, time = text.rpartition("@")
    if not at or not path:
        raise UsageError(f"no time in {text}", "give VIDEO@TIME, such as talk.mp4@12.5")
    return Picture(Path(path), parse_time(time))


def gather_queries(
    texts: Sequence[str],
    file: Path | None,
    examples: Sequence[Path],
    span: str | None,
    pictures: Sequence[Picture] = (),
) -> tuple[Query, ...]:
    """All queries of a command.

    Texts give a stem each. Examples, the span and pictures make one more together; or, beside a
    single text, they make that query clearer.

    Args:
        texts: descriptions.
        file: more descriptions, one a line; lines that start with # are left out.
        examples: recordings of the sound, folders of them, or embeddings that were kept.
        span: START-END of where it is heard.
        pictures: of what makes the sound.

    Raises:
        UsageError: if a text or the span is wrong, or a file is missing.
    """
    lines = [*texts, *(_lines(file) if file else [])]
    queries = [text_query(text) for text in dict.fromkeys(lines)]
    for example in examples:
        check_example(example)
    if not examples and span is None and not pictures:
        return tuple(queries)
    shown = Query(
        _name(examples, span, pictures),
        examples=tuple(examples),
        span=parse_span(span) if span else None,
        pictures=tuple(pictures),
    )
    if len(queries) == 1:
        asked = queries[0]
        return (replace(shown, name=asked.name, text=asked.text, inverted=asked.inverted),)
    return (*queries, shown)


def _name(examples: Sequence[Path], span: str | None, pictures: Sequence[Picture]) -> str:
    """Of a query without words."""
    if examples:
        return f"like {examples[0].stem}"
    return f"heard at {span}" if span else f"image {pictures[0].name}"


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in read_text(path, LARGEST).splitlines()]
    queries = [line for line in lines if line and not line.startswith("#")]
    if not queries:
        raise UsageError(f"no queries in {path}", "write one query a line")
    return queries
