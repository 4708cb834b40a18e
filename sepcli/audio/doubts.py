"""What a user should know of a recording that was decoded without complaint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sepcli.audio.headers import promise_of
from sepcli.audio.ogg import survey
from sepcli.audio.reader import AudioInfo

SLACK = 0.1  # seconds; encoders pad, and containers round durations


def doubts(info: AudioInfo, start: float, duration: float | None, heard: int) -> Iterator[str]:
    """Sentences about what is missing, or may not be what it seems.

    Args:
        info: of the recording.
        start: seconds that were left out at the beginning.
        duration: seconds that were wanted, None for all.
        heard: samples that were decoded.

    Raises:
        OSError: if the recording cannot be read.
    """
    promise, there = promise_of(info.path), start + heard / info.rate
    if promise and promise.byte_rate not in (None, info.rate * promise.block):
        yield f"its header contradicts itself: {info.rate} Hz, {promise.byte_rate} bytes a second"
    if duration is not None and heard >= round(duration * info.rate):
        return
    promised, slack = info.seconds, SLACK
    if promise and promise.size is not None and promise.block:
        promised, slack = promise.size // promise.block / info.rate, 0.5 / info.rate
    if promise and promise.size == 0:
        yield "its header promises no samples: what follows was taken for sound"
    elif there < promised - slack:
        yield f"it ends after {there:.2f} s, but its header promises {promised:.2f} s"
    elif promise and promise.more > SLACK * info.rate * promise.block:
        yield f"{promise.more} bytes follow what its header promises, and were left out"
    elif info.encoding.container == "OGG":
        yield from _doubts_of_ogg(info.path, there)


def _doubts_of_ogg(path: Path, there: float) -> Iterator[str]:
    pages = survey(path)
    if not pages.ended:
        yield f"it breaks off after {there:.2f} s: its last page is missing"
    if pages.more:
        yield f"only its first recording was separated: another follows after {there:.2f} s"
