"""Events that went through a file are what they were."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from sepcli.batch.launchers.event_lines import EventReader, EventWriter
from sepcli.errors import OutputError, SepcliError
from sepcli.separation.events import (
    Detected,
    Event,
    Failed,
    Finished,
    Notice,
    Quarantined,
    Seen,
    Skipped,
    Started,
    StemWritten,
)

ALL = [
    Started("a.wav", 3, 1.5),
    Detected("a.wav", (("dog", 0.5), ("rain", 0.25))),
    Seen("a.wav", "image", "dog", 0.75, ("cat", "fox")),
    StemWritten("a.wav", "a.dog.wav", "dog", "query", None, -3.0),
    Notice("a.wav", "ümläut\n and a new line"),
    Finished("a.wav", 1.5, 0.5, 1.0, None),
    Skipped("b.wav", ("b.dog.wav",)),
    Failed("c.wav", "broken", "mend it", 1, "ItemError"),
    Quarantined("d.wav", "failed before", "give --retry-failed", 1, "ItemError"),
]


def test_every_event_comes_back(tmp_path: Path) -> None:
    reader = EventReader(tmp_path / "events")
    assert list(reader.read()) == []
    with closing(EventWriter(tmp_path / "events")) as writer:
        for event in ALL:
            writer.write(event)
        assert list(reader.read()) == ALL
        assert not reader.ended
        writer.write(OutputError("disk full", "free some space"))
        writer.end()
    (error,) = reader.read()
    assert isinstance(error, SepcliError)
    assert (str(error), error.remedy, error.exit_code) == ("disk full", "free some space", 5)
    assert reader.ended


@pytest.mark.parametrize("cut", [1, 10])
def test_half_a_line_waits_for_its_other_half(tmp_path: Path, cut: int) -> None:
    path, event = tmp_path / "events", Started("a.wav", 3, 1.5)
    with closing(EventWriter(path)) as writer:
        writer.write(event)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    reader = EventReader(path)
    assert list(reader.read()) == []
    path.write_bytes(whole)
    again: list[Event] = [item for item in reader.read() if not isinstance(item, SepcliError)]
    assert again == [event]
