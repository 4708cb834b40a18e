"""Single events in long recordings, found and labelled, as clips to train on.

A recording is read twice, in blocks: once for its levels, which say where something sounds
(`mine_activity`), and once for the samples of these segments, each of which is judged by itself
(`mine_judge`). So memory depends on the longest segment, not on the recording, but for 0.7 MB of
levels an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sepcli.audio.reader import AudioInfo, Wave, blocks, probe
from sepcli.audio.resample import resampled
from sepcli.errors import ItemError
from sepcli.hashing import sha256_of
from sepcli.training.corpora.clip import VALIDATION_PERCENT, Clip, percentile
from sepcli.training.corpora.licences import shippable
from sepcli.training.corpora.manifest import row_of, write_jsonl, write_manifest
from sepcli.training.corpora.mine_activity import (
    FRAME_SECONDS,
    Activity,
    Span,
    active_spans,
    cut_out,
    frame_levels,
)
from sepcli.training.corpora.mine_judge import Judge, Verdict
from sepcli.training.corpora.sounds import RATE

ORIGIN_DIGITS = 16  # of a file's SHA-256
SCORES_SUFFIX = ".scores.jsonl"  # of the file beside the manifest
MILLISECONDS = 3  # decimals of a time


@dataclass(frozen=True)
class Mined:
    """A recording that was searched.

    Attributes:
        path: of the recording.
        seconds: its length.
        judged: every segment in which something sounds, what was found out about it, and the
            criterion that it misses, empty for those to keep.
        origin: beginning of the file's SHA-256: copies of a recording are one origin.
    """

    path: Path
    seconds: float
    judged: tuple[tuple[Span, Verdict, str], ...]
    origin: str

    @property
    def kept(self) -> tuple[tuple[Span, Verdict], ...]:
        """The segments that hold one sound."""
        return tuple((span, verdict) for span, verdict, missed in self.judged if not missed)

    def clips(self, licence: str) -> Iterator[tuple[Clip, Verdict]]:
        """Its segments as clips; all of one split, which the file's content decides."""
        validates = percentile(self.origin) < VALIDATION_PERCENT
        for span, verdict in self.kept:
            clip = Clip(
                path=self.path,
                labels=(verdict.label,),
                origin=self.origin,
                split="validation" if validates else "train",
                licence=licence,
                credit=self.path.name,
                ship=shippable(licence),
                start=round(span.start, MILLISECONDS),
                duration=round(span.seconds, MILLISECONDS),
                corpus="mined",
            )
            yield clip, verdict


@dataclass(frozen=True)
class Failed:
    """A recording that could not be read."""

    path: Path
    error: ItemError


@dataclass
class Harvest:
    """What was found in many recordings.

    Attributes:
        mined: those that could be read.
        failed: those that could not.
    """

    mined: list[Mined] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def add(self, outcome: Mined | Failed) -> None:
        """Take in one recording."""
        if isinstance(outcome, Mined):
            self.mined.append(outcome)
        else:
            self.failed.append(outcome)

    def summary(self) -> dict[str, Any]:
        """Counts and seconds of what was searched, kept, and left out for which criterion."""
        rows = [row for mined in self.mined for row in mined.judged]
        kept = [(span, verdict) for span, verdict, missed in rows if not missed]
        return {
            "recordings": len(self.mined),
            "failed": [{"path": str(f.path), "error": str(f.error)} for f in self.failed],
            "seconds": round(sum(mined.seconds for mined in self.mined), 1),
            "segments": len(rows),
            "kept": len(kept),
            "kept_seconds": round(sum(span.seconds for span, _ in kept), 1),
            "missed": dict(Counter(missed for _, _, missed in rows if missed)),
            "labels": dict(Counter(verdict.label for _, verdict in kept).most_common()),
        }

    def write(self, path: Path, licence: str) -> None:
        """Write the manifest, and beside it what was found out about each of its rows.

        Raises:
            UsageError: if Parquet is asked for and pyarrow is not installed.
            OutputError: if the disk is full or read-only.
        """
        rows = [row for mined in self.mined for row in mined.clips(licence)]
        write_manifest(path, [clip for clip, _ in rows])
        write_jsonl(scores_path(path), (score_row(*row, path.parent) for row in rows))


def mine(recordings: Iterable[Path], judge: Judge, activity: Activity) -> Iterator[Mined | Failed]:
    """Search recordings, one after another; one that cannot be read does not end the search.

    Args:
        recordings: files.
        judge: of segments.
        activity: what a segment is.
    """
    for path in recordings:
        try:
            yield mine_recording(path, judge, activity)
        except ItemError as error:
            yield Failed(path, error)


def mine_recording(path: Path, judge: Judge, activity: Activity) -> Mined:
    """Search one recording.

    Raises:
        ItemError: if it cannot be read.
    """
    info = probe(path)
    levels = frame_levels(blocks(info), info.rate)
    spans = active_spans(levels, activity)
    judged = tuple(
        (span, verdict, judge.criteria.objection(verdict))
        for span, wave in cut_out(mono(info), spans, RATE)
        for verdict in [judge.verdict(wave[:, 0], RATE)]
    )
    return Mined(path, len(levels) * FRAME_SECONDS, judged, sha256_of(path)[:ORIGIN_DIGITS])


def mono(info: AudioInfo) -> Iterator[Wave]:
    """Blocks (samples, 1) of the mean of a recording's channels, at RATE."""
    mixed = (block.mean(axis=1, keepdims=True) for block in blocks(info))
    return resampled(mixed, info.rate, RATE, 1)


def score_row(clip: Clip, verdict: Verdict, folder: Path) -> dict[str, Any]:
    """What was found out about a kept segment, with its place in the manifest's words."""
    row = row_of(clip, folder)
    place = {key: row[key] for key in ("path", "start", "duration")}
    figures = {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in asdict(verdict).items()
    }
    return place | figures


def scores_path(manifest: Path) -> Path:
    """Where the scores of a manifest's rows are."""
    return manifest.with_suffix(SCORES_SUFFIX)
