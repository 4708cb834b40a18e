"""The run report: what became of every recording, as JSON."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sepcli
from sepcli.errors import OutputError, UsageError
from sepcli.separation.events import (
    Detected,
    Done,
    Event,
    Failed,
    Finished,
    Notice,
    Planned,
    Seen,
    Skipped,
    StemWritten,
)
from sepcli.separation.options import SeparateOptions

SCHEMA = 1


def check_report(path: Path | None) -> None:
    """Refuse a report that cannot be written, before any work.

    Raises:
        UsageError: if a folder is where it should go.
        OutputError: if nothing can be there.
    """
    try:
        folder = path is not None and path.is_dir()
    except OSError as error:
        message = f"cannot write report {path!s:.100}: {error.strerror}"
        raise OutputError(message, "give another path") from error
    if folder:
        raise UsageError(f"report {path} is a folder", "give a file name")


@dataclass
class FileReport:
    """One recording.

    Attributes:
        status: planned, done, skipped, nothing found or failed.
        took: seconds of time.
        gain: of all stems, below 1 where one would have clipped.
        mismatch_db: peak of recording minus stems and rest, dBFS; None if exactly zero.
        seen: what pictures were taken to show.
        detected: what was found with --auto.
    """

    path: str
    status: str = "planned"
    seconds: float | None = None
    took: float | None = None
    times_real_time: float | None = None
    gain: float | None = None
    mismatch_db: float | None = None
    error: str | None = None
    help: str | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    detected: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Report:
    """A run, as its events told it."""

    files: dict[str, FileReport] = field(default_factory=dict)
    outputs_planned: list[str] = field(default_factory=list)
    totals: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return int(self.totals.get("exit_code", 0))

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Planned):
            self.outputs_planned = list(event.outputs)
        elif isinstance(event, Done):
            self.totals = asdict(event)
        else:
            self._read_file(event, self.files.setdefault(event.path, FileReport(event.path)))

    def _read_file(self, event: Event, file: FileReport) -> None:
        if isinstance(event, StemWritten):
            file.outputs.append({k: v for k, v in asdict(event).items() if k != "path"})
        elif isinstance(event, Notice):
            file.notices.append(event.message)
        elif isinstance(event, Detected):
            file.detected = [{"label": label, "score": score} for label, score in event.sounds]
            file.status = file.status if event.sounds else "nothing found"
        elif isinstance(event, Seen):
            file.seen.append({k: v for k, v in asdict(event).items() if k != "path"})
        elif isinstance(event, Skipped):
            file.status = "skipped"
            file.outputs = [{"output": output} for output in event.outputs]
        elif isinstance(event, Failed):
            file.status, file.error, file.help = "failed", event.error, event.help
        elif isinstance(event, Finished):
            file.status, file.seconds, file.took = "done", event.seconds, event.took
            file.gain, file.mismatch_db = event.gain, event.mismatch_db
            file.times_real_time = round(event.seconds / event.took, 2) if event.took else None

    def as_json(self, options: SeparateOptions) -> str:
        """The report's text."""
        given = {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(options).items()
        }
        return json.dumps(
            {
                "schema": SCHEMA,
                "version": sepcli.__version__,
                "options": given,
                "totals": self.totals,
                "outputs_planned": self.outputs_planned,
                "files": [asdict(file) for file in self.files.values()],
            },
            indent=1,
            default=str,
            ensure_ascii=False,
        )

    def write(self, path: Path, options: SeparateOptions) -> None:
        """Write the report, whole or not at all.

        Raises:
            OutputError
        """
        partial = path.with_name(f".sepcli-partial-{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = self.as_json(options) + "\n"
            partial.write_text(text, encoding="utf-8", errors="backslashreplace")
            partial.replace(path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            reason = error.strerror or str(error)
            raise OutputError(
                f"cannot write report {path}: {reason}", "give another path"
            ) from error
