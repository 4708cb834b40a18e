"""Any recordings, by a list with one JSON object a line.

    {"item": "song", "mixture": "a/mix.wav", "references": {"vocals": "a/v.wav"},
     "queries": {"vocals": "a woman sings"}, "facts": {"genre": "folk"}}

Paths count from the manifest's folder. A reference may be a list of files, which are summed.
Without `mixture`, it is the sum of the references; `queries` and `facts` may be left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem
from sepcli.evaluation.datasets.tables import read_jsonl

NAME = "manifest.jsonl"
HEAD = 65_536  # bytes that are searched for the first line

Text = Annotated[str, Field(min_length=1)]


class Row(BaseModel):
    """A line of a manifest."""

    model_config = ConfigDict(extra="forbid", strict=True)

    item: Text
    mixture: Text | None = None
    references: dict[Text, Text | Annotated[list[Text], Field(min_length=1)]] = Field(min_length=1)
    queries: dict[str, Text] = {}
    facts: dict[str, str | float] = {}


def items(root: Path, _split: str) -> list[FileItem]:
    """The lines of a manifest, which `root` is or holds.

    Raises:
        UsageError: if a line is not as it should be, or two items have one name.
    """
    path = file_of(root)
    rows = [(number, parsed(path, number, line)) for number, line in read_jsonl(path)]
    seen: dict[str, int] = {}
    for number, row in rows:
        if row.item in seen:
            message = f"{path}, line {number}: {row.item} is in line {seen[row.item]}, too"
            raise UsageError(message, "give every item its own name")
        seen[row.item] = number
    return sorted((item(path.parent, row) for _, row in rows), key=lambda item: item.name)


def parsed(path: Path, number: int, line: dict[str, object]) -> Row:
    """A line, checked."""
    try:
        row = Row.model_validate(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = f"{path}, line {number}: {where}: {first['msg']}"
        raise UsageError(message, "correct the line") from error
    if unknown := set(row.queries) - set(row.references):
        message = f"{path}, line {number}: a query for {min(unknown)}, which has no reference"
        raise UsageError(message, "correct the line")
    return row


def item(folder: Path, row: Row) -> FileItem:
    """An item with its paths in place."""
    references = {
        stem: tuple(Track(folder / name) for name in ([names] if isinstance(names, str) else names))
        for stem, names in row.references.items()
    }
    mixture = None if row.mixture is None else Track(folder / row.mixture)
    return FileItem(row.item, references, mixture, row.facts, row.queries)


def file_of(root: Path) -> Path:
    """The manifest itself."""
    return root / NAME if root.is_dir() else root


def recognise(root: Path) -> Evidence | None:
    """By the first line."""
    path = file_of(root)
    if not path.is_file() or path.suffix != ".jsonl":
        return None
    with path.open("rb") as file:
        first = file.readline(HEAD)
    if b'"item"' in first and b'"references"' in first:
        return Evidence(1.0, f"{path.name} with items and references")
    return None


DATASET = Dataset(
    title="your own recordings, by a list",
    licence="yours",
    size="any",
    how_to_get="give the list, or its folder, with --root",
    signature=f"{NAME}, one object a line: item, mixture, references, queries, facts",
    protocols=("folder/si-sdr", "folder/bss-v3", "folder/speech"),
    splits={"all": None},
    recognise=recognise,
    items=items,
)
