"""Lists of clips: JSON lines or Parquet, one clip a row, as `sepcli data prepare` writes them.

    {"path": "audio/1.wav", "start": 0, "duration": 5, "labels": ["dog"], "caption": "A dog barks",
     "phrases": ["a dog barks"], "licence": "CC0", "split": "train", "origin": "100032"}

Paths count from the manifest's folder. What a row leaves out is the default of `Row`. Rows with a
duration are taken to be whole and heard, since somebody has opened the file: a training only looks
whether it is still there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from sepcli.errors import UsageError
from sepcli.parquet_file import read_parquet, write_parquet
from sepcli.sections import Section, problems
from sepcli.training.corpora.clip import Clip, Split
from sepcli.training.corpora.licences import shippable
from sepcli.whole_file import written_whole

PARQUET = ".parquet"
SUFFIXES = (".jsonl", PARQUET)
MOST_SHOWN = 20  # wrong rows in one message

Text = Annotated[str, Field(min_length=1)]


class Row(Section):
    """A row of a manifest; what it means is in `Clip`.

    Attributes:
        origin: the path, if left out.
        ship: what the licence says, if left out.
    """

    path: Text
    start: float = Field(default=0.0, ge=0)
    duration: float | None = Field(default=None, gt=0)
    labels: tuple[Text, ...] = ()
    caption: str = ""
    phrases: tuple[Text, ...] = ()
    licence: str = ""
    split: Split
    origin: str = ""
    credit: str = ""
    ship: bool | None = None
    corpus: str = ""
    stream: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _says_what_is_heard(self) -> Row:
        if not (self.labels or self.caption or self.phrases):
            raise ValueError("needs labels, a caption, or phrases")
        return self

    def clip(self, folder: Path, corpus: str) -> Clip:
        """The clip, its path counted from a folder; `corpus` names it if the row does not."""
        given = self.model_dump()
        return Clip(
            **given
            | {
                "path": folder / self.path,
                "origin": self.origin or self.path,
                "ship": shippable(self.licence) if self.ship is None else self.ship,
                "corpus": self.corpus or corpus,
            }
        )


def read_manifest(path: Path) -> Iterator[Clip]:
    """The clips of a manifest.

    Raises:
        UsageError: with the line of every row that is not as it should be.
    """
    rows: list[Row] = []
    wrong: list[str] = []
    for number, line in numbered(path):
        try:
            rows.append(Row.model_validate(line if isinstance(line, dict) else json.loads(line)))
        except ValidationError as error:
            wrong.append(f"line {number}: {', '.join(problems(error, Row))}")
        except ValueError as error:
            wrong.append(f"line {number}: not JSON: {error}")
    if wrong:
        shown = "; ".join(wrong[:MOST_SHOWN])
        more = f"; and {len(wrong) - MOST_SHOWN} more" if len(wrong) > MOST_SHOWN else ""
        raise UsageError(f"{path}: {shown}{more}", "correct the lines, or prepare the corpus anew")
    return (row.clip(path.parent, path.stem) for row in rows)


def numbered(path: Path) -> list[tuple[int, dict[str, Any] | str]]:
    """The rows of a manifest with their numbers, from 1; those of JSON lines still as text."""
    if path.suffix == PARQUET:
        return list(enumerate(read_parquet(path), 1))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "check the path") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def write_manifest(path: Path, clips: Sequence[Clip]) -> None:
    """Write clips, as JSON lines or, by the suffix .parquet, as Parquet; all of them or nothing.

    Raises:
        UsageError: if Parquet is asked for and pyarrow is not installed.
        OutputError: if the disk is full or read-only.
    """
    rows = [row_of(clip, path.parent) for clip in clips]
    if path.suffix == PARQUET:
        with written_whole(path) as partial:
            write_parquet(partial, rows)
    else:
        write_jsonl(path, rows)


def row_of(clip: Clip, folder: Path) -> dict[str, Any]:
    """A clip as a row; its path from a folder, links followed, or `..` would leave their target."""
    path = Path(os.path.relpath(clip.path, folder.resolve())).as_posix()
    return {
        **asdict(clip),
        "path": path,
        "labels": list(clip.labels),
        "phrases": list(clip.phrases),
    }


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write objects, one a line."""
    with written_whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
